import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { createAuthority, type TestAuthority } from "../support/certificates.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";
import { waitUntil } from "../support/wait_until.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const ROLE = "trainer_service";
const UNAVAILABLE = [503, "database_unavailable", "5"];

/** On a server of its own and past any pooler: how PostgreSQL itself refuses a service that runs is what is tested. */
describe("while the database refuses the service", () => {
  let folder: string;
  let [good, other]: TestAuthority[] = [];
  let server: TestServer;
  let sql: Sql;
  let pool: Sql;
  let service: TestService;
  let member: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-" });
    [good, other] = [await createAuthority(folder, "good"), await createAuthority(folder, "other")];
    server = await startTestServer();
    await migrateUp(server.url);
    sql = openDatabase(server.url, { max: 1, applicationName: "test" });
    await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    [member = ""] = await addMembers(sql, 1);
    await sql.unsafe(`create role ${ROLE} login password 'first'`);
    await sql`select assignment.grant_service(${ROLE})`;
    await showCertificateOf(good);
    const url = Object.assign(new URL(server.url), {
      hostname: "localhost",
      username: ROLE,
      password: "first",
    });
    url.search = new URLSearchParams({ sslmode: "verify-full", sslrootcert: good?.caFile ?? "" }).toString();
    pool = openDatabase(url.href, { max: 3, applicationName: "test service" });
    service = await testService({ sql: pool });
    assertEquals((await check()).slice(0, 1), [200]);
  });
  afterAll(async () => {
    await closeDatabase(pool, 1);
    await closeDatabase(sql, 1);
    await service.stop();
    await server.remove();
    await Deno.remove(folder, { recursive: true });
  });

  function verifying(authority: TestAuthority | undefined): string {
    const url = Object.assign(new URL(server.url), { hostname: "localhost" });
    url.search = new URLSearchParams({ sslmode: "verify-full", sslrootcert: authority?.caFile ?? "" })
      .toString();
    return url.href;
  }

  /** Without a restart of the server. */
  async function showCertificateOf(authority: TestAuthority | undefined): Promise<void> {
    const { uid, gid } = await Deno.stat(server.folder);
    const { certificate = "", key = "" } = await authority?.issue("DNS:localhost") ?? {};
    for (const [name, text] of [["server.crt", certificate], ["server.key", key]] as const) {
      await Deno.writeTextFile(join(server.folder, name), text, { mode: 0o600 });
      await Deno.chown(join(server.folder, name), uid, gid);
    }
    await sql`alter system set ssl = on`;
    await sql`select pg_reload_conf()`;
    await waitUntil("the server shows it", async () => {
      const visitor = openDatabase(verifying(authority), { max: 1, applicationName: "test" });
      const isShown = await visitor`select`.then(() => true, () => false);
      await closeDatabase(visitor, 1);
      return isShown;
    });
  }

  async function answer(request: string, json?: unknown): Promise<unknown[]> {
    const response = await service.call(request, { json, headers: { "If-Match": "*" } });
    return [response.status, (await response.json()).code, response.headers.get("Retry-After")];
  }
  const check = () => answer(`GET /v1/members/${member}/assignment`);
  const assign = () => answer(`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${member}`);

  const isWell = () => waitUntil("checks are answered", async () => (await check())[0] === 200);

  /** Cuts the service's connections, so that it has to sign in again. */
  async function cutOff(): Promise<void> {
    await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = ${ROLE}`;
  }

  const refusals: Record<string, [refuse: string, allow: string]> = {
    "its password is another": [
      `alter role ${ROLE} password 'second'`,
      `alter role ${ROLE} password 'first'`,
    ],
    "its role may not sign in": [`alter role ${ROLE} nologin`, `alter role ${ROLE} login`],
    "its role has no connection left": [
      `alter role ${ROLE} connection limit 0`,
      `alter role ${ROLE} connection limit -1`,
    ],
    "its role may not connect to the database": [
      "revoke connect on database postgres from public",
      "grant connect on database postgres to public",
    ],
  };
  for (const [reason, [refuse, allow]] of Object.entries(refusals)) {
    it(`because ${reason}, callers are told that it is away, and it works again by itself`, async () => {
      await sql.unsafe(refuse);
      await cutOff();
      assertEquals([await check(), await assign()], [UNAVAILABLE, UNAVAILABLE]);
      const health = await service.call("GET /readyz");
      assertEquals([health.status, (await health.json()).status], [503, "unavailable"]);
      await sql.unsafe(allow);
      await isWell();
    });
  }

  it("for its role lost the use of our schema, every route says so, and all is well again by itself", async () => {
    await sql.unsafe(`revoke usage on schema assignment from ${ROLE}`);
    await cutOff(); // what a session has prepared before goes on
    const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
    for (
      const request of [
        `GET /v1/members/${member}/assignment`,
        `PUT ${path}/${member}`,
        `DELETE ${path}/${member}`,
        "POST /v1/backfills",
        "GET /v1/backfills",
        `GET /v1/backfills/${member}`,
        `GET /v1/backfills/${member}/events`,
        `GET /v1/backfills/${member}/errors`,
        `POST /v1/backfills/${member}/pause`,
        `POST /v1/backfills/${member}/retry`,
        "GET /v1/failures",
        "POST /v1/failures/retry",
        "GET /v1/policy",
      ]
    ) {
      assertEquals(await answer(request), UNAVAILABLE, request);
    }
    for (
      const [request, json] of [
        ["POST /v1/assignments/check", { memberIds: [member] }],
        ["PUT /v1/policy", { defaultTrainerId: member }],
      ] as const
    ) {
      assertEquals(await answer(request, json), UNAVAILABLE, request);
    }
    const health = await service.call("GET /readyz");
    const { status, checks } = await health.json();
    assertEquals([health.status, status], [503, "unavailable"]);
    assertEquals(checks.database.detail, "the database refuses, SQLSTATE 42501");
    await sql.unsafe(`grant usage on schema assignment to ${ROLE}`);
    await isWell();
  });

  it("for something of ours is gone from it, callers hear that it is away", async () => {
    await sql`alter table public.trainer_client_assignments rename to elsewhere`;
    assertEquals([await check(), await answer("GET /v1/policy")].map(([status]) => status), [503, 200]);
    await sql`alter table public.elsewhere rename to trainer_client_assignments`;
    await isWell();
  });

  it("for its certificate is of another authority, callers hear that it is away", async () => {
    await showCertificateOf(other);
    await cutOff();
    assertEquals([await check(), await assign()], [UNAVAILABLE, UNAVAILABLE]);
    await showCertificateOf(good);
    await isWell();
  });

  it("for it takes no changes, those alone are refused", async () => {
    await sql`alter database postgres set default_transaction_read_only = on`;
    await cutOff();
    await isWell();
    assertEquals([await assign(), (await check())[0]], [UNAVAILABLE, 200]);
    await sql.unsafe(
      "set transaction_read_only = off; alter database postgres reset default_transaction_read_only",
    );
    await cutOff();
    await waitUntil("changes are taken", async () => (await assign())[0] === 200);
  });

  it("for it is out of disk or memory, or its files fail it, the change alone is refused", async () => {
    const [client = ""] = await addMembers(sql, 1);
    await sql`delete from public.trainer_client_assignments where client_id = ${client}`;
    for (const sqlstate of ["53100", "53200", "58030"]) {
      await refuseAssignments(sql, "true", sqlstate);
      assertEquals(
        await answer(`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${client}`),
        UNAVAILABLE,
        sqlstate,
      );
      assertEquals((await check())[0], 200);
      await acceptAssignments(sql);
    }
  });
});
