import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Webhook } from "standardwebhooks";
import { createOutageLog } from "../../../src/database/outage_log.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { listDeliveries } from "../../../src/webhooks/deliveries.ts";
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
} from "../../../src/webhooks/endpoints.ts";
import { seal } from "../../../src/webhooks/key.ts";
import { createSender, type Sender } from "../../../src/webhooks/send.ts";
import { createSecret } from "../../../src/webhooks/sign.ts";
import { deliverMessages } from "../../../src/webhooks/worker.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { type Received, startHookReceiver } from "../../support/hook_receiver.ts";
import { recordingLogger } from "../../support/logs.ts";

const newKey = () => crypto.getRandomValues(new Uint8Array(32));

describe("the way to one webhook", () => {
  const keys = [newKey()];
  const secret = createSecret();
  let database: TestDatabase;
  let sql: Sql;
  let logged: Record<string, unknown>[];
  const cleanUps: (() => unknown)[] = [];
  beforeEach(async () => {
    database = await testDatabase();
    sql = await database.newServicePool();
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    await database.drop();
  });

  async function receive(answer: (message: Received) => number | Promise<number>) {
    const receiver = await startHookReceiver(answer);
    cleanUps.push(() => receiver.close());
    return receiver;
  }

  async function addWebhook(url: string, sealedUnder = keys): Promise<string> {
    const id = newId();
    const sealed = await seal(sealedUnder, id, secret);
    await createEndpoint(sql, { id, url, types: ["assignments.created"], secret: sealed }, "ops");
    return id;
  }

  /** Sends what is due from now on. */
  function work(options: { keys?: Uint8Array[]; sender?: Sender } = {}): void {
    const recording = recordingLogger();
    logged = recording.logged;
    const stopping = new AbortController();
    const sender = options.sender ?? createSender({ allowPrivate: true });
    const done = deliverMessages(sql, {
      keys: options.keys ?? keys,
      sender,
      log: recording.log,
      outageLog: createOutageLog(recording.log),
      signal: stopping.signal,
    });
    cleanUps.push(async () => {
      stopping.abort();
      await done;
      sender.close();
    });
  }

  const signUp = (count: number) =>
    database.sql`insert into public.members ${database.sql(newIds(count).map((id) => ({ id })))}`;

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!await isSo()) await new Promise((later) => setTimeout(later, 20));
  }

  const linesOf = (event: string) => logged.filter((line) => line.event === event);

  it("leads to the new URL, signed by the new secret too, while a backlog is being sent", async () => {
    const former = await receive(() => new Promise((answer) => setTimeout(answer, 300, 200)));
    const next = await receive(() => 200);
    const id = await addWebhook(former.url);
    for (let message = 0; message < 400; message++) await signUp(1);
    work();
    await until(() => former.received.length >= 32);
    const newSecret = createSecret();
    await changeEndpoint(sql, id, { url: next.url, secret: await seal(keys, id, newSecret) }, "ops");
    await until(() => next.received.length + former.received.length === 400);
    for (const { body, headers } of next.received) new Webhook(newSecret).verify(body, headers);
    assert(former.received.length <= 128, `${former.received.length} went to the former URL`);
  });

  it("ends when the webhook is deleted, also for what waits in memory", async () => {
    let release = () => {};
    const released = new Promise<number>((resolve) => release = () => resolve(200));
    const receiver = await receive(() => released);
    const other = await receive(() => 200);
    const id = await addWebhook(receiver.url);
    for (let message = 0; message < 64; message++) await signUp(1);
    work();
    await until(() => receiver.received.length === 32);
    await deleteEndpoint(sql, id, "ops");
    await addWebhook(other.url);
    await signUp(1);
    await until(() => other.received.length === 1); // a round was made meanwhile
    release();
    await signUp(1);
    await until(() => other.received.length === 2);
    assertEquals(receiver.received.length, 32);
  });

  it("goes on after an error that nobody expected, which is logged and tried again later", async () => {
    const receiver = await receive(() => 200);
    const real = createSender({ allowPrivate: true });
    let failures = 1;
    const sender: Sender = {
      post: (letter, signal) =>
        failures-- > 0 ? Promise.reject(new TypeError("no such header")) : real.post(letter, signal),
      close: () => real.close(),
    };
    const id = await addWebhook(receiver.url);
    work({ sender });
    await signUp(1);
    await until(async () => (await listDeliveries(sql, id, { limit: 1 }))[0]?.lastError != null);
    const [delivery] = await listDeliveries(sql, id, { limit: 1 });
    assertEquals([delivery?.status, delivery?.attempts], ["pending", 1]);
    assert((delivery?.nextAttemptAt?.getTime() ?? 0) - Date.now() < 10_000, "it is not tried again soon");
    const lines = linesOf("webhook_delivery_failed");
    assertEquals(lines.map(({ webhookId, step, reason }) => [webhookId, step, reason]), [
      [id, "send", "TypeError: no such header"],
    ]);
    await signUp(1);
    await until(() => receiver.received.length >= 1);
  });

  it("has log lines of its own: another that fails neither hides nor ends them", async () => {
    const receiver = await receive(() => 200);
    const lost = newKey();
    const [one, other] = [await addWebhook(receiver.url, [lost]), await addWebhook(receiver.url, [lost])];
    const good = await addWebhook(receiver.url);
    work();
    await signUp(1);
    await until(() => linesOf("webhook_delivery_failed").length >= 2);
    await until(async () => (await getEndpoint(sql, good)).pending === 0);
    await changeEndpoint(sql, one, { secret: await seal(keys, one, secret) }, "ops");
    await database
      .sql`update assignment.webhook_endpoints set former_secret = null, former_secret_until = null where id = ${one}`;
    await until(() => linesOf("works_again").length > 0);
    assertEquals(
      linesOf("webhook_delivery_failed").map(({ webhookId }) => webhookId).toSorted(),
      [one, other].toSorted(),
    );
    assertEquals(linesOf("works_again").map(({ webhookId, after }) => [webhookId, after]), [
      [one, "webhook_delivery_failed"],
    ]);
  });

  it("without WEBHOOK_KEY a warning says once how many webhooks get nothing", async () => {
    await addWebhook("http://127.0.0.1:9/");
    await addWebhook("http://127.0.0.1:9/");
    await createEndpoint(sql, { id: newId(), url: null, types: ["run.ended"] }, "ops");
    work({ keys: [] });
    await until(() => linesOf("webhook_key_missing").length > 0);
    await signUp(1);
    await until(async () => (await database.sql`select from assignment.deliveries`).length === 2 // rounds go on
    );
    assertEquals(linesOf("webhook_key_missing").map(({ level, webhooks }) => [level, webhooks]), [[
      "warn",
      2,
    ]]);
  });
});
