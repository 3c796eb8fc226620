import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { delay } from "../../src/deadline.ts";
import { depart, type Departure } from "./departures.ts";
import { type Journal, type Outcome, RolledBack, unlessRolledBack } from "./journal.ts";
import type { Random } from "./random.ts";

export interface LoadOptions {
  journal: Journal;
  random: Random;
  /** Whose assignments end now and then. */
  trainerIds: readonly string[];
  /** Who is assigned by hand now and then. */
  trainerId: string;
  /** Sessions at once. */
  sessions?: number;
  /** Rest of each session between two statements, at most. */
  longestPauseMs?: number;
  /** How often a session ends an assignment, or makes one by hand, instead of signing somebody up. */
  steering?: number;
  /** Three of ten of these times one of this happens instead; see {@link keepDeparted}. */
  departures?: readonly Departure[];
  /** No transaction of more than one statement: so that the time of one statement is what is measured. */
  oneStatementEach?: boolean;
}

export interface Load {
  /** Returns once no statement is under way. */
  stop(): Promise<void>;
}

/**
 * Signs members up, in the many forms that applications use, until it is stopped: one by one, several at once, in
 * transactions, some of them rolled back. Now and then an assignment is ended, or made by hand. Every statement is
 * journaled before it is sent and when it is answered.
 */
export function startLoad(url: string, options: LoadOptions): Load {
  const { sessions = 2 } = options;
  const stopping = new AbortController();
  const work = Array.from({ length: sessions }, () => runSession(url, options, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(work);
    },
  };
}

async function runSession(url: string, options: LoadOptions, signal: AbortSignal): Promise<void> {
  const { journal, longestPauseMs = 10, steering = 0.1, departures = [], oneStatementEach = false } = options;
  const random = options.random.fork();
  const sql = openDatabase(url, { max: 1, applicationName: "load" });
  const known: string[] = [];

  while (!signal.aborted) {
    if (known.length > 0 && random.chance(steering)) {
      if (departures.length > 0 && random.chance(0.3)) {
        await depart(random.pick(departures), sql, journal, random, known);
      } else await steer(sql, options, random, random.pick(known));
    } else {
      const ids = Array.from({ length: random.pick([1, 1, 1, 2, 5, 20]) }, random.uuid);
      const outcome = await journal.record(
        "signup",
        ids,
        () => signUp(sql, ids, random.integer(0, oneStatementEach ? 2 : 4)),
      );
      if (outcome === "acknowledged") known.push(...ids);
      if (outcome === "unknown") await delay(20, signal);
    }
    if (longestPauseMs > 0) await delay(random.integer(0, longestPauseMs), signal);
  }
  await closeDatabase(sql, 1);
}

async function signUp(sql: Sql, ids: string[], form: number): Promise<Outcome> {
  const [first = "", ...others] = ids;
  switch (form) {
    case 0:
      await sql`insert into public.members ${sql(ids.map((id) => ({ id })), "id")}`;
      return "acknowledged";
    case 1:
      await sql`
        insert into public.members (id)
        select unnest(${ids}::uuid[])
        on conflict (id) do update set id = excluded.id
      `;
      return "acknowledged";
    case 3:
      await sql.begin(async (transaction) => {
        await transaction`insert into public.members (id) values (${first})`;
        for (const id of others) await transaction`insert into public.members (id) values (${id})`;
      });
      return "acknowledged";
    case 4:
      return await unlessRolledBack(sql.begin(async (transaction) => {
        await transaction`insert into public.members (id) select unnest(${ids}::uuid[])`;
        throw new RolledBack();
      }));
    default:
      await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
      return "acknowledged";
  }
}

async function steer(
  sql: Sql,
  { journal, trainerId, trainerIds }: LoadOptions,
  random: Random,
  memberId: string,
): Promise<void> {
  if (random.chance(0.7)) {
    await endAssignment(sql, journal, memberId, random.pick(trainerIds));
  } else {
    await assignByHand(sql, journal, memberId, trainerId);
  }
}

/** Assigns a member, unless the assignment is there already. */
export async function assignByHand(
  sql: Sql,
  journal: Journal,
  memberId: string,
  trainerId: string,
): Promise<void> {
  await journal.record("assign", [memberId, trainerId], async ({ actor, requestId }) => {
    await sql`
      select assignment.assign_member(${memberId}, ${trainerId}, p_actor => ${actor}, p_request_id => ${requestId})
    `;
  });
}

/** Ends an assignment, if there is one. */
export async function endAssignment(
  sql: Sql,
  journal: Journal,
  memberId: string,
  trainerId: string,
): Promise<void> {
  await journal.record("end", [memberId, trainerId], async ({ actor, requestId }) => {
    const [row] = await sql<[{ ended: boolean }]>`
      select assignment.end_assignment(${memberId}, ${trainerId}, ${actor}, ${requestId}) as ended
    `;
    return row.ended ? "acknowledged" : "failed";
  });
}

/**
 * Adds members whom the trigger does not see, as if they were there before it, and journals them.
 * @param firstDigits of their ids: `00` puts them where a run has been early
 */
export async function giveMembers(
  sql: Sql,
  journal: Journal,
  random: Random,
  count: number,
  firstDigits = "",
): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) {
    const ids = Array.from(
      { length: Math.min(10_000, count - all.length) },
      () => firstDigits + random.uuid().slice(firstDigits.length),
    );
    await journal.record("given", ids, async () => {
      await sql.begin(async (transaction) => {
        await transaction`set local citus.propagate_set_commands = 'local'`; // on a cluster: so do the nodes
        await transaction`set local session_replication_role = replica`;
        await transaction`insert into public.members (id) select unnest(${ids}::uuid[])`;
      });
    });
    all.push(...ids);
  }
  await sql`analyze public.members`;
  return all;
}

export async function countMembers(sql: Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select count(*) from public.members`;
  return row.count;
}
