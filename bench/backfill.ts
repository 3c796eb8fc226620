import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { alternate, seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

/** As fast as two processors do it. By default a run leaves one to others. */
export const LANES = 2;

/** A backfill against one big statement, against the usual tutorial, and against itself when all is done. */
export const backfill: Claim = {
  name: "backfill",
  summary: "1,000,000 members: a run of two lanes against one insert … select, and the row-by-row tutorial",
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 100_000;
    const database = await server.createDatabase();
    await addMembers(database.sql, members);
    const again: number[] = [];
    const prepare = async () => {
      await unassignAll(database.sql);
      await database.settle();
    };
    say(`${members.toLocaleString("en")} members, alternating`);
    const took = await alternate(isFull ? 5 : 3, [
      { name: "one statement", prepare, run: () => seconds(() => insertSelect(database)) },
      {
        name: "run",
        prepare,
        async run() {
          const first = await seconds(() => backfillExistingUsers(database.sql, { lanes: LANES }));
          again.push(await seconds(() => backfillExistingUsers(database.sql, { lanes: LANES })));
          return first;
        },
      },
    ]);
    const rowByRowMembers = isFull ? 10_000 : 2_000;
    say(`row by row, ${rowByRowMembers.toLocaleString("en")} members`);
    await prepare();
    const rowByRow = await seconds(() => assignRowByRow(database, rowByRowMembers));
    await database.drop();

    const perMember = took("run").map((time) => (rowByRow / rowByRowMembers) / (time / members));
    return [
      judge("first run / one insert … select", "", ratios(took("run"), took("one statement")), {
        atMost: 0.6,
      }),
      judge("second run, all skipped / first run", "", ratios(again, took("run")), { atMost: 0.25 }),
      judge("row by row / run, time a member", " ×", perMember, { atLeast: 50 }),
      inform("first run", " s", took("run")),
      inform("one insert … select", " s", took("one statement")),
    ];
  },
};

/** Runs a backfill to its end; members a second. */
export async function backfillRate(database: BenchDatabase, members: number): Promise<number> {
  await unassignAll(database.sql);
  await database.settle();
  return members / await seconds(() => backfillExistingUsers(database.sql, { lanes: LANES }));
}

/** What one would write by hand. */
export async function insertSelect({ sql }: BenchDatabase): Promise<void> {
  await sql`
    insert into public.trainer_client_assignments (trainer_id, client_id, source)
    select ${DEFAULT_TRAINER_ID}, id, 'backfill'
    from public.members
    where id <> ${DEFAULT_TRAINER_ID}
    on conflict (client_id, trainer_id) where status = 'active' do nothing
  `;
}

/** As the usual tutorial has it: for each member a look, then an insert. */
async function assignRowByRow({ sql }: BenchDatabase, members: number): Promise<void> {
  const rows = await sql<{ id: string }[]>`
    select id from public.members where id <> ${DEFAULT_TRAINER_ID} limit ${members}
  `;
  for (const { id } of rows) {
    const assigned = await sql`
      select from public.trainer_client_assignments
      where client_id = ${id} and trainer_id = ${DEFAULT_TRAINER_ID} and status = 'active'
    `;
    if (assigned.length > 0) continue;
    await sql`
      insert into public.trainer_client_assignments (trainer_id, client_id, source)
      values (${DEFAULT_TRAINER_ID}, ${id}, 'backfill')
    `;
  }
}
