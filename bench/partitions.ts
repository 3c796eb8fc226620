import { getTrainerClients } from "../src/assignments/clients.ts";
import { partitionAssignments } from "../src/database/partitions.ts";
import { backfillExistingUsers, checkAssignments, DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { type Claim, type Figure, inform } from "./support/claim.ts";
import { addMembers, pickMembers, unassignAll } from "./support/data.ts";
import { serverProcessorSeconds } from "./support/processor_time.ts";
import { alternate, seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

const PARTITIONS = 16;

/** The database's processor time of each operation, in partitions and in one table; and how long it takes to change over. */
export const partitions: Claim = {
  name: "partitions",
  summary: `1,000,000 members, assignments in ${PARTITIONS} hash partitions, against one table`,
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 50_000;
    const rounds = isFull ? 1 : 2; // of the same work, processor time hardly varies
    const calls = isFull ? 5000 : 1000;
    const whole = await server.createDatabase();
    const parted = await server.createDatabase();
    for (const { sql } of [whole, parted]) await addMembers(sql, members);
    await partitionAssignments(parted.url, PARTITIONS);

    const figures: Figure[] = [];
    async function compare(what: string, run: (database: BenchDatabase) => Promise<number>) {
      say(what);
      const cost = async (database: BenchDatabase) => {
        const began = await serverProcessorSeconds(database.sql);
        const operations = await run(database);
        return (await serverProcessorSeconds(database.sql) - began) / operations * 1e6;
      };
      const measured = await alternate(rounds, [
        { name: "whole", prepare: whole.settle, run: () => cost(whole) },
        { name: "parted", prepare: parted.settle, run: () => cost(parted) },
      ]);
      const [inWhole, inParted] = [measured("whole"), measured("parted")];
      figures.push(
        inform(`${what}: in partitions / in one table`, " ×", ratios(inParted, inWhole)),
        inform(`${what}: in one table`, " µs", inWhole),
      );
    }
    const adoptions = new Map<BenchDatabase, number>();
    await compare("backfill, a member", async (database) => {
      await unassignAll(database.sql);
      adoptions.set(database, await seconds(() => backfillExistingUsers(database.sql)));
      return members;
    });
    figures.push(
      inform("backfill of all in partitions, on the clock", " s", [adoptions.get(parted) ?? NaN]),
      inform("backfill of all in one table, on the clock", " s", [adoptions.get(whole) ?? NaN]),
    );
    for (const { sql } of [whole, parted]) await sql`vacuum (analyze) public.trainer_client_assignments`;
    const some = new Map([
      [whole, await pickMembers(whole.sql, 1000)],
      [parted, await pickMembers(parted.sql, 1000)],
    ]);
    await compare(
      "check",
      (database) =>
        repeat(calls, (turn) =>
          database.sql`select from public.trainer_client_assignments
          where client_id = ${
            some.get(database)?.[turn % 1000] ?? ""
          } and trainer_id = ${DEFAULT_TRAINER_ID} and status = 'active'`),
    );
    await compare(
      "bulk check of 1,000",
      (database) => repeat(calls / 50, () => checkAssignments(database.sql, some.get(database) ?? [])),
    );
    await compare(
      "list, a page of 100",
      ({ sql }) => repeat(calls / 10, () => getTrainerClients(sql, DEFAULT_TRAINER_ID, { limit: 100 })),
    );
    await compare(
      "signup",
      ({ sql }) => repeat(calls, () => sql`insert into public.members (email) values ('new@example.com')`),
    );
    await compare("ending an assignment", async ({ sql }) => {
      const ids = await sql<{ id: string }[]>`
        select id from public.trainer_client_assignments where status = 'active' order by hashtext(id::text) limit ${calls}
      `;
      return await repeat(
        ids.length,
        (turn) =>
          sql`select assignment.end_assignments(array[${ids[turn]?.id ?? null}::uuid], 'manual', 'bench')`,
      );
    });

    say("changing over");
    await backfillExistingUsers(whole.sql);
    await whole.settle();
    for (
      const [what, count] of [[`from one table to ${PARTITIONS} partitions`, PARTITIONS], [
        "and back",
        1,
      ]] as const
    ) {
      const began = await serverProcessorSeconds(whole.sql);
      const clock = await seconds(() => partitionAssignments(whole.url, count));
      figures.push(
        inform(`${what}, processor time`, " s", [await serverProcessorSeconds(whole.sql) - began]),
        inform(`${what}, on the clock`, " s", [clock]),
      );
    }
    await whole.drop();
    await parted.drop();
    return figures;
  },
};

/** Calls one after another; returns how often. */
async function repeat(times: number, call: (turn: number) => Promise<unknown>): Promise<number> {
  for (let turn = 0; turn < times; turn++) await call(turn);
  return times;
}
