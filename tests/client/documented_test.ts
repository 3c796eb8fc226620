/** What README.md and docs/clients.md show of clients, done as it stands there. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "../http/test_service.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("a client, as documented", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  let folder: string;
  let command: string;
  let program: string;
  beforeAll(async () => {
    service = await testService();
    server = await serveOnSocket(service.app);
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-client-" });
    const section =
      (await Deno.readTextFile(join(ROOT, "docs/clients.md"))).split("## From the OpenAPI document")[1];
    command = /```sh\n(.+)\n```/.exec(section ?? "")?.[1] ?? "";
    program = /```ts\n([^]+?)```/.exec(section ?? "")?.[1] ?? "";
  });
  afterAll(async () => {
    await Deno.remove(folder, { recursive: true });
    await server.stop();
    await service.stop();
  });

  /** Runs what the documentation shows, on the test's service instead of the one that it names; the packages are ours. */
  async function run(words: string[]): Promise<string> {
    const [name, ...args] = words.map((word) => word.replace("http://localhost:8000", server.url));
    assertEquals(name, "deno");
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  }

  it("is generated from the OpenAPI document, has types that hold, and gets an answer", async () => {
    const words = command.split(" ");
    const output = words.pop() ?? "";
    await run([...words, join(folder, output)]);

    const [memberId = ""] = await addMembers(service.sql, 1);
    const filledIn = program.replace("http://localhost:8000", server.url).replace("ta_…", TOKENS.service)
      .replace("0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a", memberId);
    const checks = `
      // @ts-expect-error no answer has such a field
      data?.assignd;
      // @ts-expect-error there is no such path
      await trainers.GET("/v1/nothing").catch(() => {});
      await trainers.POST("/v1/backfills", { body: {} });
    `;
    await Deno.writeTextFile(join(folder, "program.ts"), filledIn + checks);
    assertEquals(
      await run([
        "deno",
        "run",
        "-qA",
        "--check",
        `--config=${join(ROOT, "deno.json")}`,
        join(folder, "program.ts"),
      ]),
      "true\n",
    );
  });

  it("is the package that the programs shown import: they fit its types", async () => {
    const files: string[] = [];
    for (const document of ["README.md", "docs/clients.md"]) {
      const text = await Deno.readTextFile(join(ROOT, document));
      const shown = [...text.matchAll(/```ts\n([^]+?)```/g)].map(([, program = ""]) => program)
        .find((program) => program.includes('"trainer-assignment-client"'));
      assert(shown !== undefined, document);
      const file = join(folder, `${files.length}.ts`);
      const given = "declare const memberId: string, trainerId: string; export { memberId, trainerId };\n";
      await Deno.writeTextFile(file, given + shown);
      files.push(file);
    }
    await run(["deno", "check", "-q", `--config=${join(ROOT, "deno.json")}`, ...files]);
  });

  it("is src/trainer_assignment.ts on the database: the programs shown fit its types, and run", async () => {
    const [memberId, trainerId] = await addMembers(service.sql, 2);
    const programs = await Promise.all(["README.md", "docs/clients.md"].map(async (document) => {
      const text = await Deno.readTextFile(join(ROOT, document));
      return [...text.matchAll(/```ts\n([^]+?)```/g)].map(([, program = ""]) => program)
        .find((program) => program.includes('"./src/trainer_assignment.ts"')) ?? "";
    }));
    const [first = "", rest = ""] = programs.map((program) => program.replaceAll('"./src/', `"${ROOT}src/`));
    const [opened = "", closed = ""] = first.replace("postgres://…", service.database.url)
      .split(/(?=await closeDatabase)/);
    const given = `const [memberId, trainerId] = ["${memberId}", "${trainerId}"];
      const fromTrainerId = "${DEFAULT_TRAINER_ID}";`;
    const file = join(folder, "library.ts");
    await Deno.writeTextFile(
      file,
      [given, opened, rest, "console.log(result.failed, isAssigned);", closed].join("\n"),
    );
    const config = `--config=${join(ROOT, "deno.json")}`;
    const printed = await run(["deno", "run", "-qA", "--check", config, file]);
    assertEquals(printed.split("\n").at(-2), "0 true", printed);
  });
});
