/** Messages of what happens on shards: each once in the outbox, whatever made the change and wherever the shard is. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../src/assignments/assign.ts";
import { retryFailures } from "../../src/assignments/failures.ts";
import { collectNotes } from "../../src/database/notes.ts";
import { createOutageLog } from "../../src/database/outage_log.ts";
import type { Sql } from "../../src/database/sql.ts";
import { startTransfer } from "../../src/runs/runs.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { MESSAGE_TYPES, type MessageType } from "../../src/webhooks/endpoints.ts";
import { readEvents } from "../../src/webhooks/events.ts";
import { deliverMessages } from "../../src/webhooks/worker.ts";
import { editEndpoint, registerEndpoint } from "../../src/webhooks/registration.ts";
import { createSender } from "../../src/webhooks/send.ts";
import { newId, newIds } from "../support/assignments.ts";
import { driveToEnd, runBackfill } from "../support/backfills.ts";
import { type Received, startHookReceiver } from "../support/hook_receiver.ts";
import { among, putRules } from "../support/policies.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { moveAShard, refuseOnShards, splitAShard } from "./shards.ts";

const KEYS = [crypto.getRandomValues(new Uint8Array(32))];
const SETTINGS = { keys: KEYS, allowPrivate: true };

/** What a message tells: its type, and the assignments or else the members. */
interface Told {
  type: MessageType;
  ids: string[];
}

function toTold({ body }: Received): Told {
  const { type, data } = JSON.parse(body);
  const told: { id?: string; memberId: string }[] = data.assignments ?? data.members ?? [];
  return { type, ids: told.map(({ id, memberId }) => id ?? memberId) };
}

