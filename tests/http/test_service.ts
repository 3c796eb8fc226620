import { assertEquals } from "@std/assert";
import { hash } from "node:crypto";
import { type App, createApp } from "../../src/service.ts";
import type { Services } from "../../src/http/services.ts";
import type { Sql } from "../../src/database/sql.ts";
import { Contract } from "./contract.ts";
import { recordingLogger } from "../support/logs.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

export const TOKENS = {
  admin: "admin-token-of-the-test",
  viewer: "viewer-token-of-the-test",
  service: "service-token-of-the-test",
} as const;

/** The application over a database of its own, and ways to call it as somebody. */
export interface TestService {
  app: App & {
    /** Sends it a request without a socket. */
    request(path: string, init?: RequestInit): Promise<Response>;
  };
  /** The database as its superuser, for what a test arranges and looks at. */
  sql: Sql;
  database: TestDatabase;
  /** What was logged, in order. */
  logged: Record<string, unknown>[];
  /** Every answer is held against the OpenAPI document. Calls as an admin unless `as` says otherwise; an object as `json` is sent as a JSON body. */
  call(request: string, options?: CallOptions): Promise<Response>;
  stop(): Promise<void>;
}

export interface CallOptions {
  as?: keyof typeof TOKENS | "nobody";
  json?: unknown;
  headers?: Record<string, string>;
}

/**
 * Makes the application as `start` does, over a migrated database whose only member is the default trainer. It works as
 * the service's role, so that every HTTP test shows that its rights are enough.
 * @param own a database that it shall take, and drops, instead
 */
export async function testService(
  overrides: Partial<Services> = {},
  own?: TestDatabase,
): Promise<TestService> {
  const database = own ?? await testDatabase();
  const { log, logged } = recordingLogger();
  const shutdown = new AbortController();
  const created = createApp({
    sql: overrides.sql ?? await database.newServicePool(),
    tokens: testTokens(),
    log,
    shutdown: shutdown.signal,
    ...overrides,
  });
  const app = {
    ...created,
    async request(path: string, init?: RequestInit) {
      return await created.fetch(new Request(new URL(path, "http://localhost"), init));
    },
  };
  let contract: Contract | undefined;
  return {
    app,
    sql: database.sql,
    database,
    logged,
    async call(request, options) {
      const [method = "GET", path = "/"] = request.split(" ");
      const response = await app.request(path, requestInit(method, options));
      contract ??= new Contract(await (await app.request("/openapi.json")).json());
      assertEquals(await contract.deviation(method, path, response), undefined);
      return response;
    },
    async stop() {
      shutdown.abort();
      await database.drop();
    },
  };
}

/** What {@link TestService.call} sends, for those who fetch over a socket. */
export function requestInit(method: string, { as = "admin", json, headers }: CallOptions = {}): RequestInit {
  return {
    method,
    headers: {
      ...(as === "nobody" ? {} : { Authorization: `Bearer ${TOKENS[as]}` }),
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  };
}

export function testTokens(): Services["tokens"] {
  return [
    { name: "ops", role: "admin", sha256: hash("sha256", TOKENS.admin, "buffer") },
    { name: "board", role: "viewer", sha256: hash("sha256", TOKENS.viewer, "buffer") },
    { name: "crm", role: "service", sha256: hash("sha256", TOKENS.service, "buffer") },
  ];
}

/** Adds members; the trigger assigns each to the default trainer. Their ids, sorted as the database sorts. */
export async function addMembers(sql: Sql, count: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with added as (insert into public.members (id) select gen_random_uuid() from generate_series(1, ${count}) returning id)
    select id from added order by id
  `;
  return rows.map((row) => row.id);
}

/** Serves an application on a free port of this machine; `stop` cuts what is still open. */
export async function serveOnSocket(
  app: { fetch: Deno.ServeHandler },
): Promise<{ url: string; stop(): Promise<void> }> {
  const closing = new AbortController();
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  const server = Deno.serve({
    port: 0,
    hostname: "127.0.0.1",
    signal: closing.signal,
    onListen: ({ port }) => resolve(port),
  }, (request, info) => app.fetch(request, info));
  const url = `http://127.0.0.1:${await listening}`;
  return {
    url,
    async stop() {
      closing.abort();
      await server.finished;
    },
  };
}

export { recordingLogger };
