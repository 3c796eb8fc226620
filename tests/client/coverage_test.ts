import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { ApiError, createClient } from "trainer-assignment-client";
import { serveOnSocket, testService, TOKENS } from "../http/test_service.ts";
import {
  clientOperations,
  isForClients,
  OPERATIONS_FILE,
  ownDocument,
  toInputName,
} from "../../tools/client_operations.ts";

const Media = z.looseObject({ example: z.record(z.string(), z.unknown()).optional() });
const Operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.looseObject({
    name: z.string(),
    in: z.string(),
    required: z.boolean().default(false),
    schema: z.looseObject({ example: z.unknown().optional() }),
  })).default([]),
  requestBody: z.looseObject({ content: z.record(z.string(), Media) }).optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});
const Document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

/** Whatever a method of the client gives: an answer by and by, or a stream. */
async function awaitAnswer(given: unknown): Promise<void> {
  if (typeof given !== "object" || given === null || !(Symbol.asyncIterator in given)) {
    return void await given;
  }
  await Array.fromAsync(z.custom<AsyncIterable<unknown>>().parse(given));
}

describe("what the client knows of the API", () => {
  it("is what the OpenAPI document says: else run `deno task client`", async () => {
    assertEquals(await Deno.readTextFile(OPERATIONS_FILE), await clientOperations(await ownDocument()));
  });

  it("reaches every operation of the document over HTTP, but those with a signature", async () => {
    const service = await testService();
    const server = await serveOnSocket(service.app);
    const asked: string[] = [];
    const client = createClient({
      baseUrl: server.url,
      token: TOKENS.admin,
      maxTries: 1,
      fetch(input, init) {
        asked.push(`${init?.method} ${new URL(String(input)).pathname}`);
        return fetch(input, init);
      },
    });
    const { paths } = Document.parse(await client.getOpenApi());
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { operationId, parameters, requestBody, security }] of Object.entries(operations)) {
        if (!isForClients({ security })) continue;
        const inPath = parameters.filter((parameter) => parameter.in === "path")
          .map(({ name, schema }) => [name, String(schema.example)] as const);
        const headers = parameters.filter((parameter) => parameter.in === "header")
          .map(({ name, schema }) => [toInputName(name), schema.example]);
        const inQuery = parameters.filter((parameter) => parameter.in === "query" && parameter.required)
          .map(({ name, schema }) => [name, schema.example]);
        const input = {
          ...Object.fromEntries([...inPath, ...headers, ...inQuery]),
          ...requestBody?.content["application/json"]?.example,
        };
        const call: unknown = Reflect.get(client, operationId);
        assert(typeof call === "function", `the client has no ${operationId}: run \`deno task client\``);
        try {
          await awaitAnswer(call(input));
        } catch (error) {
          // Of the members, runs and columns of the examples there are none; that much only the operation itself can tell.
          assert(error instanceof ApiError, `${operationId}: ${error}`);
          const expected = [
            ...["member_not_found", "trainer_not_found", "assignment_not_found", "run_not_found"],
            ...["policy_invalid", "policy_version_not_found", "webhook_not_found"],
          ];
          assert(expected.includes(error.code), `${operationId}: ${error.code}`);
        }
        const filled = inPath.reduce((filled, [name, value]) => filled.replace(`{${name}}`, value), path);
        assertEquals(asked.at(-1), `${method.toUpperCase()} ${filled}`, operationId);
      }
    }
    await server.stop();
    await service.stop();
  });
});
