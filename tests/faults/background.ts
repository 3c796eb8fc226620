import { startBackgroundWork } from "../../src/commands/background.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { KEY } from "./webhooks.ts";
import type { World } from "./world.ts";

const SERVICE = "service";

/** Starts, in this process, the work that the service does besides answering. */
export function startWork(world: World): void {
  const pool = openDatabase(world.server.url, { max: 6, applicationName: SERVICE });
  const background = startBackgroundWork({ sql: pool, log: silentLogger }, {
    backfillLanes: 2,
    backfillMaxReplicaLagMs: 10_000,
    backfillRestRatio: 0,
    reconcileCron: null,
    webhookKeys: [KEY],
    webhookAllowPrivate: true,
  });
  world.atEnd(async () => {
    await background.stop();
    await closeDatabase(pool, 1);
  });
}

/** Cuts that work off from the database: what it does at the moment is rolled back. */
export async function cutService(sql: Sql): Promise<void> {
  await sql`
    select pg_terminate_backend(pid)
    from pg_stat_activity
    where application_name = ${SERVICE} and datname = current_database()
  `;
}
