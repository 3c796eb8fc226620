import { closeDatabase, openDatabase } from "../src/database/connection.ts";
import type { Sql } from "../src/database/sql.ts";
import { migrateDown, migrateUp } from "../src/database/migrate.ts";
import { setDefaultTrainer } from "../src/policy/policies.ts";
import { backfillExistingUsers } from "../src/trainer_assignment.ts";
import { LANES } from "./backfill.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";

const TRAINER_ID = "5b1d2b1c-0c4e-4a54-9d0e-1c8f2b7a6d10";
const QUIET_SECONDS = 5;

/** What an application feels while a database with members of its own is adopted, and left again. */
export const adoption: Claim = {
  name: "adoption",
  summary: "adopting a database of 1,000,000 members of other columns, while members sign up",
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 50_000;
    say(`${members.toLocaleString("en")} members`);
    const database = await server.createDatabase({ migrated: false });
    await createApplication(database.sql, members);
    await database.settle();
    const signUps = await openSignUps(database);
    const quiet = await signUps.during(() => new Promise((end) => setTimeout(end, QUIET_SECONDS * 1000)));

    say("migrate");
    const locks = await watchLocks(database);
    const migrate = await signUps.during(() => migrateUp(database.url));
    const migrateLocksMs = await locks.stop();
    await setDefaultTrainer(database.sql, TRAINER_ID, "bench");
    say("backfill");
    const backfill = await signUps.during(async () => {
      const { failed } = await backfillExistingUsers(database.sql, { lanes: LANES });
      if (failed > 0) throw new Error(`${failed} members failed`);
    });
    const [size] = await database.sql<[{ bytes: number }]>`
      select pg_total_relation_size('public.trainer_client_assignments') / count(*) as bytes
      from public.trainer_client_assignments
    `;
    say("leave");
    const leaveLocks = await watchLocks(database);
    const leave = await signUps.during(() => migrateDown(database.url, { all: true }));
    const leaveLocksMs = await leaveLocks.stop();
    await signUps.close();
    await database.drop();
    return [
      inform("longest signup with nothing else going on", " ms", [quiet.longestMs]),
      inform("migrate", " s", [migrate.seconds]),
      judge("longest signup while it migrates", " ms", [migrate.longestMs], { atMost: 500 }),
      inform("longest lock of migrate that signups wait for", " ms", [migrateLocksMs]),
      inform("backfill of all, by one program of two lanes", " s", [backfill.seconds]),
      inform("longest signup while it backfills, trigger and all", " ms", [backfill.longestMs]),
      inform("disk of an assignment, its indexes included", " bytes", [size.bytes]),
      inform("migrate down --all", " s", [leave.seconds]),
      judge("longest signup while it leaves", " ms", [leave.longestMs], { atMost: 500 }),
      inform("longest lock of leaving that signups wait for", " ms", [leaveLocksMs]),
    ];
  },
};

async function createApplication(sql: Sql, members: number): Promise<void> {
  await sql.unsafe(`
    create table public.members (
      id uuid primary key,
      tenant text not null check (tenant <> ''),
      email text unique,
      profile jsonb not null default '{}'
    );
    create table public.orders (member_id uuid not null references public.members);
    insert into public.members (id, tenant) values ('${TRAINER_ID}', 'north');
    insert into public.members (id, tenant, email)
    select gen_random_uuid(), 'north', 'm' || number || '@example.com' from generate_series(2, ${members}) as number;
  `);
  await sql`vacuum (analyze) public.members`;
}

/** An application whose members sign up one after the other, on a connection of its own. */
async function openSignUps({ url }: BenchDatabase) {
  const sql = openDatabase(url, { max: 1, applicationName: "bench signups" });
  await sql`select`;
  return {
    /** How long the work took, and the longest of the signups meanwhile; none of them may fail. */
    async during(work: () => Promise<unknown>): Promise<{ seconds: number; longestMs: number }> {
      let isOver = false;
      let longestMs = 0;
      const working = seconds(work).finally(() => isOver = true);
      while (!isOver) {
        const began = performance.now();
        await sql`insert into public.members (id, tenant) values (gen_random_uuid(), 'south')`;
        longestMs = Math.max(longestMs, performance.now() - began);
      }
      return { seconds: await working, longestMs };
    },
    close: () => closeDatabase(sql),
  };
}

/** Looks at the locks on members as fast as it can; the longest that one was seen to be held that no insert goes beside. */
async function watchLocks({ url }: BenchDatabase): Promise<{ stop(): Promise<number> }> {
  const sql = openDatabase(url, { max: 1, applicationName: "bench locks" });
  await sql`select`;
  let isOver = false;
  const watching = (async () => {
    let longestMs = 0;
    let since: number | undefined;
    while (!isOver) {
      const held = await sql`
        select from pg_locks
        where relation = 'public.members'::regclass
          and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          and granted
      `;
      if (held.length === 0) since = undefined;
      else {
        since ??= performance.now();
        longestMs = Math.max(longestMs, performance.now() - since);
      }
    }
    await closeDatabase(sql);
    return longestMs;
  })();
  return {
    stop() {
      isOver = true;
      return watching;
    },
  };
}
