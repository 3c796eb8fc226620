/** The typed client as a package: packed and installed in Node and Deno, and its sources in Deno. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { getRun } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { createEndpoint } from "../../src/webhooks/endpoints.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "../http/test_service.ts";
import { newId } from "../support/assignments.ts";
import { driveToEnd } from "../support/backfills.ts";
import { type Consumer, installPackage, PACKAGE, PROGRAMS } from "./installed_package.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IN_NODE = { module: "node16", moduleResolution: "node16", lib: ["es2023"], types: ["node"] };
const IN_BROWSER = { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom"], types: [] };

/** What each program in `consumer` shows. */
const FACTS = {
  pages: "reads a list page by page, and no page further than the loop",
  streams: "reads a list row by row and as CSV, and throws where the stream breaks off",
  follow: "follows a run until it ends",
  events: "changes the policy, and follows the messages of it past a broken connection",
  retries: "repeats what is idempotent after Retry-After, and nothing else",
  abort: "ends with its signal: before the call, in it, between tries and in a stream",
  errors: "throws an ApiError with the code, the status and the problem",
};

describe("the package of the typed client", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  let consumer: Consumer;
  let compiled: Promise<void>;
  let args: string[];
  let host: string;
  let examples: string[];
  beforeAll(async () => {
    service = await testService();
    server = await serveOnSocket(inFrontOf(service));
    host = new URL(server.url).host;
    await createEndpoint(service.sql, { id: newId(), types: ["assignments.created"] }, "ops");
    await addMembers(service.sql, 25);
    args = [server.url, TOKENS.admin, DEFAULT_TRAINER_ID];
    consumer = await installPackage();
    for await (const { name } of Deno.readDir(PROGRAMS)) {
      await Deno.copyFile(join(PROGRAMS, name), join(consumer.folder, name));
    }
    examples = await writeExamples(consumer.folder, server.url);
    compiled = consumer.compile(IN_NODE, ["*.ts"]);
    await compiled.catch(() => {}); // for the test of the types to tell
  });
  afterAll(async () => {
    await consumer.remove();
    await server.stop();
    await service.stop();
  });

  it("holds the compiled modules, their types, the licence and the documentation, and needs no other", async () => {
    const expected = /^(LICENSE|README\.md|package\.json|dist\/\w+(\.d\.ts|\.js))$/;
    assertEquals(consumer.packed.filter((path) => !expected.test(path)), []);
    const modules = (await Array.fromAsync(Deno.readDir(join(PACKAGE, "src")))).map(({ name }) => name);
    assertEquals(consumer.packed.length, 3 + 2 * modules.length);
    const installed = await Array.fromAsync(Deno.readDir(join(consumer.folder, "node_modules")));
    assertEquals(
      installed.map(({ name }) => name).filter((name) => !/^\.package-lock\.json$|^@types$/.test(name)),
      ["trainer-assignment-client"],
    );
  });

  it("has the project's licence, and the version of the API", async () => {
    const read = (path: string) => Deno.readTextFile(join(ROOT, path));
    assertEquals(await read("packages/client/LICENSE"), await read("LICENSE"));
    const { version } = z.object({ version: z.string() }).parse(
      JSON.parse(await read("packages/client/package.json")),
    );
    const { info } = z.object({ info: z.object({ version: z.string() }) })
      .parse(await (await service.call("GET /openapi.json")).json());
    assertEquals(version, info.version);
  });

  it("has types that hold in Node, without those of browsers", async () => {
    await compiled;
  });

  it("has types that hold with a bundler and the types of browsers, without those of Node", async () => {
    await consumer.compile({ ...IN_BROWSER, noEmit: true }, ["types.ts"]);
  });

  for (const [program, fact] of Object.entries(FACTS)) {
    it(`${fact}, in Node`, async () => {
      await consumer.node(`${program}.js`, args);
    });

    it(`${fact}, installed for Deno`, async () => {
      await consumer.deno(`${program}.js`, args, host);
    });

    it(`${fact}, imported into Deno from its sources`, async () => {
      await consumer.denoOnSources(`${program}.ts`, args, host);
    });
  }

  it("does in Node what its documentation shows", async () => {
    assert(examples.length > 4);
    for (const example of examples) {
      const printed = await consumer.node(`${example}.js`, []);
      assert(printed !== "", `${example} printed nothing`);
    }
    const csv = await Deno.readTextFile(join(consumer.folder, "clients.csv"));
    assertEquals(csv.trim().split("\r\n").length, 26);
  });
});

/** Writes each program of the documentation into a file, for the service of the test. Returns their names. */
async function writeExamples(folder: string, url: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(PACKAGE, "README.md"));
  const shown = [...text.matchAll(/```ts\n([^]+?)```/g)].map(([, program = ""]) => program);
  return await Promise.all(shown.map(async (program, index) => {
    const filledIn = program.replace("https://trainers.example", `${url}/driven`).replace(
      "ta_…",
      TOKENS.admin,
    );
    await Deno.writeTextFile(join(folder, `example_${index}.ts`), filledIn);
    return `example_${index}`;
  }));
}

/**
 * What lies between the client and the service, by the path's beginning: `unavailable/ID` refuses the first request
 * of each ID, `silent` never answers, `html` and `broken` answer themselves, `driven` drives what is started.
 */
function inFrontOf({ app, sql }: TestService): { fetch: Deno.ServeHandler } {
  const seen = new Set<string>();
  return {
    async fetch(request, info) {
      const url = new URL(request.url);
      const [, way, , id, path] =
        /^\/(unavailable|silent|html|broken|driven)(\/([\w-]{36}))?(\/.*)$/.exec(url.pathname) ??
          [];
      if (way === "silent") return await never(request.signal);
      if (way === "html") return new Response("<html>", { headers: { "Content-Type": "text/html" } });
      if (way === "broken") {
        const headers = { "Content-Type": "application/x-ndjson" };
        return new Response('{"clientId":"a"}\n{"clie', { headers });
      }
      if (id !== undefined && !seen.has(id)) {
        seen.add(id);
        return new Response("<html>", { status: 503, headers: { "Retry-After": "1" } });
      }
      if (path === undefined) return await app.fetch(request, info);
      const response = await app.fetch(new Request(new URL(path + url.search, url), request), info);
      if (way === "driven" && response.status === 202) {
        const { id } = z.looseObject({ id: z.string() }).parse(await response.clone().json());
        driveToEnd(sql, await getRun(sql, id)).catch((error) => console.error(error));
      }
      return response;
    },
  };
}

function never(gone: AbortSignal): Promise<Response> {
  return new Promise((resolve) => gone.addEventListener("abort", () => resolve(new Response())));
}
