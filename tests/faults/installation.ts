import { retryFailures } from "../../src/assignments/failures.ts";
import { endSession } from "../../src/http/identity/ended_sessions.ts";
import { previewRun, stepRun } from "../../src/runs/steps.ts";
import { pauseRun, retryRun, startBackfill, startTransfer } from "../../src/runs/runs.ts";
import { reconcile } from "../../src/runs/schedule.ts";
import type { Sql } from "../../src/database/sql.ts";
import { createEndpoint, MESSAGE_TYPES } from "../../src/webhooks/endpoints.ts";
import { takeMemberEvent } from "../../src/webhooks/in/take_event.ts";
import { seal } from "../../src/webhooks/key.ts";
import { addressMessages, recordDeliveries, takeDeliveries } from "../../src/webhooks/queue.ts";
import { createSecret } from "../../src/webhooks/sign.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { depart, keepDeparted } from "./departures.ts";
import { assignByHand, endAssignment, giveMembers } from "./load.ts";
import { bringRules, setCapacity, type Trainers, writeRules } from "./policy.ts";
import { startMove, startReassigning } from "./transfers.ts";
import { KEY } from "./webhooks.ts";
import type { World } from "./world.ts";

/** The role of the service: `assignment.grant_service` was called for it. */
export const SERVICE_ROLE = "trainer_service";

const BY = "installation";
const PAUSE_REASON = "until the upgrade";
const HOOKS = "https://hooks.example.com/assignments";

/**
 * Does everything that happens in a real installation, one thing after the other, and journals it: members of all kinds,
 * versions of a policy, trainers with a capacity, runs that ended, failures, messages. Returns the rules' trainers.
 */
export async function furnish(world: World): Promise<Trainers> {
  const { sql, journal, random, trainerId } = world;
  await keepDeparted(sql);
  await sql.unsafe(`create role ${SERVICE_ROLE}`);
  await sql`select assignment.grant_service(${SERVICE_ROLE})`;
  const endpointId = await addEndpoints(world);
  const trainers = await bringRules(world, { limited: 3, waiting: 2 });
  await giveMembers(sql, journal, random, 60);
  const known = await signUp(world, 40);
  await changeByHand(world, trainers, known);
  await runBackfills(world);
  await moveClients(world, trainers);
  await mirrorPeople(world);
  await takeEvents(world);
  await endSession(
    sql,
    { id: random.uuid(), name: "token:someone", role: "admin", expiresAt: new Date("2099-01-01") },
    "signed-out",
  );
  await deliverSome(sql, endpointId);
  await retryFailures(sql); // takes back those whom a run has assigned
  await addFailures(world);
  await signUp(world, 10);
  await assignByHand(sql, journal, known[0] ?? "", trainerId);
  for (const id of trainers.limited.slice(1)) await setCapacity(world, id, 30);
  return trainers;
}

/** One that messages are sent to, one for a consumer who fetches them. */
async function addEndpoints({ sql, random }: World): Promise<string> {
  const id = random.uuid();
  const secret = await seal([KEY], id, createSecret());
  await createEndpoint(sql, { id, url: HOOKS, types: [...MESSAGE_TYPES], secret }, BY);
  await createEndpoint(sql, { id: random.uuid(), types: ["policy.changed", "run.ended"] }, BY);
  return id;
}

async function signUp({ sql, journal, random }: World, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, random.uuid);
  for (let at = 0; at < count; at += 4) {
    const some = ids.slice(at, at + 4);
    await journal.record("signup", some, async () => {
      await sql`insert into public.members (id) select unnest(${some}::uuid[])`;
    });
  }
  return ids;
}

/** People assign and end, other programs end and delete, members leave. */
async function changeByHand(world: World, trainers: Trainers, known: string[]): Promise<void> {
  const { sql, journal, random, trainerId } = world;
  const ids = known.slice(0, 8);
  for (const id of ids.slice(0, 4)) await assignByHand(sql, journal, id, trainers.team[0] ?? "");
  for (const id of ids.slice(2, 8)) {
    for (const each of [...Object.values(trainers).flat(), trainerId]) {
      await endAssignment(sql, journal, id, each);
    }
  }
  for (const departure of ["leave", "endDirectly", "deleteDirectly", "leave", "endDirectly"] as const) {
    await depart(departure, sql, journal, random, known);
  }
}

