import { REQUEST_TIMEOUT_MS } from "../../../src/http/time_limit.ts";
import { startBackfill } from "../../../src/runs/runs.ts";
import { startCallers } from "../callers.ts";
import { type Experiment, type Report, type Scale, sized } from "../experiment.ts";
import { addKnownMembers, checkInTurn, type KnownMember } from "../known_members.ts";
import { giveMembers } from "../load.ts";
import { type Mode, type Proxy, startProxy } from "../proxy.ts";
import { watchReadiness } from "../readiness.ts";
import { awaitEnd, eventually, watchCounters } from "../runs.ts";
import type { Service } from "../service.ts";
import { expectWholePool } from "../whole_pool.ts";
import { inWorld, type World } from "../world.ts";

/** What the network does. */
interface Fault {
  name: string;
  mode: Mode;
  /** What it does in the moment in which it heals. */
  heals?: Mode;
  /** Whether the database cannot be reached meanwhile; else new connections can. */
  cutsOff: boolean;
  /** Left out of the short version, which has another of the kind. */
  fullOnly?: boolean;
}

const faults: readonly Fault[] = [
  { name: "black hole", mode: "black_hole", cutsOff: true, fullOnly: true },
  { name: "black hole, and all forgotten", mode: "black_hole", heals: "half_open", cutsOff: true },
  { name: "half open", mode: "half_open", cutsOff: false, fullOnly: true },
  { name: "abandoned", mode: "abandon", cutsOff: false },
  { name: "drip", mode: "drip", cutsOff: true },
  { name: "reset", mode: "reset", cutsOff: true },
];

const poolSize = 6;
/** With those for two lanes and what goes on beside them, and those of health and metrics. */
const allConnections = poolSize + 2 + 3 + 2;
const healthTimeoutMs = 3_000;
/** A look may begin with what was answered before; and for all that has a bound, what a busy machine takes besides. */
const graceMs = 500;
const slackMs = 5_000;
const longestRecoveryMs = 20_000;

/** The network between the service and its database, in every way in which it fails. */
export const network: Experiment = {
  name: "network",
  summary:
    "packets vanish, connections are half gone, drip or are reset: no wrong answer, bounded waits, all connections back",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, { ownServer: false }, async (world) => {
      const { server } = world;
      const proxy = await startProxy({ to: Number(new URL(server.url).port) });
      world.atEnd(() => proxy.close());
      const service = await world.startService({
        databaseUrl: proxy.url(server.url),
        environment: { DATABASE_POOL_SIZE: String(poolSize) },
      });
      const load = world.startLoad({ longestPauseMs: 50 });
      const known = await addKnownMembers(world);
      const rounds = sized(scale, { short: 1, full: 3, long: 100 });
      const suffered = new Map<string, Suffered[]>();
      for (let round = 0; round < rounds; round++) {
        for (const fault of faults.filter(({ fullOnly }) => scale !== "short" || !fullOnly)) {
          const outcome = await suffer({ world, proxy, service, report, scale, known }, fault);
          suffered.set(fault.name, [...suffered.get(fault.name) ?? [], outcome]);
        }
      }
      await load.stop();
      for (const [name, outcomes] of suffered) describe(name, outcomes, report);
      report.figure("rounds", rounds);
      await world.judge({ runsEnded: true, noStragglers: true });
    });
  },
};

interface Scene {
  world: World;
  proxy: Proxy;
  service: Service;
  report: Report;
  scale: Scale;
  known: readonly KnownMember[];
}

/** One fault's measures, in milliseconds; those of what is back to normal count from the moment of healing. */
interface Suffered {
  lasted: number;
  answers: readonly (readonly [answer: string, times: number])[];
  longest: number;
  checksAfter: number;
  readyAfter: number;
  runEndedAfter: number;
}

