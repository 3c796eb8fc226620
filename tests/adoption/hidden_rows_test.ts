import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestService, testService } from "../http/test_service.ts";
import { newId } from "../support/assignments.ts";
import { withoutTrigger } from "../support/members.ts";
import { type OwnedDatabase, ownedDatabase } from "../support/owned_database.ts";
import { waitUntil } from "../support/wait_until.ts";

const SEEN = "the service sees every row, and nobody else may write them";

let database: OwnedDatabase;
let service: TestService;
let member: string;

async function begin(): Promise<void> {
  database = await ownedDatabase({ withService: true });
  service = await testService({ sql: database.newService() });
  member = newId();
  await database.owner`insert into public.members (id) values (${member})`;
}

async function end(): Promise<void> {
  await service.stop();
  await database.drop();
}

async function ask(request: string, options = {}): Promise<{ status: number; body: string }> {
  const response = await service.call(request, { headers: { "If-Match": "*" }, ...options });
  return { status: response.status, body: await response.text() };
}

const check = () => ask(`GET /v1/members/${member}/assignment`);

async function ready(): Promise<{ status: string; checks: Record<string, { detail: string }> }> {
  return JSON.parse((await ask("GET /readyz")).body);
}

/** The answers that are made of our tables, without what differs from call to call. */
async function answers(): Promise<unknown[]> {
  const requests = [
    `GET /v1/members/${member}/assignment`,
    `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`,
    "GET /v1/failures",
    "GET /v1/backfills",
    "GET /v1/policy",
    "GET /readyz",
  ];
  const lists = [];
  for (const request of requests) lists.push(await ask(request));
  const csv = await ask(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`, {
    headers: { Accept: "text/csv" },
  });
  const json = { memberIds: [member] };
  return [...lists, csv, await ask("POST /v1/assignments/check", { json })];
}

async function switchOn(how: string, sql = database.owner): Promise<void> {
  const tables = await sql<
    { name: string }[]
  >`select own::text as name from assignment.own_tables() as own`;
  assertEquals(tables.length > 10, true);
  for (const { name } of tables) await sql.unsafe(`alter table ${name} ${how}`);
}

describe("row-level security that somebody switches on for our tables", () => {
  beforeEach(begin);
  afterEach(end);

  for (
    const [name, how] of [
      ["enabled", "enable row level security"],
      ["forced on the owner too", "enable row level security, force row level security"],
    ] as const
  ) {
    it(`${name}, changes no answer and prevents no work`, async () => {
      await database.owner`
        insert into assignment.failures (member_id, sqlstate, message, source, next_attempt_at)
        values (${newId()}, '55P03', 'locked', 'trigger', now() + interval '1 hour')
      `;
      const before = await answers();
      await switchOn(how);
      assertEquals(await answers(), before);

      const late = newId();
      await withoutTrigger(
        database.sql,
        (transaction) => transaction`insert into public.members (id) values (${late})`,
      );
      const run = JSON.parse((await ask("POST /v1/backfills", { json: {} })).body);
      await database.newService().unsafe(`
        do $$ begin
          loop exit when (select work from assignment.backfill_step('${run.id}')) in ('finished', 'stopped'); end loop;
        end $$`);
      const ended = JSON.parse((await ask(`GET /v1/backfills/${run.id}`)).body);
      assertEquals([ended.status, ended.successful, ended.remaining], ["succeeded", 1, 0]);
      const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients/${late}`;
      assertEquals([(await ask(`DELETE ${path}`)).status, (await ask(`PUT ${path}`)).status], [204, 201]);
      const signedUp = newId();
      await database.newInserter()`insert into public.members (id) values (${signedUp})`;
      assertStringIncludes((await ask(`GET /v1/members/${signedUp}/assignment`)).body, '"assigned":true');
    });
  }

  it("makes answers 503, and the service not ready, after its policy was dropped", async () => {
    await database.owner`alter table public.trainer_client_assignments enable row level security`;
    assertEquals((await check()).status, 200);
    await database.owner`drop policy service_reads on public.trainer_client_assignments`;
    await waitUntil("checks are refused", async () => (await check()).status === 503);
    for (
      const request of [
        `GET /v1/members/${member}/assignment`,
        `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`,
        "GET /v1/backfills",
      ]
    ) {
      const { status, body } = await ask(request);
      assertEquals([status, JSON.parse(body).code], [503, "rows_hidden"], request);
      assertMatch(body, /trainer_client_assignments.*grant_service/);
    }
    const { status, checks } = await ready();
    assertEquals(status, "degraded");
    assertStringIncludes(checks.access?.detail ?? "", "trainer_client_assignments");
    await database.owner`select assignment.grant_service(${database.serviceName})`;
    assertEquals((await ready()).status, "ready");
    await waitUntil("checks are answered", async () => (await check()).status === 200);
  });

  it("works after our objects have a new owner and the service's role is granted again", async () => {
    const owner = `${database.name} "new owner"`;
    await database.sql`create role ${database.sql(owner)}`;
    await database.sql`reassign owned by ${database.sql(database.ownerName)} to ${database.sql(owner)}`;
    await switchOn("enable row level security, force row level security", database.sql);
    const { status, checks } = await ready();
    assertEquals(status, "degraded");
    assertStringIncludes(checks.access?.detail ?? "", "grant_service");
    await database.sql`select assignment.grant_service(${database.serviceName})`;
    assertEquals((await ready()).checks.access?.detail, SEEN);
    const signedUp = newId();
    await database.sql`insert into public.members (id) values (${signedUp})`;
    await waitUntil("checks are answered", async () => (await check()).status === 200);
    assertStringIncludes((await ask(`GET /v1/members/${signedUp}/assignment`)).body, '"assigned":true');
    await database.sql`reassign owned by ${database.sql(owner)} to ${database.sql(database.ownerName)}`;
    await database.sql`drop owned by ${database.sql(owner)}`;
    await database.sql`drop role ${database.sql(owner)}`;
  });

  it("keeps no role from being dropped, and serves several services", async () => {
    const other = `${database.name} other service`;
    await database.sql`create role ${database.sql(other)}`;
    await database.owner`select assignment.grant_service(${other})`;
    await database.owner`select assignment.grant_service(${other})`;
    await switchOn("enable row level security");
    await database.sql`drop owned by ${database.sql(other)}`;
    await database.sql`drop role ${database.sql(other)}`;
    assertEquals((await check()).status, 200);
    assertEquals((await ready()).checks.access?.detail, SEEN);
  });

  it("is reported for a role that was granted to read by hand and has no policy", async () => {
    const reader = database.inserterName;
    await database.owner.unsafe(`grant select on public.trainer_client_assignments to ${reader}`);
    assertEquals((await ready()).status, "ready");
    await database.owner`alter table public.trainer_client_assignments enable row level security`;
    const { status, checks } = await ready();
    assertEquals(status, "degraded");
    assertStringIncludes(checks.access?.detail ?? "", `trainer_client_assignments from ${reader}`);
    await database.owner.unsafe(
      `create policy readers on public.trainer_client_assignments for select to ${reader} using (true)`,
    );
    assertEquals((await ready()).status, "ready");
  });
});

