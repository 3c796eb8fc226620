import { assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import {
  findTestFiles,
  isQuick,
  longestFirst,
  partArguments,
  SLOW,
  takeJob,
  WAITING,
} from "../support/test_files.ts";

describe("the files of a test run", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await Deno.mkdir(join(folder, "room"));
    for (const name of ["b_test.ts", "room/a_test.ts", "room/fixture.ts"]) {
      await Deno.writeTextFile(join(folder, name), "");
    }
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("are a folder's tests and every named file, each once", async () => {
    const [b, a, fixture] = ["b_test.ts", "room/a_test.ts", "room/fixture.ts"].map((name) =>
      join(folder, name)
    );
    assertEquals(await findTestFiles([folder, join(folder, "room/a_test.ts")]), [b, a]);
    assertEquals(await findTestFiles([join(folder, "room/fixture.ts")]), [fixture]);
  });

  it("start with those that take longest on any version, and are otherwise in order", () => {
    const [longest = "", longer = ""] = SLOW;
    const jobs = [
      { file: "tests/unit/b_test.ts", version: "18" },
      { file: "tests/unit/a_test.ts", version: "18" },
      { file: longer, version: "18" },
      { file: longest, version: "15" },
    ] as const;
    assertEquals(longestFirst(jobs).map(({ file }) => file), [
      longest,
      longer,
      "tests/unit/b_test.ts",
      "tests/unit/a_test.ts",
    ]);
  });

  it("leave out the long ones in a quick run, and each of these exists", async () => {
    for (const path of SLOW) assertGreater((await findTestFiles([path])).length, 0);
    assertEquals(["tests/faults/experiments/kills_test.ts", "tests/unit/config_test.ts"].map(isQuick), [
      false,
      true,
    ]);
  });

  it("that mostly wait run beside the others, until either kind is used up; and each of these exists", async () => {
    for (const path of WAITING) assertGreater((await findTestFiles([path])).length, 0);
    const [waiting = ""] = await findTestFiles(WAITING.slice(0, 1));
    const queue = longestFirst([
      { file: "tests/unit/a_test.ts", version: "18" },
      { file: "tests/unit/b_test.ts", version: "18" },
      { file: waiting, version: "18" },
    ]);
    const taken = (["busy", "waiting", "waiting", "busy"] as const).map((kind) => takeJob(queue, kind)?.file);
    assertEquals(taken, ["tests/unit/a_test.ts", waiting, "tests/unit/b_test.ts", undefined]);
  });

  it("are told from the options of deno test", async () => {
    assertEquals(await partArguments(["--filter", "a token", folder]), {
      paths: [folder],
      options: ["--filter", "a token"],
    });
  });
});
