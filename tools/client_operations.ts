/**
 * What `deno task client` runs: writes packages/client/src/operations.ts, what the typed client knows of the API, from the
 * OpenAPI document. A test holds the file against the document.
 */
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import { z } from "zod";
import { openDatabase } from "../src/database/connection.ts";
import { createApp } from "../src/service.ts";
import { recordingLogger } from "../tests/support/logs.ts";

export const OPERATIONS_FILE = fileURLToPath(
  new URL("../packages/client/src/operations.ts", import.meta.url),
);

const HEAD = `// Made by \`deno task client\` from the OpenAPI document; not to be edited.
// deno-fmt-ignore-file
// deno-lint-ignore-file

`;

const schema = z.looseObject({});
const content = z.record(z.string(), z.looseObject({ schema, examples: schema.optional() }));
const operationSchema = z.looseObject({
  operationId: z.string(),
  parameters: z.array(
    z.looseObject({ name: z.string(), in: z.string(), schema, required: z.boolean().optional() }),
  ).default(
    [],
  ),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: content.default({}) })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({
    schemas: z.record(z.string(), z.looseObject({ properties: z.record(z.string(), schema).optional() })),
  }),
});
const arraySchema = z.looseObject({ type: z.literal("array"), items: schema });

type Operation = z.infer<typeof operationSchema>;
type Schemas = z.infer<typeof documentSchema>["components"]["schemas"];

/**
 * Makes the file: each operation's route, and, by openapi-typescript, the types of the document's schemas and of what each
 * operation takes and answers. Path, query and body become one input: no operation has a name twice among them.
 */
export async function clientOperations(document: unknown): Promise<string> {
  const { paths, components: { schemas } } = documentSchema.parse(withoutNoise(document));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation }))
  ).filter(({ operation }) => isForClients(operation));
  const routes = operations.map(({ method, path, operation }) =>
    `  ${operation.operationId}: ${JSON.stringify(describeRoute(method, path, operation))},\n`
  );
  const types = await generateTypes({
    ...schemas,
    ProblemCode: { type: "string", enum: problemCodes(operations.map(({ operation }) => operation)) },
    Operations: object(
      operations.map(({ operation }) => [operation.operationId, describeTypes(operation, schemas)]),
    ),
  });
  return `${HEAD}export const ROUTES = {\n${routes.join("")}} as const;\n\n${types}`;
}

/** What is called with a signature is for identity providers, which have senders of their own. */
export function isForClients({ security }: Pick<Operation, "security">): boolean {
  return security.every((scheme) => !("signature" in scheme));
}

/** Examples and formats are nothing that a type could say. */
function withoutNoise(document: unknown): unknown {
  return JSON.parse(
    JSON.stringify(document, (key, value) => ["example", "format"].includes(key) ? undefined : value),
  );
}

async function generateTypes(schemas: Record<string, object>): Promise<string> {
  const document = { openapi: "3.1.0", info: { title: "", version: "" }, paths: {}, components: { schemas } };
  const syntax = await openapiTS(Buffer.from(JSON.stringify(document)), {
    defaultNonNullable: false,
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  const unused =
    /^export (?:interface paths|interface operations|type webhooks|type \$defs|type operations|type paths).*\n|^ {4}\w+: never;\n/gm;
  return astToString(syntax).replaceAll(unused, "");
}

function describeRoute(method: string, path: string, { parameters, requestBody, responses }: Operation) {
  const answers = Object.entries(responses).filter(isAnswer);
  const headers = parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name);
  const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const types = answers.flatMap(([, response]) => Object.keys(response.content));
  return {
    method: method.toUpperCase(),
    path,
    type: types[0] ?? "application/json",
    answers: answers.map(([status]) => Number(status)),
    hasBody: requestBody !== undefined,
    ...(requestBody !== undefined && query.length > 0 ? { query } : {}),
    ...(headers.length > 0
      ? { headers: Object.fromEntries(headers.map((name) => [toInputName(name), name])) }
      : {}),
  };
}

function describeTypes({ parameters, requestBody, responses }: Operation, schemas: Schemas) {
  const given = object(
    parameters.map(({ name, schema }) => [toInputName(name), schema]),
    parameters.filter(({ required }) => required).map(({ name }) => toInputName(name)),
  );
  const body = requestBody?.content["application/json"]?.schema;
  const answers = Object.entries(responses).filter(isAnswer).map(([, { content }]) =>
    JSON.stringify(
      content["application/json"]?.schema ?? { type: Object.keys(content).length > 0 ? "string" : "null" },
    )
  );
  const rows = Object.values(responses).flatMap(({ content }) => findRow(content, schemas));
  return object([
    ["input", body === undefined ? given : parameters.length === 0 ? body : { allOf: [given, body] }],
    ["answer", { anyOf: [...new Set(answers)].map((answer) => JSON.parse(answer)) }],
    ...rows.map((row): [string, object] => ["row", row]),
  ]);
}

/** The name in the client's input: `ifMatch` of the header `If-Match`; other names as they are. */
export function toInputName(name: string): string {
  return name.includes("-")
    ? name.toLowerCase().replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase())
    : name;
}

/** All that is not told as problem details: `/readyz` answers 503 as well. Not 304, which the client never asks for. */
function isAnswer([status, { content }]: [status: string, Operation["responses"][string]]): boolean {
  return status !== "304" && !("application/problem+json" in content);
}

/** What a line of a download holds: what a page has a list of. */
function findRow(content: Operation["responses"][string]["content"], schemas: Schemas): object[] {
  if (!("application/x-ndjson" in content)) return [];
  const page = String(content["application/json"]?.schema.$ref).split("/").at(-1) ?? "";
  const lists = Object.values(schemas[page]?.properties ?? {}).map((property) =>
    arraySchema.safeParse(property).data
  );
  return lists.flatMap((list) => list === undefined ? [] : [list.items]);
}

function problemCodes(operations: Operation[]): string[] {
  const codes = operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap(({ content }) =>
      Object.keys(content["application/problem+json"]?.examples ?? {})
    )
  );
  return [...new Set(codes)].sort();
}

function object(properties: [name: string, schema: object][], required = properties.map(([name]) => name)) {
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
}

/** The document of the application as it is; no database is asked for it. */
export async function ownDocument(): Promise<unknown> {
  const sql = openDatabase("postgres://nobody@localhost/none", { max: 1, applicationName: "none" });
  const app = createApp({
    sql,
    tokens: [],
    log: recordingLogger().log,
    shutdown: new AbortController().signal,
  });
  return await (await app.router.request("/openapi.json", {}, {})).json();
}

if (import.meta.main) await Deno.writeTextFile(OPERATIONS_FILE, await clientOperations(await ownDocument()));