describe("row-level security of members that hides a trainer", () => {
  beforeEach(async () => {
    await begin();
    await database.sql.unsafe(`
      alter table public.members owner to ${database.inserterName};
      grant select, references, trigger on public.members to ${database.ownerName};
      alter table public.members enable row level security;
    `);
  });
  afterEach(end);

  const openTo = (role: string) =>
    database.sql.unsafe(`create policy ${role}_reads on public.members for select to ${role} using (true)`);

  it("from the owner of the functions, is named by the policy, runs and health, with the policy wanted", async () => {
    await openTo(database.serviceName);
    const wanted = new RegExp(
      `BYPASSRLS.*create policy ${database.ownerName}_reads on public.members for select to ${database.ownerName}`,
    );
    for (
      const [request, json] of [
        ["PUT /v1/policy", { defaultTrainerId: member }],
        ["POST /v1/backfills", {}],
        [`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${member}`, {}],
      ] as const
    ) {
      const { status, body } = await ask(request, { json });
      assertEquals([status, JSON.parse(body).code], [503, "rows_hidden"], request);
      assertMatch(JSON.parse(body).detail, wanted);
    }
    const { status, checks } = await ready();
    assertEquals(status, "degraded");
    assertMatch(checks.access?.detail ?? "", wanted);

    await openTo(database.ownerName);
    assertEquals((await ask("PUT /v1/policy", { json: { defaultTrainerId: member } })).status, 200);
    assertEquals((await ask("POST /v1/backfills", { json: {} })).status, 202);
    assertEquals((await ask(`GET /v1/members/${member}/decision`)).status, 200);
    assertEquals((await ready()).checks.access?.detail, SEEN);
  });

  it("from the service's role, is named by checks and health", async () => {
    await openTo(database.ownerName);
    await waitUntil("checks are refused", async () => (await check()).status === 503);
    const { body } = await ask(`GET /v1/members/${newId()}/assignment`);
    assertEquals(JSON.parse(body).code, "rows_hidden");
    const { checks } = await ready();
    assertMatch(checks.defaultTrainer?.detail ?? "", /cannot be seen: row-level security.*BYPASSRLS/);
    await database.sql.unsafe(`alter role ${database.serviceName} bypassrls`);
    await waitUntil("checks are answered", async () => (await check()).status === 200);
  });

  it("by a restrictive policy, is named as well", async () => {
    await openTo(database.ownerName);
    await openTo(database.serviceName);
    assertEquals((await ready()).status, "ready");
    await database.sql.unsafe(
      `create policy not_all on public.members as restrictive for select to ${database.ownerName} using (id <> '${member}')`,
    );
    assertEquals((await ready()).status, "degraded");
    const { body } = await ask("PUT /v1/policy", { json: { defaultTrainerId: member } });
    assertEquals(JSON.parse(body).code, "rows_hidden");
  });
});
