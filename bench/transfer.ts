import { followRun } from "../src/runs/follow.ts";
import { startTransfer } from "../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { LANES } from "./backfill.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { alternate, seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

const SIGNUP_EVERY_MS = 20;
const TRIGGERS = [
  "trainer_client_assignments_keep_seats_after_update",
  "trainer_client_assignments_tell_change_after_update",
];

/** A transfer of all clients against what one would write by hand, with signups going on. */
export const transfer: Claim = {
  name: "transfer",
  summary:
    "1,000,000 clients to another trainer: a run of two lanes against one update and one insert … select",
  async run({ server, isFull, say }) {
    const clients = isFull ? 1_000_000 : 100_000;
    const database = await server.createDatabase();
    await addMembers(database.sql, clients);
    const [successor] = await database.sql<
      [{ id: string }]
    >`insert into public.members default values returning id`;
    const prepare = async () => {
      await unassignAll(database.sql);
      await assignAll(database, successor.id);
      await database.settle();
    };
    say(`${clients.toLocaleString("en")} clients, alternating`);
    const took = await alternate(isFull ? 5 : 3, [
      {
        name: "by hand",
        prepare,
        run: () => withSignups(database, () => moveByHand(database, successor.id)),
      },
      { name: "run", prepare, run: () => withSignups(database, () => moveByRun(database, successor.id)) },
    ]);
    await database.drop();
    return [
      judge("transfer / one update + insert … select, time", "", ratios(took("run"), took("by hand")), {
        atMost: 1.2,
      }),
      judge("moves a second, with signups going on", "", took("run").map((time) => clients / time), {
        atLeast: 40_000,
      }),
      inform("transfer", " s", took("run")),
      inform("one update + insert … select", " s", took("by hand")),
    ];
  },
};

/** Gives every member but the two trainers to the default trainer. */
async function assignAll({ sql }: BenchDatabase, successorId: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into public.trainer_client_assignments (trainer_id, client_id, source)
      select ${DEFAULT_TRAINER_ID}, id, 'backfill'
      from public.members
      where id <> all (${[DEFAULT_TRAINER_ID, successorId]}::uuid[])
      order by id
    `;
  });
  await sql`vacuum (analyze) public.trainer_client_assignments`;
}

/** Moves all of the default trainer's clients; seconds. */
export async function moveByRun({ sql }: BenchDatabase, successorId: string): Promise<number> {
  return await seconds(async () => {
    const request = { fromTrainerId: DEFAULT_TRAINER_ID, trainerId: successorId, requestedBy: "bench" };
    const run = await followRun(sql, await startTransfer(sql, request), { lanes: LANES });
    if (run.status !== "succeeded") throw new Error(`the transfer is ${run.status}`);
  });
}

/** As one would by hand, on the table alone: our triggers, which count seats and tell changes, are off. */
async function moveByHand({ sql }: BenchDatabase, successorId: string): Promise<number> {
  for (const trigger of TRIGGERS) {
    await sql`alter table public.trainer_client_assignments disable trigger ${sql(trigger)}`;
  }
  const time = await seconds(() =>
    sql.begin(async (transaction) => {
      const [{ now }] = await transaction<[{ now: string }]>`select now()::text`;
      await transaction`
        update public.trainer_client_assignments
        set status = 'inactive', ended_at = ${now}, ended_by = 'bench', ended_because = 'transfer'
        where trainer_id = ${DEFAULT_TRAINER_ID} and status = 'active'
      `;
      await transaction`
        insert into public.trainer_client_assignments (trainer_id, client_id, notes, source, assigned_by)
        select ${successorId}, client_id, notes, 'transfer', 'bench'
        from public.trainer_client_assignments
        where trainer_id = ${DEFAULT_TRAINER_ID} and ended_at = ${now}
      `;
    })
  );
  for (const trigger of TRIGGERS) {
    await sql`alter table public.trainer_client_assignments enable trigger ${sql(trigger)}`;
  }
  return time;
}

/** Does the work while members sign up, one after another. */
async function withSignups({ sql }: BenchDatabase, work: () => Promise<number>): Promise<number> {
  let isOver = false;
  const signups = (async () => {
    while (!isOver) {
      await sql`insert into public.members default values`;
      await new Promise((later) => setTimeout(later, SIGNUP_EVERY_MS));
    }
  })();
  try {
    return await work();
  } finally {
    isOver = true;
    await signups;
  }
}
