/** Messages and lines of the audit log while workers crash and shards move: each once, and of all that was committed. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../src/assignments/assign.ts";
import { createOutageLog } from "../../src/database/outage_log.ts";
import type { Sql } from "../../src/database/sql.ts";
import { listAuditLines } from "../../src/history/audit_lines.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { type Event, type Place, readEvents } from "../../src/webhooks/events.ts";
import { registerEndpoint } from "../../src/webhooks/registration.ts";
import { createSender } from "../../src/webhooks/send.ts";
import { deliverMessages } from "../../src/webhooks/worker.ts";
import { newIds } from "../support/assignments.ts";
import { startHookReceiver } from "../support/hook_receiver.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { crash, persist, signUp } from "./crashes.ts";
import { moveAShard } from "./shards.ts";

const CRASHES = 4;
const KEYS = [crypto.getRandomValues(new Uint8Array(32))];

describe("a cluster whose workers crash while it tells what happens", () => {
  let database: CitusDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
  });
  afterAll(() => database.drop());

  /** Assigns members to a trainer and ends it, again and again; whether each came to pass, the rows tell. */
  async function assignByHand(
    pool: Sql,
    trainer: string,
    members: string[],
    signal: AbortSignal,
  ): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      const member = members[turn % members.length] ?? "";
      await assignClientToTrainer(pool, member, { trainerId: trainer, actor: "ops" }).catch(() => {});
      await endAssignment(pool, trainer, member, { actor: "ops" }).catch(() => {});
    }
  }

  /** Fetches on until told to stop and nothing more comes. */
  async function follow(pool: Sql, signal: AbortSignal): Promise<Event[]> {
    const read: Event[] = [];
    let place: Place | null = null;
    for (let isDone = false; !isDone;) {
      const mayEnd = signal.aborted;
      const page = await persist(() => readEvents(pool, place, { limit: 100 }));
      read.push(...page.events);
      place = page.next;
      isDone = mayEnd && page.events.length === 0;
    }
    return read;
  }

  const idsOf = (type: string, bodies: { type: string; data: Record<string, unknown> }[]) =>
    bodies.filter((each) => each.type === type)
      .flatMap(({ data }) => (data["assignments"] as { id: string }[]).map(({ id }) => id))
      .sort();

  it("tells all that was committed, each once", async () => {
    const receiver = await startHookReceiver(() => 204);
    const sender = createSender({ allowPrivate: true });
    await registerEndpoint(sql, { keys: KEYS, allowPrivate: true }, {
      url: receiver.url,
      types: ["assignments.created", "assignments.ended"],
    }, "ops");
    const [trainer = "", ...members] = newIds(12);
    await sql`insert into public.members ${sql([trainer, ...members].map((id) => ({ id })))}`;

    const pool = await database.newServicePool();
    const loading = new AbortController();
    const working = new AbortController();
    const load = [1, 2].map(() => signUp(database, loading.signal));
    const byHand = assignByHand(pool, trainer, members, loading.signal);
    const following = follow(pool, working.signal);
    const delivering = [pool, await database.newServicePool()].map((pool) =>
      deliverMessages(pool, {
        keys: KEYS,
        sender,
        log: silentLogger,
        outageLog: createOutageLog(silentLogger),
        signal: working.signal,
      })
    );
    for (let turn = 0; turn < CRASHES; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      const worker = database.workers[turn % database.workers.length];
      if (worker !== undefined) await crash(database, worker);
      await persist(() => moveAShard(database));
    }
    loading.abort();
    await Promise.all([...load, byHand]);
    await persist(() => sql`select recover_prepared_transactions()`);
    await waitUntil("all is collected and sent", () =>
      persist(async () => {
        const [row] = await sql<[{ count: number }]>`
          select (select count(*) from assignment.notes)
            + (select count(*) from assignment.outbox where not is_addressed)
            + (select count(*) from assignment.deliveries where status = 'pending') as count
        `;
        return row.count === 0;
      }));
    working.abort();
    const fetched = await following;
    await Promise.all(delivering);
    sender.close();
    receiver.close();

    const rows = await persist(() =>
      sql<{ id: string; isEnded: boolean; isByHand: boolean }[]>`
        select id, status = 'inactive' as is_ended, source = 'manual' as is_by_hand
        from public.trainer_client_assignments
        order by id
      `
    );
    const created = rows.map(({ id }) => id);
    const ended = rows.flatMap(({ id, isEnded }) => isEnded ? id : []);
    assert(ended.length > 0 && created.length > 100, `${created.length} created, ${ended.length} ended`);
    assertEquals(idsOf("assignments.created", fetched), created);
    assertEquals(idsOf("assignments.ended", fetched), ended);
    const sent = new Map(receiver.received.map(({ id, body }) => [id, JSON.parse(body)]));
    assertEquals(idsOf("assignments.created", [...sent.values()]), created);
    assertEquals(idsOf("assignments.ended", [...sent.values()]), ended);

    const lines = [];
    for (const action of ["assignment.made", "assignment.ended"] as const) {
      lines.push(
        (await listAuditLines(sql, { action }, { limit: 10_000 })).map(({ subject }) => subject?.slice(11))
          .sort(),
      );
    }
    assertEquals(lines, [rows.flatMap(({ id, isByHand }) => isByHand ? id : []), ended]);
  });
});
