import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { collectNotes } from "../../src/database/notes.ts";
import { citusDatabase } from "../citus/citus_database.ts";
import { crash, persist } from "../citus/crashes.ts";
import { moveAShard } from "../citus/shards.ts";
import { refuseAssignments } from "../support/members.ts";
import { makePlain } from "./cluster_copy.ts";
import type { PlantedBug } from "./planted_bug.ts";
import type { Random } from "./random.ts";
import { pause } from "./runs.ts";

/** How many sessions an experiment's pool has. */
export const EXPERIMENT_SESSIONS = 5;

/** A database on a Citus cluster, and what happens to its nodes. */
export interface Cluster {
  url: string;
  /** Crashes a worker's server and returns when it is back, and the experiment's pool has noticed. */
  crashWorker(pool: Sql): Promise<void>;
  /** As `crashWorker`, the coordinator's. */
  crashCoordinator(pool: Sql): Promise<void>;
  /** Moves a shard to another worker. */
  moveShard(): Promise<void>;
  /**
   * Waits until every node answers and has ended what a crash left prepared, puts off retries, and collects what nodes
   * have to tell. No snapshot spans them all, so nothing may happen when they are read.
   */
  settle(): Promise<void>;
  /** Makes plain tables, in a database without a cluster, of all that the cluster holds. */
  copyTo(plain: Sql): Promise<void>;
  remove(): Promise<void>;
}

const SHARDS = 8;
const RECOVER_EVERY_MS = 1_000;

/** Makes a database on every node of the cluster that `CITUS_URL` names. */
export async function makeCluster(random: Random, plant: PlantedBug | undefined): Promise<Cluster> {
  const database = await citusDatabase({ shards: SHARDS, beforehand: plant?.database });
  const { url, sql, coordinator, workers } = database;
  await sql.unsafe(`alter database ${database.name} set citus.enable_unsafe_triggers = on`);
  await onSession(url, (session) => refuseAssignments(session, "false"));
  const recovering = recoverSteadily(url);
  const settle = async () => {
    await recover(url);
    await onSession(url, async (session) => {
      await session`update assignment.failures set next_attempt_at = now() + interval '1 hour'`;
      await collectNotes(session);
    });
  };
  return {
    url,
    async crashWorker(pool) {
      await crash(database, random.pick(workers));
      await recover(url);
      await wake(pool);
    },
    async crashCoordinator(pool) {
      await crash(database, coordinator);
      await recover(url);
      await wake(pool);
    },
    moveShard: () => persist(() => moveAShard(database)),
    settle,
    async copyTo(plain) {
      await settle();
      await onSession(url, (session) => makePlain(session, plain));
    },
    async remove() {
      await recovering.stop();
      await recover(url);
      await database.drop();
    },
  };
}

/** Waits until every node answers, and ends transactions that a crash left prepared. */
async function recover(url: string): Promise<void> {
  await persist(() =>
    onSession(url, async (sql) => {
      const away = await sql`select from run_command_on_all_nodes('select 1') where not success`;
      if (away.length > 0) throw new Error(`${away.length} nodes are away`);
      await sql`select recover_prepared_transactions()`;
    })
  );
}

/** Asks by a pool until it gives no error: each session notices only by one that it has lost a worker. */
async function wake(pool: Sql): Promise<void> {
  await persist(async () => {
    const asking = Array.from(
      { length: 2 * EXPERIMENT_SESSIONS },
      () => pool`select pg_sleep(0.05) from (select count(*) from public.members) as counted`,
    );
    for (const asked of await Promise.allSettled(asking)) {
      if (asked.status === "rejected") throw asked.reason;
    }
  });
}

/** Does every second what Citus does every minute: ends transactions that a crash left prepared, and their locks. */
function recoverSteadily(url: string): { stop(): Promise<void> } {
  let isStopped = false;
  const work = (async () => {
    while (!isStopped) {
      await onSession(url, (sql) => sql`select recover_prepared_transactions()`).catch(() => {}); // a node is away
      await pause(RECOVER_EVERY_MS);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await work;
    },
  };
}

async function onSession<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openDatabase(url, { max: 1, applicationName: "cluster" });
  try {
    return await work(sql);
  } finally {
    await closeDatabase(sql, 1);
  }
}