/** A dry run, one of the schedule with members who are refused, and its retry. */
async function runBackfills(world: World): Promise<void> {
  const { sql, random, journal } = world;
  const dry = await startBackfill(sql, { requestedBy: BY, batchRows: 20, dryRun: true });
  await stepToEnd(sql, dry.id, previewRun);
  await refuseAssignments(sql, "new.source = 'backfill' and new.client_id::text ~ '[0-3]$'");
  const { runId } = await reconcile(sql, new Date("2026-11-29T03:17:00Z"));
  await stepToEnd(sql, runId ?? "");
  await acceptAssignments(sql);
  await stepToEnd(sql, (await retryRun(sql, runId ?? "", BY)).id);
  await giveMembers(sql, journal, random, 10);
  await stepToEnd(sql, (await startBackfill(sql, { requestedBy: BY })).id);
}

/** By a condition, by the policy; and after a new version of it, what it no longer chooses. */
async function moveClients(world: World, trainers: Trainers): Promise<void> {
  const { sql } = world;
  const [first = ""] = trainers.leaving;
  await stepToEnd(sql, await startMove(world, { fromTrainerId: first, segments: "9", notes: "moved" }));
  await writeRules(world, trainers);
  await stepToEnd(sql, await startReassigning(world, 20));
}

/** Signups that were refused, for a reason that is gone. */
async function addFailures(world: World): Promise<void> {
  await refuseAssignments(world.sql, "new.source = 'trigger'");
  await signUp(world, 12);
  await acceptAssignments(world.sql);
  await world.sql`drop function public.refuse_assignment()`;
}

/** A table of the application whose rows are members, too. */
async function mirrorPeople({ sql, journal, random }: World): Promise<void> {
  await sql`create table public.people (person_id uuid primary key, city text)`;
  await sql`select assignment.watch('public.people', 'person_id', '{city}')`;
  const ids = Array.from({ length: 4 }, random.uuid);
  await journal.record("signup", ids, async () => {
    await sql`insert into public.people select unnest(${ids}::uuid[]), 'Riga'`;
  });
}

/** An identity provider's: one that was taken, one that could not be. */
async function takeEvents({ sql, journal, random }: World): Promise<void> {
  const memberId = random.uuid();
  const event = { type: "user.created", name: "Ada", email: "ada@example.com" };
  const columns = {
    name: { column: "display_name", isRequired: false },
    email: { column: "email", isRequired: false },
  };
  await journal.record("signup", [memberId], async () => {
    await takeMemberEvent(sql, columns, { ...event, id: "event-1", memberId });
  });
  await takeMemberEvent(sql, columns, { ...event, id: "event-2", memberId: null });
}

/** Some messages are delivered, some wait for another try, one was given up, the rest was not tried yet. */
async function deliverSome(sql: Sql, endpointId: string): Promise<void> {
  await addressMessages(sql);
  const taken = await takeDeliveries(sql, endpointId, 12);
  const failed = { outcome: "failed", status: 500, error: "500 Internal Server Error", tookMs: 12 } as const;
  await recordDeliveries(
    sql,
    endpointId,
    taken.map(({ messageId }, at) =>
      at < 8
        ? { messageId, outcome: "delivered", status: 204, tookMs: 9 }
        : { messageId, ...failed, retryInMs: at === 8 ? null : 60_000 }
    ),
  );
}

/** Pauses a backfill in its middle, and a transfer before its first step. */
export async function leaveRunsPaused({ sql, journal, random }: World, trainers: Trainers): Promise<void> {
  const [, second = ""] = trainers.leaving;
  const transfer = await startTransfer(sql, { fromTrainerId: second, requestedBy: BY });
  await pauseRun(sql, transfer.id, BY, PAUSE_REASON);
  await giveMembers(sql, journal, random, 40);
  const backfill = await startBackfill(sql, { requestedBy: BY, batchRows: 20 });
  for (let step = 0; step < 3; step++) await stepRun(sql, backfill.id);
  await pauseRun(sql, backfill.id, BY, PAUSE_REASON);
}

async function stepToEnd(sql: Sql, runId: string, step = stepRun): Promise<void> {
  for (;;) {
    const { work } = await step(sql, runId);
    if (work === "finished") return;
    if (work === "stopped" || work === "busy") throw new Error(`run ${runId} is ${work}`);
  }
}
