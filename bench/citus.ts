import process from "node:process";
import { batchChecks } from "../src/assignments/batched_checks.ts";
import { checkAssignments } from "../src/assignments/checks.ts";
import { getTrainerClients } from "../src/assignments/clients.ts";
import { closeDatabase, openDatabase } from "../src/database/connection.ts";
import type { Sql } from "../src/database/sql.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID, transferClients } from "../src/trainer_assignment.ts";
import { citusDatabase } from "../tests/citus/citus_database.ts";
import { type Bench, type Claim, type Figure, inform, judge } from "./support/claim.ts";
import { alternate } from "./support/rounds.ts";
import { serverProcessorSeconds } from "./support/processor_time.ts";
import { startBenchServer } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

const AT_ONCE = 64;
const LANES = 2;

/** Where the same is done: one server, or a coordinator and its workers. */
interface Place {
  sql: Sql;
  url: string;
  /** A session on each server, which tells of its processor time. */
  servers: Sql[];
}

/** What one operation takes of all servers and of this process, and how many there are in a second. */
interface Measured {
  rate: number;
  us: number;
}

interface Operation {
  name: string;
  prepare?(place: Place): Promise<unknown>;
  /** Returns how many operations it did. */
  run(place: Place): Promise<number>;
}

/**
 * One server of PostgreSQL 15 against the cluster that CITUS_URL names, with the same members on the same processors: what an
 * operation costs of all servers and the service together. It says nothing of what more machines would add.
 */
export const citus: Claim = {
  name: "citus",
  summary:
    "each operation on one server and on a coordinator with two workers (CITUS_URL): processor time and rate",
  async run(bench) {
    if (process.env.CITUS_URL === undefined) {
      bench.say("CITUS_URL names no coordinator: not measured");
      return [];
    }
    const server = await startBenchServer("15");
    const database = await server.createDatabase();
    const cluster = await citusDatabase({ shards: 32 });
    await cluster.sql.unsafe(`alter database ${cluster.name} set citus.max_adaptive_executor_pool_size = 1`); // as the service's role
    const pool = openDatabase(cluster.url, { max: 5, applicationName: "bench" });
    const workers = await Promise.all(cluster.workers.map((worker) => openWorker(cluster.url, worker)));
    try {
      return await compare(bench, {
        one: { sql: database.sql, url: database.url, servers: [database.sql] },
        cluster: { sql: pool, url: cluster.url, servers: [pool, ...workers] },
      });
    } finally {
      await Promise.all([pool, ...workers].map((each) => closeDatabase(each)));
      await cluster.drop();
      await database.drop();
      await server.remove();
    }
  },
};

function openWorker(url: string, { name, port }: { name: string; port: number }): Promise<Sql> {
  const address = Object.assign(new URL(url), { hostname: name, port: String(port) });
  return Promise.resolve(openDatabase(address.href, { max: 1, applicationName: "bench" }));
}

async function compare({ isFull, say }: Bench, places: { one: Place; cluster: Place }): Promise<Figure[]> {
  const members = isFull ? 200_000 : 20_000;
  say(`${members.toLocaleString("en")} members, alternating`);
  for (const { sql } of Object.values(places)) await addMembers(sql, members);
  const figures: Figure[] = [];
  for (const operation of operationsOn(members)) {
    const measured = { one: [] as Measured[], cluster: [] as Measured[] };
    const turn = (name: "one" | "cluster") => ({
      name,
      prepare: () => operation.prepare?.(places[name]) ?? Promise.resolve(),
      async run() {
        const result = await measure(places[name], operation);
        measured[name].push(result);
        return result.rate;
      },
    });
    const rate = await alternate(isFull ? 5 : 2, [turn("one"), turn("cluster")]);
    const us = (name: "one" | "cluster") => measured[name].map((result) => result.us);
    const { name } = operation;
    if (name === "check") figures.push(judge("check, on the cluster", " µs", us("cluster"), { atMost: 120 }));
    if (name === "backfill") {
      figures.push(
        judge(
          "backfill, rate for the same processor time / one server",
          "",
          ratios(us("one"), us("cluster")),
          {
            atLeast: 0.9,
          },
        ),
      );
    }
    figures.push(
      inform(`${name}: one server`, " µs", us("one")),
      inform(`${name}: cluster`, " µs", us("cluster")),
      inform(`${name}: one server, rate`, "/s", rate("one")),
      inform(`${name}: cluster, rate`, "/s", rate("cluster")),
    );
  }
  return figures;
}

async function measure(place: Place, operation: Operation): Promise<Measured> {
  const processor = async () => {
    const { user, system } = process.cpuUsage();
    const servers = await Promise.all(place.servers.map(serverProcessorSeconds));
    return (user + system) / 1e6 + servers.reduce((sum, seconds) => sum + seconds, 0);
  };
  const before = await processor();
  const began = performance.now();
  const operations = await operation.run(place);
  const took = (performance.now() - began) / 1000;
  return { rate: operations / took, us: (await processor() - before) * 1e6 / operations };
}

async function addMembers(sql: Sql, count: number): Promise<void> {
  await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${count}::integer)`;
  await sql`analyze public.members`;
  await sql`analyze public.trainer_client_assignments`;
}

function operationsOn(members: number): Operation[] {
  let known: string[] = [];
  const learn = async ({ sql }: Place) => {
    const rows = await sql<{ id: string }[]>`select id from public.members order by id limit 5000`;
    known = rows.map(({ id }) => id);
  };
  const times = (count: number, work: (at: number) => Promise<unknown>) =>
    atOnce(count, work).then(() => count);
  return [
    {
      name: "check",
      prepare: learn,
      run({ sql }) {
        const check = batchChecks(sql);
        return times(members, (at) => check(known[at % known.length] ?? ""));
      },
    },
    {
      name: "bulk check, an id",
      prepare: learn,
      async run({ sql }) {
        const ids = known.slice(0, 1000);
        for (let turn = 0; turn < 20; turn++) await checkAssignments(sql, ids);
        return 20 * ids.length;
      },
    },
    {
      name: "page of 100 clients",
      run: ({ sql }) => times(500, () => getTrainerClients(sql, DEFAULT_TRAINER_ID, { limit: 100 })),
    },
    {
      name: "signup",
      run: ({ sql }) =>
        times(members / 20, () => sql`insert into public.members (id) values (${crypto.randomUUID()})`),
    },
    {
      name: "signup, in one INSERT … SELECT",
      async run({ sql }) {
        await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, ${
          members / 4
        }::integer)`;
        return members / 4;
      },
    },
    {
      name: "backfill",
      async prepare({ sql }) {
        await sql`delete from public.trainer_client_assignments`;
        await sql`vacuum public.trainer_client_assignments`;
      },
      run: async ({ sql }) => (await backfillExistingUsers(sql, { lanes: LANES })).successful,
    },
    {
      name: "transfer",
      async prepare({ sql }) {
        const [heir] = await sql<{ id: string }[]>`insert into public.members default values returning id`;
        await sql`
          update public.trainer_client_assignments
          set trainer_id = ${DEFAULT_TRAINER_ID} where status = 'active' and trainer_id <> ${DEFAULT_TRAINER_ID}
        `;
        known = [heir?.id ?? ""];
      },
      async run({ sql }) {
        const [trainerId = ""] = known;
        const result = await transferClients(sql, {
          fromTrainerId: DEFAULT_TRAINER_ID,
          trainerId,
          lanes: LANES,
        });
        return result.successful;
      },
    },
  ];
}

/** Does so many, {@link AT_ONCE} under way. */
async function atOnce(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let at = next++; at < count; at = next++) await work(at);
  }));
}
