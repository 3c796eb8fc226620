import { join } from "node:path";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { testDatabase } from "../support/databases.ts";
import { type PostgresVersion, startTestServer, type TestServer } from "../support/servers.ts";
import { copyTemplate } from "../support/template.ts";
import type { ExperimentOptions, Report } from "./experiment.ts";
import { Journal } from "./journal.ts";
import { type Load, type LoadOptions, startLoad } from "./load.ts";
import { consultOracle, countJournal, type OracleOptions } from "./oracle.ts";
import { type Random, seededRandom } from "./random.ts";
import { type Service, startService } from "./service.ts";
import { copyService, PROJECT_FOLDER } from "./service_copy.ts";

/** What an experiment plays with: a real server of its own, services, a journal; all of it gone at the end. */
export interface World {
  server: TestServer;
  /** The superuser's own connections, past whatever proxy services go through. */
  sql: Sql;
  random: Random;
  journal: Journal;
  trainerId: string;
  /** A folder for what the experiment keeps. */
  folder: string;
  startService(options?: { databaseUrl?: string; environment?: Record<string, string> }): Promise<Service>;
  startLoad(options?: Partial<LoadOptions> & { url?: string }): Load;
  /** Lets something be closed at the end, before the server. */
  atEnd(close: () => Promise<unknown>): void;
  /** Opens the superuser's connections anew, to wherever the data is now. */
  reopen(url: string): Promise<Sql>;
  /** Asks the oracle and puts the answer and the journal's figures into the report. */
  judge(options?: Partial<OracleOptions>): Promise<void>;
}

export interface WorldOptions {
  version?: PostgresVersion;
  /** Server settings that need a restart or a reload; set before anything happens. */
  settings?: Record<string, string>;
  /** Leaves the database empty. */
  migrated?: boolean;
  /** false: nothing happens to the server itself, so a database on the tests' common one will do. */
  ownServer?: boolean;
}

/** What hangs must not keep the rest, a server above all, from being closed. */
const longestCloseMs = 30_000;

/** Of worlds that are open: what takes them down, and whose they are. */
const openWorlds = new Map<() => Promise<void>, Report>();

/** Takes down what an experiment has open; all there is, for a process that is told to stop. */
export async function takeDownWorlds(owner?: Report): Promise<void> {
  const chosen = [...openWorlds].filter(([, report]) => owner === undefined || report === owner);
  await Promise.all(chosen.map(([takeDown]) => takeDown()));
}

/** Makes a world, does something in it, and takes it down whatever happened. */
export async function inWorld(
  { seed, report, plant }: ExperimentOptions,
  { version = "18", settings = {}, migrated = true, ownServer = true }: WorldOptions,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-faults-" });
  const isShared = !ownServer && Deno.env.has("TEST_DATABASE_URL");
  const server = isShared ? await shareServer() : await startTestServer(version);
  let sql = openDatabase(server.url, { max: 5, applicationName: "experiment" });
  const journal = Journal.open(join(folder, "journal"));
  const random = seededRandom(seed);
  let services: Promise<string> | undefined;
  const takeDown = async () => {
    if (!openWorlds.delete(takeDown)) return;
    const closing = [
      ...closers.toReversed(),
      () => closeDatabase(sql, 1),
      () => server.remove(),
      () => Promise.resolve(journal.close()),
      () => Deno.remove(folder, { recursive: true }),
    ];
    const troubles: unknown[] = [];
    for (const close of closing) await within(longestCloseMs, close()).catch((error) => troubles.push(error));
    if (troubles.length > 0) throw new AggregateError(troubles, `cannot take down: ${troubles.join("; ")}`);
  };
  openWorlds.set(takeDown, report);

  try {
    for (const [name, value] of Object.entries(settings)) {
      await sql.unsafe(`alter system set ${name} = '${value}'`);
    }
    if (Object.keys(settings).length > 0) {
      await server.stop();
      await server.start();
    }
    if (migrated && !isShared) {
      await copyTemplate(server.url);
    }
    if (migrated) await plant?.database?.(sql);
    await work({
      server,
      get sql() {
        return sql;
      },
      random,
      journal,
      trainerId: DEFAULT_TRAINER_ID,
      folder,
      async startService({ databaseUrl = server.url, environment } = {}) {
        services ??= plant?.sources
          ? copyService(join(folder, "service"), plant.sources)
          : Promise.resolve(PROJECT_FOLDER);
        const service = await startService({ databaseUrl, environment, folder: await services });
        closers.push(() => service.stop());
        return service;
      },
      startLoad({ url = server.url, ...options } = {}) {
        const load = startLoad(url, {
          journal,
          random: random.fork(),
          trainerId: DEFAULT_TRAINER_ID,
          trainerIds: [DEFAULT_TRAINER_ID],
          ...options,
        });
        closers.push(() => load.stop());
        return load;
      },
      atEnd: (close) => void closers.push(close),
      async reopen(url) {
        await closeDatabase(sql, 1);
        return sql = openDatabase(url, { max: 5, applicationName: "experiment" });
      },
      async judge(options = {}) {
        for (
          const { rule, detail } of await consultOracle(sql, journal.path, {
            trainerId: DEFAULT_TRAINER_ID,
            ...options,
          })
        ) {
          report.violate(rule, detail);
        }
        const { acknowledged, failed, unknown, medianMs, longestMs } = await countJournal(journal.path);
        report.figure(
          "signup statements",
          `${acknowledged} acknowledged, ${failed} failed or rolled back, ${unknown} unknown`,
        );
        report.figure("a signup took", `${medianMs} ms at the median, ${longestMs} ms at most`);
      },
    });
  } finally {
    await takeDown();
  }
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it does not close within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

/** A migrated database of its own on the server that `deno task test` started. */
async function shareServer(): Promise<TestServer> {
  const database = await testDatabase();
  const refuse = () => Promise.reject(new Error("the common server stays as it is"));
  return { url: database.url, folder: "", start: refuse, stop: refuse, remove: () => database.drop() };
}