describe("messages of shards", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let service: Sql;
  beforeAll(async () => {
    database = await citusDatabase();
    sql = database.sql;
    service = await database.newServicePool();
  });
  beforeEach(async () => {
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    await sql`delete from assignment.webhook_endpoints`;
    await sql`select assignment.set_announcing()`;
    await collectNotes(service);
    await sql`delete from assignment.outbox`;
  });
  afterAll(() => database.drop());

  async function listen(types: readonly MessageType[], url: string | null = null): Promise<string> {
    return (await registerEndpoint(service, SETTINGS, { url, types: [...types] }, "ops")).id;
  }

  async function signUp(count: number): Promise<void> {
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${count}::integer)`;
  }

  /** Of which assignments messages of this type tell, with repetitions. */
  async function readTold(type: MessageType): Promise<string[]> {
    const { events } = await readEvents(service, null, { types: [type], limit: 1000 });
    return events.flatMap(({ data }) => (data["assignments"] as { id: string }[]).map(({ id }) => id)).sort();
  }

  async function listAssignments(): Promise<string[]> {
    const rows = await sql<{ id: string }[]>`select id from public.trainer_client_assignments order by id`;
    return rows.map(({ id }) => id);
  }

  it("come to a receiver from signups, by hand, from retries, runs, transfers and the policy, each once", async () => {
    const receiver = await startHookReceiver(() => 204);
    const stopping = new AbortController();
    const sender = createSender({ allowPrivate: true });
    const working = deliverMessages(service, {
      keys: KEYS,
      sender,
      log: silentLogger,
      outageLog: createOutageLog(silentLogger),
      signal: stopping.signal,
    });
    await listen(MESSAGE_TYPES, receiver.url);

    for (const id of newIds(10)) await sql`insert into public.members (id) values (${id})`;
    await signUp(700);
    const accept = await refuseOnShards(database, "new.client_id::text ~ '^[0-3]'");
    await signUp(100);
    const failed = (await sql<{ id: string }[]>`select member_id as id from assignment.failures`).map((
      { id },
    ) => id);
    await accept();
    await sql`update assignment.failures set next_attempt_at = now()`;
    while ((await retryFailures(sql)).retried > 0);
    const [trainer = "", member = ""] = newIds(2);
    await sql`insert into public.members ${sql([{ id: trainer }, { id: member }])}`;
    await assignClientToTrainer(service, member, { trainerId: trainer });
    await endAssignment(service, trainer, member);
    await sql`delete from public.trainer_client_assignments where client_id > 'f0000000-0000-0000-0000-000000000000'`;
    const backfill = await runBackfill(service);
    const transfer = await driveToEnd(
      service,
      await startTransfer(service, {
        requestedBy: "ops",
        fromTrainerId: DEFAULT_TRAINER_ID,
        trainerId: trainer,
      }),
    );
    await putRules(service, [{ name: "all", assign: among("spread", [trainer]) }]);
    await putRules(service, []);

    const rows = await sql<{ id: string; isEnded: boolean }[]>`
      select id, status = 'inactive' as is_ended from public.trainer_client_assignments
    `;
    const told = (type: MessageType) =>
      receiver.received.map(toTold).filter((each) => each.type === type).flatMap(({ ids }) => ids);
    const existing = new Set(rows.map(({ id }) => id));
    await waitUntil("all is told", () => {
      const created = new Set(told("assignments.created"));
      return rows.every(({ id }) => created.has(id)) && told("assignments.ended").length > 0 &&
        receiver.received.some(({ body }) => body.includes("policy.changed"));
    });
    await waitUntil("nothing waits", async () => {
      const [row] = await sql<[{ count: number }]>`
        select (select count(*) from assignment.deliveries where status = 'pending')
          + (select count(*) from assignment.notes) as count
      `;
      return row.count === 0;
    });
    stopping.abort();
    await working;
    sender.close();
    receiver.close();
    assertEquals(told("assignments.created").filter((id) => existing.has(id)).sort(), [...existing].sort());
    assertEquals(
      told("assignments.ended").sort(),
      rows.flatMap(({ id, isEnded }) => isEnded ? id : []).sort(),
    );
    assert(failed.length > 0);
    assertEquals(told("assignment.failed").sort(), failed.sort());
    const ended = receiver.received.map(({ body }) => JSON.parse(body)).filter(({ type }) =>
      type === "run.ended"
    );
    assertEquals(ended.map(({ data }) => data.runId), [backfill.id, transfer.id]);
    const messages = new Set(receiver.received.map(({ id }) => id));
    assertEquals(messages.size, receiver.received.length);
  });

  it("are fetched by a cursor, the member's in their order, and nothing is missed", async () => {
    await listen(["assignments.created", "assignments.ended"]);
    const seen: string[] = [];
    const expected: string[] = [];
    let place = null;
    for (let turn = 0; turn < 20; turn++) {
      const [trainer = "", member = ""] = newIds(2).sort();
      await sql`insert into public.members ${sql([{ id: trainer }, { id: member }])}`;
      await assignClientToTrainer(service, member, { trainerId: trainer });
      await endAssignment(service, trainer, member);
      expected.push("assignments.created", "assignments.created", "assignments.ended");
      const { events, next } = await readEvents(service, place, { limit: 1000 });
      place = next;
      for (const { type, data } of events) {
        const isTold = (data["assignments"] as { memberId: string }[]).some(({ memberId }) =>
          memberId === member
        );
        if (isTold) seen.push(type);
      }
    }
    assertEquals(seen, expected);
  });

  it("are none of what was rolled back, of what nobody wants, and of members who are gone", async () => {
    await signUp(50);
    await listen(["assignments.ended"]);
    await signUp(50);
    await sql`delete from public.trainer_client_assignments where client_id < '80000000-0000-0000-0000-000000000000'`;
    await sql.begin(async (transaction) => {
      await transaction`update public.trainer_client_assignments set status = 'inactive'`;
      throw new Error("rolled back");
    }).catch(() => {});
    assertEquals((await readEvents(service, null, { limit: 1000 })).events, []);

    await sql`update public.trainer_client_assignments set status = 'inactive'`;
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    assertEquals((await readEvents(service, null, { limit: 1000 })).events, []);
    const [row] = await sql<[{ ids: number }]>`
      select coalesce(sum(cardinality(member_ids)), 0)::integer as ids from assignment.outbox
    `;
    assertEquals(row.ids, 0);
  });

  it("are written for an endpoint that is enabled from then on, and for one that is disabled no more", async () => {
    const id = await listen(["assignments.created"]);
    await editEndpoint(service, id, { enabled: false }, "ops");
    await signUp(20);
    assertEquals(await readTold("assignments.created"), []);
    await editEndpoint(service, id, { enabled: true }, "ops");
    const before = await listAssignments();
    await signUp(20);
    const added = (await listAssignments()).filter((each) => !before.includes(each));
    assertEquals(await readTold("assignments.created"), added);
  });

  it("tell of no failed member who was deleted unseen, once the night is over", async () => {
    await listen(["assignment.failed"]);
    const accept = await refuseOnShards(database, "true");
    await signUp(10);
    await accept();
    assertEquals((await readEvents(service, null, { limit: 10 })).events.length > 0, true);
    await sql.begin(async (transaction) => {
      await transaction`set local citus.enable_unsafe_triggers = on`;
      await transaction`set local citus.multi_shard_modify_mode = 'sequential'`;
      await transaction`alter table public.members disable trigger members_forget_after_delete`;
      await transaction`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
      await transaction`alter table public.members enable trigger members_forget_after_delete`;
    });
    await sql`select assignment.forget_gone_members()`;
    assertEquals((await sql`select from assignment.failures`).length, 0);
    assertEquals((await readEvents(service, null, { limit: 10 })).events, []);
  });

  it("arrive from a shard that was moved or split, with what it had not told yet", async () => {
    await listen(["assignments.created"]);
    await signUp(200);
    await moveAShard(database);
    await splitAShard(database);
    await signUp(200);
    await waitUntil(
      "all is told",
      async () => (await readTold("assignments.created")).length >= (await listAssignments()).length,
    );
    assertEquals(await readTold("assignments.created"), await listAssignments());
    assertEquals((await sql`select from assignment.notes`).length, 0);
  });

  it("are told once though a collector dies between the copy and the end of the notes", async () => {
    await listen(["assignments.created"]);
    await signUp(100);
    const places = await sql<{ place: string }[]>`select place from assignment.find_node_places() as place`;
    for (const { place } of places) await service`select assignment.collect_notes(${place}, 5)`;
    const copied = (await sql`select from assignment.outbox`).length;
    assert(copied > 0);
    assertEquals(await readTold("assignments.created"), await listAssignments());
    assertEquals((await sql`select from assignment.notes`).length, 0);
  });

  it("wait for a webhook no longer than a moment, and keep no signup from it", async () => {
    const session = database.newConnection();
    await session`begin`;
    const early = newId();
    await session`insert into public.members (id) values (${early})`;
    const creating = listen(["assignments.created"]).then(() => "made", ({ code }) => code);
    assertEquals(await creating, "55P03");
    await session`commit`;
    await listen(["assignments.created"]);
    assertEquals(await readTold("assignments.created"), []);
  });
});
