/** What docs/support.md and SECURITY.md say, held against what the tests and CI use. */
import { assert, assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => Deno.readTextFile(ROOT + path);
const configSchema = z.object({ imports: z.record(z.string(), z.string()) });

/** The pinned versions of a deno.json, by package: `zod` is `4.6.7`. */
async function versionsOf(path: string): Promise<Record<string, string>> {
  const { imports } = configSchema.parse(JSON.parse(await read(path)));
  return Object.fromEntries(
    Object.values(imports).flatMap((target) => {
      const [, name, version] = /^npm:(@?[^@/]+(?:\/[^@/]+)?)@([^/]+)$/.exec(target) ?? [];
      return name === undefined || version === undefined ? [] : [[name, version] as const];
    }),
  );
}

describe("what is supported", () => {
  /** What is tested, by its first cell. */
  let rows: Record<string, string>;
  beforeAll(async () => {
    const cells = (await read("docs/support.md")).split("\n").filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").map((cell) => cell.trim()));
    rows = Object.fromEntries(cells.map(([, what = "", tested = ""]) => [what, tested]));
  });
  const assertSays = (what: string, ...texts: string[]) => {
    for (const text of texts) assert(rows[what]?.includes(text), `${what}: ${rows[what]}, not ${text}`);
  };

  it("are the versions of PostgreSQL that CI runs, and those that the tests can start", async () => {
    const [, inCi = ""] = /^versions=(.+)$/m.exec(await read(".ci/run")) ?? [];
    const others = [...Deno.readDirSync(`${ROOT}tests/support/servers`)].map(({ name }) => name).toSorted();
    assertSays(
      "PostgreSQL",
      `${inCi.split(",").join(", ")} in each run of CI`,
      `${others.join(", ")} on demand`,
    );
    const all = [...inCi.split(","), ...others].toSorted();
    const readme = await read("README.md");
    assert(readme.includes(`PostgreSQL ${all.slice(0, -1).join(", ")} or ${all.at(-1)}`));
  });

  it("is the Deno that CI, the image and the README name", async () => {
    const pinned = [
      /deno@(\S+)/.exec(await read(".ci/run"))?.[1],
      /^FROM denoland\/deno:(\S+)$/m.exec(await read("Dockerfile"))?.[1],
      /tested with (\d+\.\d+\.\d+)/.exec(await read("README.md"))?.[1],
    ];
    assertEquals(new Set(pinned), new Set([rows["Deno"]]));
  });

  it("are the versions of what stands in for browsers, providers and ORMs", async () => {
    const chromium = (await versionsOf("tests/browser/chromium/deno.json"))["@sparticuz/chromium"] ?? "?";
    assertSays("Browser", `Chromium ${chromium.split(".")[0]}`);
    const own = await versionsOf("deno.json");
    assertSays("Sign-in", `oidc-provider ${own["oidc-provider"]}`);
    assertSays("Events in", `svix ${own["svix"]}`, `standardwebhooks ${own["standardwebhooks"]}`);
    const { dependencies: orms } = z.object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await read("tests/support/orms/package.json")));
    assertSays("ORM", `drizzle-kit ${orms["drizzle-kit"]}`, `TypeORM ${orms["typeorm"]}`);
  });

  it("is the Citus that docs/citus.md was run with", async () => {
    const [, version] = /^Run with Citus (\S+ on PostgreSQL \d+)/m.exec(await read("docs/citus.md")) ?? [];
    assertSays("Citus", version ?? "a version");
  });

  it("is shown by tests that exist, as is what is guarded", async () => {
    for (const file of ["docs/support.md", "SECURITY.md"]) {
      const paths = [...(await read(file)).matchAll(/`(tests\/[^`]+)`/g)].map(([, path = ""]) => path);
      assert(paths.length > 10, file);
      for (const path of paths) assert(await Deno.stat(ROOT + path).then(() => true, () => false), path);
    }
  });
});
