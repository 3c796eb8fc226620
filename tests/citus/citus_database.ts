import process from "node:process";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { distributeOnCitus } from "../../src/database/citus.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { SERVICE_ROLE, type TestDatabase } from "../support/databases.ts";

/** A node of the cluster, and its server's database `postgres`. */
interface Node {
  name: string;
  port: number;
  url: string;
}

/** A database of a test's own on every node of the cluster that `CITUS_URL` names. */
export interface CitusDatabase extends TestDatabase {
  coordinator: Node;
  /** The nodes that hold shards. */
  workers: readonly Node[];
  /** What a node's own session sees and does. */
  onWorker<T>(node: Node, work: (sql: Sql) => Promise<T>): Promise<T>;
}

/**
 * Makes a database on every node, distributed, with the default trainer as its only member.
 * @param options.shards of members
 * @param options.distributed false leaves it migrated and not distributed
 * @param options.leaveOut adds the cluster's nodes but for so many of the last
 * @param options.beforehand changes the migrated database before it is distributed
 */
export async function citusDatabase(
  { shards = 8, distributed = true, leaveOut = 0, beforehand }: {
    shards?: number;
    distributed?: boolean;
    leaveOut?: number;
    beforehand?: ((sql: Sql) => Promise<void>) | undefined;
  } = {},
): Promise<CitusDatabase> {
  const [coordinator, ...workers] = await findNodes();
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const urlOn = ({ url }: Node) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  for (const node of [coordinator, ...workers]) {
    await onServer(node.url, (sql) => sql.unsafe(`create database ${name}`));
    await onServer(urlOn(node), (sql) => sql`create extension citus`);
  }
  const url = urlOn(coordinator);
  const sql = openDatabase(url, { max: 5, applicationName: "test" });
  await sql`select citus_set_coordinator_host(${coordinator.name}, ${coordinator.port})`;
  for (const worker of workers.slice(0, workers.length - leaveOut)) {
    await sql`select citus_add_node(${worker.name}, ${worker.port})`;
  }
  await makeServiceRole(sql, new URL(url).password);
  await migrateUp(url);
  await sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
  await beforehand?.(sql);
  if (distributed) {
    await sql.unsafe(`alter database ${name} set citus.shard_count = ${shards}`);
    await distributeOnCitus(url, { distributesMembers: true });
  }
  const sessions = [sql];
  const open = (address: string, max: number) => {
    const session = openDatabase(address, { max, applicationName: "test session" });
    sessions.push(session);
    return session;
  };
  const close = async () => {
    await Promise.all(sessions.map((session) => closeDatabase(session, 1)));
  };
  return {
    name,
    url,
    serviceUrl: url,
    sql,
    coordinator,
    workers,
    onWorker: (node, work) => onServer(urlOn(node), work),
    async newServicePool() {
      await sql`select assignment.grant_service(${SERVICE_ROLE})`;
      return open(Object.assign(new URL(url), { username: SERVICE_ROLE }).href, 5);
    },
    newConnection: () => open(url, 1),
    close,
    async drop() {
      await close();
      for (const node of [coordinator, ...workers]) {
        await onServer(node.url, (server) => server.unsafe(`drop database if exists ${name} with (force)`));
      }
    },
  };
}

/** A role belongs to a whole cluster: Citus makes it on every node. Its password is the superuser's. */
async function makeServiceRole(sql: Sql, password: string): Promise<void> {
  if ((await sql`select from pg_roles where rolname = ${SERVICE_ROLE}`).length > 0) return;
  await sql.unsafe(`create role ${SERVICE_ROLE} login password '${password}'`);
}

/** The coordinator first. They are reached by the address, role and password of `CITUS_URL`. */
async function findNodes(): Promise<[Node, ...Node[]]> {
  const url = process.env.CITUS_URL;
  if (url === undefined) throw new Error("CITUS_URL names no coordinator");
  const nodes = await onServer(
    url,
    (sql) =>
      sql<{ name: string; port: number; isCoordinator: boolean }[]>`
        select nodename as name, nodeport as port, groupid = 0 as is_coordinator
        from pg_dist_node
        where noderole = 'primary' and isactive
        order by groupid
      `,
  );
  const [coordinator, ...workers] = nodes.map(({ name, port }) => ({
    name,
    port,
    url: Object.assign(new URL(url), { hostname: name, port: String(port) }).href,
  }));
  if (coordinator === undefined || !nodes[0]?.isCoordinator) {
    throw new Error("the coordinator is not a node of its cluster: select citus_set_coordinator_host(…)");
  }
  return [coordinator, ...workers];
}

async function onServer<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openDatabase(url, { max: 1, applicationName: "test databases" });
  try {
    return await work(sql);
  } finally {
    await closeDatabase(sql);
  }
}
