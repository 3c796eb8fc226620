import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../../src/database/sql.ts";
import { repairStructure } from "../../../src/database/structure/repair.ts";
import { changeEndpoint, createEndpoint, deleteEndpoint } from "../../../src/webhooks/endpoints.ts";
import { addressMessages, tendOutbox } from "../../../src/webhooks/queue.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { waitUntil } from "../../support/wait_until.ts";

describe("the triggers that announce", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  async function listen(types = ["assignments.created" as const]): Promise<string> {
    const id = newId();
    await createEndpoint(sql, { id, url: "https://hooks.example/", types, secret: "sealed" }, "ops");
    return id;
  }

  async function signUp(by: Sql = sql): Promise<string> {
    const id = newId();
    await by`insert into public.members (id) values (${id})`;
    return id;
  }

  /** Whom an endpoint is to be told of. */
  async function readAddressed(endpointId: string): Promise<string[]> {
    await addressMessages(sql);
    const rows = await sql<{ memberId: string }[]>`
      select a.client_id as member_id
      from assignment.deliveries d
      join assignment.outbox m on m.id = d.message_id
      join public.trainer_client_assignments a on a.id = any (m.assignment_ids)
      where d.endpoint_id = ${endpointId}
      order by d.message_id
    `;
    return rows.map(({ memberId }) => memberId);
  }

  async function countEnabled(): Promise<number> {
    const [row] = await sql<[{ count: number }]>`
      select count(*) as count from pg_trigger where tgname like '%\\_announce\\_%' and tgenabled <> 'D'
    `;
    return row.count;
  }

  /** Begins a transaction in a session of its own, which `end` commits. */
  async function begin(work: (transaction: Sql) => Promise<unknown>) {
    const session = database.newConnection();
    await session`begin`;
    await work(session);
    return { session, end: () => session`commit` };
  }

  it("are enabled again after somebody disabled them, or a repair made a table anew", async () => {
    await listen();
    await sql`alter table public.trainer_client_assignments disable trigger all`;
    assertEquals((await tendOutbox(sql)).enabled, 2);
    assertEquals([await countEnabled(), (await tendOutbox(sql)).enabled], [2, 0]);

    await sql`drop table public.trainer_client_assignments cascade`;
    await repairStructure(sql);
    await tendOutbox(sql);
    assertEquals(await countEnabled(), 2);
  });

  it("are disabled again when nobody wants their messages any more", async () => {
    const id = await listen();
    await sql`update assignment.webhook_endpoints set enabled = false where id = ${id}`;
    assertEquals((await tendOutbox(sql)).enabled, 0);
    assertEquals(await countEnabled(), 0);
    await sql`alter table public.trainer_client_assignments enable always trigger trainer_client_assignments_announce_after_insert`;
    await tendOutbox(sql);
    assertEquals(await countEnabled(), 0);
  });

  it("are not waited for long: a webhook is refused while a transaction writes assignments, and signups go on", async () => {
    const long = await begin(signUp);
    const creating = assertRejects(() => listen(), postgres.PostgresError);
    const others: string[] = [];
    let isRefused = false;
    const refused = creating.then((error) => {
      isRefused = true;
      return error;
    });
    while (!isRefused) others.push(await signUp());
    assertEquals((await refused).code, "55P03");
    await long.end();
    assertEquals(others.length > 0, true);
    assertEquals((await sql`select from assignment.failures`).length, 0);
    await listen();
  });

  it("do not keep a webhook from being disabled or deleted while a transaction writes assignments", async () => {
    const [one, other] = [await listen(), await listen()];
    const long = await begin(signUp);
    await changeEndpoint(sql, one, { enabled: false }, "ops");
    await deleteEndpoint(sql, other, "ops");
    assertEquals([await countEnabled(), (await tendOutbox(sql)).enabled], [2, 0]);
    await long.end();
    await tendOutbox(sql);
    assertEquals(await countEnabled(), 0);
  });

  it("stay enabled for a webhook that is made while the last other one is disabled", async () => {
    const former = await listen();
    const disabling = await begin((session) =>
      session`select assignment.put_endpoint(${former}, '{"enabled": false}', 'ops')`
    );
    let isMade = false;
    const making = listen().finally(() => isMade = true);
    await waitUntil("the second waits for the first, or does not", async () => {
      const [row] = await sql<[{ count: number }]>`
        select count(*) from pg_locks where locktype = 'advisory' and not granted
      `;
      return isMade || row.count > 0;
    });
    await disabling.end();
    const id = await making;
    const told = await signUp();
    assertEquals(await readAddressed(id), [told]);
  });

  it("tell a new webhook of all that is committed after it, however early its transaction began", async () => {
    const idle = await begin((session) => session`select 1`);
    const first = await listen();
    const writing = await begin(signUp);
    const second = await listen();
    const late = await signUp(idle.session);
    await Promise.all([idle.end(), writing.end()]);
    const told = await readAddressed(second);
    assertEquals([told.length, told.includes(late)], [2, true]);
    assertEquals((await readAddressed(first)).toSorted(), told.toSorted());
  });
});
