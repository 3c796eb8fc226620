import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Webhook } from "standardwebhooks";
import { createOutageLog } from "../../../src/database/outage_log.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { listDeliveries, sendTest } from "../../../src/webhooks/deliveries.ts";
import { changeEndpoint, createEndpoint, getEndpoint } from "../../../src/webhooks/endpoints.ts";
import { seal } from "../../../src/webhooks/key.ts";
import { createSender } from "../../../src/webhooks/send.ts";
import { createSecret } from "../../../src/webhooks/sign.ts";
import { deliverMessages } from "../../../src/webhooks/worker.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { type Received, startHookReceiver } from "../../support/hook_receiver.ts";

describe("the delivery of messages", () => {
  const keys = [crypto.getRandomValues(new Uint8Array(32))];
  const secret = createSecret();
  let database: TestDatabase;
  let sql: Sql;
  let counted: string[];
  let stop: () => Promise<void>;
  const receivers: Awaited<ReturnType<typeof startHookReceiver>>[] = [];
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    const stopping = new AbortController();
    const sender = createSender({ allowPrivate: true });
    counted = [];
    const work = deliverMessages(sql, {
      keys,
      sender,
      countAttempt: (id, outcome) => counted.push(`${id} ${outcome}`),
      log: silentLogger,
      outageLog: createOutageLog(silentLogger),
      signal: stopping.signal,
    });
    stop = async () => {
      stopping.abort();
      await work;
      sender.close();
    };
  });
  afterEach(async () => {
    await stop();
    for (const receiver of receivers.splice(0)) receiver.close();
    await database.drop();
  });

  async function listen(answer: (message: Received) => number | Promise<number>) {
    const receiver = await startHookReceiver(answer);
    receivers.push(receiver);
    const id = newId();
    await createEndpoint(sql, {
      id,
      url: receiver.url,
      types: ["assignments.created"],
      secret: await seal(keys, id, secret),
    }, "ops");
    return { id, ...receiver };
  }

  async function signUp(count: number): Promise<string[]> {
    const ids = newIds(count).toSorted();
    for (const id of ids) await sql`insert into public.members (id) values (${id})`;
    return ids;
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!await isSo()) await new Promise((later) => setTimeout(later, 20));
  }

  it("sends every message, signed, once where the receiver says that it has it", async () => {
    const receiver = await listen(() => 204);
    const ids = await signUp(20);
    await until(async () =>
      (await getEndpoint(sql, receiver.id)).pending === 0 && receiver.received.length >= 20
    );
    await until(() => counted.length === 20);
    assertEquals([...new Set(counted)], [`${receiver.id} delivered`]);
    const members = receiver.received.map(({ headers, body }) => {
      const message = new Webhook(secret).verify(body, headers) as {
        type: string;
        data: { assignments: { memberId: string }[] };
      };
      assertEquals(message.type, "assignments.created");
      return message.data.assignments[0]?.memberId ?? "";
    });
    assertEquals(members.toSorted(), ids);
    const [delivery] = await listDeliveries(sql, receiver.id, { limit: 1 });
    assertEquals([delivery?.status, delivery?.attempts, delivery?.lastStatus, delivery?.lastAnswer], [
      "delivered",
      1,
      204,
      "",
    ]);
  });

  it("sends again with the same id what the receiver refused", async () => {
    let refusals = 1;
    const receiver = await listen(() => refusals-- > 0 ? 500 : 200);
    await signUp(1);
    await until(() => receiver.received.length === 1);
    await until(async () => (await listDeliveries(sql, receiver.id, { limit: 1 }))[0]?.lastStatus === 500);
    await sql`update assignment.deliveries set next_attempt_at = now() where status = 'pending'`;
    await until(() => receiver.received.length === 2);
    assertEquals(receiver.received[0]?.id, receiver.received[1]?.id);
    await until(async () =>
      (await listDeliveries(sql, receiver.id, { limit: 1 }))[0]?.status === "delivered"
    );
  });

  it("reaches the others while one endpoint is slow and one is down", async () => {
    let release = () => {};
    const released = new Promise<number>((resolve) => release = () => resolve(200));
    const slow = await listen(() => released);
    const down = await listen(() => 200);
    down.close();
    const quick = await listen(() => 200);
    await signUp(100);
    await until(() => quick.received.length === 100);
    assertEquals(slow.received.length <= 32, true);
    release();
    await until(async () => (await getEndpoint(sql, down.id)).failingSince !== null);
  });

  it("disables an endpoint that answers 410, and says so", async () => {
    const receiver = await listen(() => 410);
    await signUp(1);
    await until(async () => !(await getEndpoint(sql, receiver.id)).enabled);
    assertEquals((await getEndpoint(sql, receiver.id)).disabledBecause, "gone");
    const [line] = await sql`select actor, after from assignment.audit_log where action = 'webhook.disabled'`;
    assertEquals({ ...line }, { actor: "service", after: { enabled: false, because: "gone" } });
  });

  it("sends a test to a disabled endpoint, and nothing else", async () => {
    const receiver = await listen(() => 200);
    await changeEndpoint(sql, receiver.id, { enabled: false }, "ops");
    await signUp(1);
    const id = await sendTest(sql, receiver.id, "ops");
    await until(() => receiver.received.length === 1);
    assertEquals(receiver.received[0]?.id, id);
  });
});
