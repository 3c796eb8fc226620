import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import type { Sql } from "../../../src/database/sql.ts";
import { createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { seal } from "../../../src/webhooks/key.ts";
import { findDueEndpoints, takeDeliveries } from "../../../src/webhooks/queue.ts";
import { createSecret } from "../../../src/webhooks/sign.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import { okAnswer, type Receiver, startReceiver } from "../../support/receivers.ts";
import { waitUntil } from "../../support/wait_until.ts";

const WORKER = fileURLToPath(new URL("../../support/webhook_worker.ts", import.meta.url));
const IN_FLIGHT = 32;

describe("workers who share deliveries", () => {
  const key = crypto.getRandomValues(new Uint8Array(32));
  let database: TestDatabase;
  let sql: Sql;
  let receiver: Receiver | undefined;
  const workers: Deno.ChildProcess[] = [];
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map(end));
    receiver?.close();
    await database.drop();
  });

  /** Starts a worker in a process of its own; returns when it begins. */
  async function startWorker(): Promise<Deno.ChildProcess> {
    const worker = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", WORKER, database.url, key.toBase64()],
      stdout: "piped",
    }).spawn();
    workers.push(worker);
    const output = worker.stdout.getReader();
    await output.read();
    output.releaseLock();
    await worker.stdout.cancel();
    return worker;
  }

  async function end(worker: Deno.ChildProcess): Promise<void> {
    try {
      worker.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await worker.status;
  }

  async function listen(url: string): Promise<string> {
    const id = newId();
    await createEndpoint(sql, {
      id,
      url,
      types: ["policy.changed"],
      secret: await seal([key], id, createSecret()),
    }, "ops");
    return id;
  }

  async function write(count: number): Promise<void> {
    await sql`
      insert into assignment.outbox (type, policy_version)
      select 'policy.changed', 1 from generate_series(1, ${count}::integer)
    `;
  }

  async function countPending(): Promise<number> {
    const [row] = await sql<[{ count: number }]>`
      select (select count(*) from assignment.deliveries where status = 'pending')
        + (select count(*) from assignment.outbox where not is_addressed) as count
    `;
    return row.count;
  }

  it("in four processes send each message once; what a killed one had in hand comes again, with the same id", async () => {
    const received: string[] = [];
    let isOpen = true;
    const waiting: (() => void)[] = [];
    receiver = startReceiver(({ text, send }) => {
      received.push(/^webhook-id: (\S+)/im.exec(text)?.[1] ?? "");
      if (isOpen) send(okAnswer());
      else waiting.push(() => send(okAnswer()));
    });
    await listen(`http://127.0.0.1:${receiver.port}/`);
    const [victim] = await Promise.all(Array.from({ length: 4 }, startWorker));

    await write(500);
    await waitUntil("all are delivered", async () => await countPending() === 0);
    assertEquals([received.length, new Set(received).size], [500, 500]);

    isOpen = false;
    await write(400);
    await waitUntil("each worker waits for answers", () => waiting.length === 4 * IN_FLIGHT);
    if (victim) await end(victim);
    isOpen = true;
    for (const answer of waiting) answer();
    await waitUntil("the others have recorded what they had in hand", async () => {
      const [row] = await sql<[{ isSo: boolean }]>`
        select count(*) = 0 as is_so from assignment.deliveries where status = 'pending' and next_attempt_at <= now()
      `;
      return row.isSo && received.length >= 500 + 400 - IN_FLIGHT;
    });
    await waitUntil("all are delivered", async () => {
      await sql`
        update assignment.deliveries
        set next_attempt_at = now()
        where status = 'pending' and last_attempt_at < now() - interval '1 second'
      `;
      return await countPending() === 0;
    });
    assertEquals([received.length, new Set(received).size], [500 + 400 + IN_FLIGHT, 900]);
  });

  it("take a bounded number of what waits, be it 100,000 messages", async () => {
    const id = await listen("http://127.0.0.1:9/");
    await write(100_000);
    const [first] = await sql<[{ count: number }]>`select assignment.address_messages(1000) as count`;
    assertEquals(first.count, 1000);
    await withoutTrigger(sql, (transaction) =>
      transaction`
        insert into assignment.deliveries (endpoint_id, message_id)
        select ${id}, m.id from assignment.outbox m where not m.is_addressed
      `);
    assertEquals((await findDueEndpoints(sql)).map((endpoint) => endpoint.id), [id]);
    const two = await Promise.all([takeDeliveries(sql, id, 64), takeDeliveries(sql, id, 64)]);
    assertEquals(two.map((taken) => taken.length), [64, 64]);
    assertEquals(new Set(two.flat().map(({ messageId }) => messageId)).size, 128);
    const [row] = await sql`select count(*)::integer as taken from assignment.deliveries where attempts = 1`;
    assertEquals(row?.taken, 128);
  });
});
