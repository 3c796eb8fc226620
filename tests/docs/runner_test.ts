/** The runner of the documentation's commands notices what it is there for. */
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { serverUrl } from "../support/databases.ts";
import { readBlocks } from "./blocks.ts";
import type { Setup } from "./pages.ts";
import { fillIn, runBlocks } from "./shell.ts";

const sh = (text: string) => `\`\`\`sh\n${text}\n\`\`\`\n`;

describe("the runner of documented commands", () => {
  let folder: string;
  beforeAll(async () => {
    folder = join(await Deno.makeTempDir({ prefix: "trainer-assignment-docs-" }), "project");
    await Deno.mkdir(folder);
  });
  afterAll(() => Deno.remove(join(folder, ".."), { recursive: true }));

  const run = (markdown: string, setup: Setup = {}) =>
    runBlocks({
      project: { folder },
      blocks: readBlocks("page.md", markdown),
      setup,
      serverUrl: serverUrl(),
    });

  it("keeps variables and functions from one block to the next", async () => {
    await run(`${sh("NAME=value")}\n${sh('test "$NAME" = value')}`);
  });

  it("fails for a command that fails, and says where and with which output", async () => {
    const { message } = await assertRejects(
      () => run(`# Page\n\n${sh("true")}\n${sh("echo printed\nls /nowhere\ntrue")}`),
      Error,
    );
    assertStringIncludes(message, "page.md:7 fails");
    assertStringIncludes(message, "printed");
    assertStringIncludes(message, "/nowhere");
  });

  it("fails for an error within a pipe, and for a variable that nobody has set", async () => {
    for (const text of ["ls /nowhere | cat", 'echo "$TOKEN"']) {
      await assertRejects(() => run(sh(text)), Error);
    }
  });

  it("fails for an answer that is an error, though curl is silent", async () => {
    const server = Deno.serve(
      { port: 0, onListen() {} },
      () => new Response("no such path", { status: 404 }),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    const { message } = await assertRejects(() => run(sh(`curl -s ${url}`)), Error);
    assertStringIncludes(message, "no such path");
    await server.shutdown();
  });

  it("fails for a statement that fails, and drops the page's database", async () => {
    const setup = { arrange: 'use_database template0; echo "$DATABASE_URL" >url' };
    const { message } = await assertRejects(
      () => run("```sql\nselect 1;\nselect nothing;\n```\n", setup),
      Error,
    );
    assertStringIncludes(message, 'column "nothing" does not exist');
    const url = (await Deno.readTextFile(join(folder, "url"))).trim();
    const gone = await assertRejects(() => run(sh(`psql "${url}" -c "select 1"`)), Error);
    assertStringIncludes(gone.message, "does not exist");
  });

  it("fills in what is given, and refuses what is left to fill in", () => {
    const [given, left, path] = readBlocks(
      "page.md",
      ["cat FILE  # …", "echo ta_…", "curl /v1/backfills/{id}"]
        .map(sh).join("\n"),
    );
    assertEquals(given && fillIn(given, { fill: { FILE: "ids.txt" } }), "cat ids.txt  # …");
    for (const block of [left, path]) {
      assertThrows(() => block && fillIn(block, {}), Error, "nothing is given for");
    }
  });

  it("reads from a page who keeps a block true", () => {
    const page = [
      "<!-- ts run by: tests/a_test.ts -->",
      "```ts\nlet a;\n```",
      "<!-- not run: needs a container engine -->\n\n```sh\ndocker build .\n```",
      "<!-- not run -->\n\n```sh\nls\n```",
      "- indented:\n\n  ```sh\n  ls\n  ```",
      "```yaml\na: 1\n```",
      "```mermaid\nflowchart LR\n```",
      "```\nprinted: run deno task migrate\n```",
      "```\ndeno task migrate\n```",
    ].join("\n\n");
    assertEquals(readBlocks("page.md", page).map(({ line, kept, text }) => ({ line, kept, text })), [
      { line: 3, text: "let a;", kept: { by: "test", file: "tests/a_test.ts" } },
      { line: 9, text: "docker build .", kept: { by: "nobody", reason: "needs a container engine" } },
      { line: 15, text: "ls", kept: { by: "nobody", reason: "" } },
      { line: 21, text: "ls", kept: { by: "runner" } },
      { line: 25, text: "a: 1", kept: { by: "unmarked" } },
      { line: 37, text: "deno task migrate", kept: { by: "unmarked" } },
    ]);
  });
});