async function suffer(scene: Scene, { name, mode, heals, cutsOff }: Fault): Promise<Suffered> {
  const { world, proxy, service, report, scale, known } = scene;
  const { sql, journal, random, trainerId } = world;
  await giveMembers(sql, journal, random, 1_000);
  const [{ members }] = await sql<[{ members: number }]>`select count(*) as members from public.members`;
  const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: Math.ceil(members / 200) });
  const counters = watchCounters(() => sql, run.id, report);
  const readiness = watchReadiness(service);
  const checks = startCallers(checkInTurn(service, known, report), 8);
  const lists = startCallers(() => service.call(`GET /v1/trainers/${trainerId}/clients?limit=1`));
  const all = [checks, lists, readiness, counters];
  const stopAll = () => Promise.all(all.map((each) => each.stop()));
  world.atEnd(() => Promise.race([stopAll(), Promise.resolve()])); // they end with the service
  await eventually(report, "the run gets under way", 30_000, async () => {
    const [row] = await sql<[{ isUnderWay: boolean }]>`
      select processed > 0 as is_under_way from assignment.backfill_progress where id = ${run.id}
    `;
    return row.isUnderWay;
  });

  const brokenAt = performance.now();
  proxy.setMode(mode);
  if (cutsOff) {
    const holdMs = sized(scale, {
      short: 0,
      full: random.integer(0, 40_000),
      long: random.integer(0, 90_000),
    });
    const isNoticed = () =>
      readiness.looks.some(({ answeredAt, isReady }) => answeredAt > brokenAt && !isReady);
    await eventually(
      report,
      "/readyz says no while the database cannot be reached",
      holdMs + 2 * slackMs,
      () => Promise.resolve(isNoticed() && performance.now() - brokenAt > holdMs),
    );
  }
  const healedAt = performance.now();
  if (heals) proxy.setMode(heals);
  proxy.setMode("pass");
  await eventually(report, "checks are answered again", longestRecoveryMs, () => answersMany(scene));
  const checksAfter = performance.now() - healedAt;
  const isReadyAgain = () => readiness.looks.some(({ askedAt, isReady }) => askedAt > healedAt && isReady);
  await eventually(
    report,
    "/readyz says yes again",
    longestRecoveryMs,
    () => Promise.resolve(isReadyAgain()),
  );
  await awaitEnd(() => sql, run.id, report, sized(scale, { short: 40_000, full: 120_000, long: 120_000 }));
  const runEndedAfter = performance.now() - healedAt;
  await stopAll();

  for (const { askedAt, answeredAt, isReady } of cutsOff ? readiness.looks : []) {
    const isHonest = !isReady || askedAt < brokenAt + graceMs || answeredAt > healedAt;
    report.expect(isHonest, "/readyz is honest", `${name}: ready in the midst of it`);
  }
  const slowestLook = Math.max(...readiness.looks.map(({ askedAt, answeredAt }) => answeredAt - askedAt));
  report.expect(
    slowestLook < healthTimeoutMs + slackMs,
    "/readyz answers in time",
    `${name}: ${slowestLook} ms`,
  );
  const longest = Math.max(checks.longestMs(), lists.longestMs());
  report.expect(
    longest < REQUEST_TIMEOUT_MS + slackMs,
    "every request ends in time",
    `${name}: ${longest} ms`,
  );
  const answers = [...checks.answers, ...lists.answers];
  for (const [answer] of answers) {
    const isExpected = ["200", "503 database_unavailable", "503 database_busy"].includes(answer);
    report.expect(
      isExpected,
      "others hear that the database is away, and nothing else",
      `${name}: ${answer}`,
    );
  }
  await expectWholePool(world, service, proxy, { poolSize, allConnections, runId: run.id, report });
  const readyAt = readiness.looks.find(({ askedAt, isReady }) => askedAt > healedAt && isReady)?.answeredAt;
  return {
    lasted: healedAt - brokenAt,
    answers,
    longest,
    checksAfter,
    readyAfter: (readyAt ?? Infinity) - healedAt,
    runEndedAfter,
  };
}

/** The worst of all rounds. */
function describe(name: string, outcomes: readonly Suffered[], report: Report): void {
  const worst = (pick: (outcome: Suffered) => number) => `${Math.round(Math.max(...outcomes.map(pick)))} ms`;
  const answers = outcomes.flatMap((outcome) => outcome.answers);
  const count = (those: typeof answers) => those.reduce((sum, [, times]) => sum + times, 0);
  report.figure(
    `${name}, for up to ${worst(({ lasted }) => lasted)}`,
    `${count(answers)} answers, ${count(answers.filter(([answer]) => answer !== "200"))} of them 503; ` +
      `the longest took ${worst(({ longest }) => longest)}`,
  );
  report.figure(
    `${name}: back to normal within`,
    `checks ${worst(({ checksAfter }) => checksAfter)}, /readyz ${worst(({ readyAfter }) => readyAfter)}, ` +
      `the run's end ${worst(({ runEndedAfter }) => runEndedAfter)}`,
  );
}

async function answersMany({ service, known, report }: Scene): Promise<boolean> {
  const responses = await Promise.all(
    Array.from({ length: poolSize * 4 }, checkInTurn(service, known, report)),
  );
  await Promise.all(responses.map((response) => response.body?.cancel()));
  return responses.every(({ status }) => status === 200);
}
