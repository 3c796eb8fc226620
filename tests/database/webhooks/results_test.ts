import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { listDeliveries, redeliver } from "../../../src/webhooks/deliveries.ts";
import { changeEndpoint, createEndpoint, getEndpoint } from "../../../src/webhooks/endpoints.ts";
import {
  addressMessages,
  findDueEndpoints,
  recordDeliveries,
  takeDeliveries,
  tendOutbox,
} from "../../../src/webhooks/queue.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("what becomes of deliveries", () => {
  let database: TestDatabase;
  let sql: Sql;
  let endpointId: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    endpointId = (await createEndpoint(sql, {
      id: newId(),
      url: "http://127.0.0.1:9/",
      secret: "sealed",
      types: ["policy.changed"],
    }, "ops")).id;
  });
  afterEach(() => database.drop());

  /** Writes messages and takes them; returns their ids, as written. */
  async function take(count: number): Promise<string[]> {
    const rows = await sql<{ id: string }[]>`
      insert into assignment.outbox (type, policy_version)
      select 'policy.changed', 1 from generate_series(1, ${count}::integer)
      returning id
    `;
    await addressMessages(sql);
    assertEquals((await takeDeliveries(sql, endpointId, count)).length, count);
    return rows.map(({ id }) => id);
  }

  const fail = (messageId: string, retryInMs: number | null = 60_000) =>
    recordDeliveries(sql, endpointId, [{ messageId, outcome: "failed", status: 500, retryInMs }]);
  const gone = (messageId: string) =>
    ({ messageId, outcome: "failed", status: 410, retryInMs: null }) as const;
  const deliver = (messageId: string) =>
    recordDeliveries(sql, endpointId, [{ messageId, outcome: "delivered", status: 204 }]);
  const letFailSince = (days: number) =>
    sql`update assignment.webhook_endpoints set failing_since = now() - make_interval(days => ${days}::integer)`;

  async function listStatus(): Promise<string[]> {
    return (await listDeliveries(sql, endpointId, { limit: 100 })).map(({ status }) => status).toReversed();
  }

  it("an endpoint that has failed for five days is disabled, and keeps what waits for it", async () => {
    const [one = "", two = "", three = ""] = await take(3);
    assertEquals(await fail(one), null);
    await letFailSince(4);
    assertEquals(await fail(two), null);
    await letFailSince(6);
    assertEquals(await fail(three), "failing");
    const { enabled, disabledBecause, pending } = await getEndpoint(sql, endpointId);
    assertEquals([enabled, disabledBecause, pending], [false, "failing", 3]);
    await sql`update assignment.deliveries set next_attempt_at = now()`;
    assertEquals([await findDueEndpoints(sql), await takeDeliveries(sql, endpointId, 10)], [[], []]);

    await changeEndpoint(sql, endpointId, { enabled: true }, "ops");
    assertEquals((await getEndpoint(sql, endpointId)).failingSince, null);
    assertEquals((await takeDeliveries(sql, endpointId, 10)).length, 3);
  });

  it("an endpoint that cannot be disabled, for want of the line that says so, keeps its results and is disabled later", async () => {
    const [one = "", two = ""] = await take(2);
    await sql`alter table assignment.audit_log add constraint broken check (action <> 'webhook.disabled') not valid`;
    assertEquals(await recordDeliveries(sql, endpointId, [gone(one)]), null);
    assertEquals(await listStatus(), ["failed", "pending"]);
    assertEquals((await getEndpoint(sql, endpointId)).enabled, true);

    await sql`alter table assignment.audit_log drop constraint broken`;
    assertEquals(await recordDeliveries(sql, endpointId, [gone(two)]), "gone");
    assertEquals((await getEndpoint(sql, endpointId)).enabled, false);
  });

  it("one success ends the failing", async () => {
    const [one = "", two = "", three = ""] = await take(3);
    await fail(one);
    await letFailSince(6);
    assertEquals(await deliver(two), null);
    assertEquals((await getEndpoint(sql, endpointId)).failingSince, null);
    assertEquals(await fail(three), null);
  });

  it("what a killed process had taken is due again after two minutes", async () => {
    const [one] = await take(1);
    assertEquals(await takeDeliveries(sql, endpointId, 1), []);
    await sql`update assignment.deliveries set next_attempt_at = next_attempt_at - interval '2 minutes'`;
    const [again] = await takeDeliveries(sql, endpointId, 1);
    assertEquals([again?.messageId, again?.attempts], [one, 2]);
  });

  it("what comes late does not undo a success", async () => {
    const [one = ""] = await take(1);
    await deliver(one);
    await fail(one);
    assertEquals(await listStatus(), ["delivered"]);
  });

  it("a message is sent again by itself, and all that failed since a time", async () => {
    const [one = "", two = "", three = ""] = await take(3);
    await deliver(one);
    await fail(two, null);
    await fail(three, null);
    assertEquals(await listStatus(), ["delivered", "failed", "failed"]);
    await sql`
      update assignment.deliveries set ended_at = now() - interval '2 days' where message_id = ${two}
    `;
    const since = new Date(Date.now() - 86_400_000);
    assertEquals(await redeliver(sql, endpointId, { failedSince: since }, "ops"), 1);
    assertEquals(await listStatus(), ["delivered", "failed", "pending"]);
    assertEquals(await redeliver(sql, endpointId, { messageId: one }, "ops"), 1);
    assertEquals((await takeDeliveries(sql, endpointId, 10)).map(({ attempts }) => attempts), [1, 1]);
    await assertRejects(() => redeliver(sql, endpointId, { messageId: newId() }, "ops"), AppError);
    const lines =
      await sql`select after from assignment.audit_log where action = 'webhook.redelivered' order by id`;
    assertEquals(lines.map(({ after }) => after), [{ messages: 1 }, { messages: 1 }]);
  });

  it("delivered messages are kept for 7 days, others for 30", async () => {
    const [delivered = "", failed = "", _pending = "", _recent = ""] = await take(4);
    await deliver(delivered);
    await fail(failed, null);
    const age = async (days: number) => {
      await sql`
        update assignment.outbox set at = now() - make_interval(days => ${days}::integer) where id <> ${_recent}
      `;
      const { forgotten } = await tendOutbox(sql);
      return { forgotten, left: await listStatus() };
    };
    assertEquals(await age(6), { forgotten: 0, left: ["delivered", "failed", "pending", "pending"] });
    assertEquals(await age(8), { forgotten: 1, left: ["failed", "pending", "pending"] });
    assertEquals(await age(31), { forgotten: 2, left: ["pending"] });
  });
});
