import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { openServicePools, type ServicePools } from "../../src/database/service_pools.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { startTestServer, testedVersion, type TestServer } from "./servers.ts";
import { startStandby } from "./standby.ts";
import { waitUntil } from "./wait_until.ts";

/** A migrated database of the version under test, and its streaming standby, whose queries yield to what it replays. */
export interface ReplicatedDatabase {
  primary: TestServer;
  standby: TestServer;
  /** The primary as superuser. */
  sql: Sql;
  /** The standby as superuser. */
  there: Sql;
  /** The primary as the service opens it, by its role. */
  pools: ServicePools;
  /** A server's address for the service's role. */
  asService(server: TestServer): string;
  /** Returns when nothing is replayed any more. */
  pauseReplay(): Promise<void>;
  remove(): Promise<void>;
}

export const REPLICA_ROLE = "replica_reader";

/** Makes both, the default trainer their only member; three seconds or so. */
export async function replicatedDatabase(): Promise<ReplicatedDatabase> {
  const version = testedVersion();
  const primary = await startTestServer(version);
  const standby = await startStandby(primary, {
    max_standby_streaming_delay: "0",
    wal_retrieve_retry_interval: "100ms", // of 5 s, which each of its starts might take
  });
  await migrateUp(primary.url);
  const sql = openDatabase(primary.url, { max: 3, applicationName: "test" });
  const there = openDatabase(standby.url, { max: 3, applicationName: "test" });
  await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
  await sql.unsafe(`create role ${REPLICA_ROLE} login password '${new URL(primary.url).password}'`);
  await sql`select assignment.grant_service(${REPLICA_ROLE})`;

  const asService = ({ url }: TestServer) => Object.assign(new URL(url), { username: REPLICA_ROLE }).href;
  const pools = await openServicePools(asService(primary), {
    requestConnections: 5,
    statementTimeoutMs: 15_000,
    backfillLanes: 1,
  });
  return {
    primary,
    standby,
    sql,
    there,
    pools,
    asService,
    async pauseReplay() {
      await there`select pg_wal_replay_pause()`;
      await waitUntil("replay is paused", async () => {
        const [row] = await there<[{ state: string }]>`select pg_get_wal_replay_pause_state() as state`;
        return row.state === "paused";
      });
    },
    async remove() {
      await pools.close();
      await closeDatabase(sql, 1);
      await closeDatabase(there, 1);
      await standby.remove();
      await primary.remove();
    },
  };
}
