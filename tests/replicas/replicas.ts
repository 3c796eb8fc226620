import type { Sql } from "../../src/database/sql.ts";
import { type Service, startService, TOKEN } from "../faults/service.ts";
import { PROJECT_FOLDER } from "../faults/service_copy.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { type HaProxy, startHaProxy } from "../support/haproxy.ts";
import { waitUntil } from "../support/wait_until.ts";

const REPLICAS = 4;
const SLOT_PATTERN = "*/10 * * * * *"; // six fields: each ten seconds

/** Four services as processes of their own, on one database, behind HAProxy. */
export interface Replicas {
  database: TestDatabase;
  services: Service[];
  /** The database role of each, by which the database tells them apart. */
  roles: string[];
  proxy: HaProxy;
  /** Calls the service through the proxy, as an admin. */
  call(request: string, options?: { json?: unknown; headers?: Record<string, string> }): Promise<Response>;
  /** Whether the proxy has passed requests for paths that the pattern matches to every one of the replicas given. */
  haveServed(path: RegExp, replicas: readonly number[]): boolean;
  /** Waits for that. */
  untilServedBy(path: RegExp, replicas: number[]): Promise<void>;
  /** Waits until a replica stands in the proxy's load balancing, or does not. */
  untilReady(replica: number, isReady: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them; each signs in to the database as a role of its own, with the service's rights and no more. */
export async function startReplicas(): Promise<Replicas> {
  const database = await testDatabase();
  const { sql } = database;
  const roles = Array.from({ length: REPLICAS }, (_, index) => `replica_${index + 1}`);
  for (const role of roles) {
    await sql.unsafe(`create role ${role} login password '${new URL(database.url).password}'`);
    await sql`select assignment.grant_service(${role})`;
  }
  await addWitnesses(sql);
  const services = await Promise.all(roles.map((role) =>
    startService({
      databaseUrl: Object.assign(new URL(database.url), { username: role }).href,
      folder: PROJECT_FOLDER,
      environment: { TRUSTED_PROXIES: "1", SHUTDOWN_DELAY_MS: "5000", RECONCILE_CRON: SLOT_PATTERN },
    })
  ));
  const proxy = await startHaProxy(services.map(({ url }) => url));

  const haveServed = (path: RegExp, replicas: readonly number[]) => {
    const lines = proxy.output().split("\n").filter((line) => path.test(line));
    return replicas.every((replica) => lines.some((line) => line.includes(`/replica${replica + 1} `)));
  };

  return {
    database,
    services,
    roles,
    proxy,
    call(request, { json, headers } = {}) {
      const [method = "GET", path = "/"] = request.split(" ");
      return fetch(proxy.url + path, {
        method,
        headers: {
          Authorization: `Bearer ${TOKEN}`,
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
    },
    haveServed,
    untilServedBy: (path, replicas) =>
      waitUntil(`replicas ${replicas} answered ${path}`, () => haveServed(path, replicas)),
    async untilReady(replica, isReady) {
      const changes = new RegExp(`Server ready/replica${replica + 1} is (UP|DOWN)`, "g");
      await waitUntil(`replica ${replica + 1} is ${isReady ? "up" : "down"}`, () => {
        const state = [...proxy.output().matchAll(changes)].at(-1)?.[1] ?? "UP";
        return state === (isReady ? "UP" : "DOWN");
      });
    },
    async stop() {
      await proxy.stop();
      await Promise.all(services.map((service) => service.stop()));
      await sql.unsafe(roles.map((role) => `drop owned by ${role}; drop role ${role}`).join(";"));
      await database.drop();
    },
  };
}

/** Has the database itself note which replica took each step of a run, and made each attempt at a failure. */
async function addWitnesses(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table public.witnessed_steps (run_id uuid, lane smallint, replica text);
    create function public.witness_step() returns trigger security definer language plpgsql as $$
    begin
      insert into public.witnessed_steps values (new.run_id, new.lane, session_user);
      return null;
    end;
    $$;
    create trigger witness_step after update on assignment.backfill_lanes
      for each row execute function public.witness_step();

    create table public.witnessed_attempts (member_id uuid, replica text);
    create function public.witness_attempt() returns trigger security definer language plpgsql as $$
    begin
      insert into public.witnessed_attempts values (new.member_id, session_user);
      return null;
    end;
    $$;
    create trigger witness_attempt after update of attempts on assignment.failures
      for each row execute function public.witness_attempt();
  `);
}
