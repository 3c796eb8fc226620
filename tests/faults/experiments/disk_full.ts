import { startBackfill } from "../../../src/runs/runs.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { type PostgresVersion, versionsOfThisMachine } from "../../support/servers.ts";
import { type Callers, describeAnswers, startCallers } from "../callers.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { readJournal } from "../journal.ts";
import { giveMembers } from "../load.ts";
import { awaitEnd, eventually, pause } from "../runs.ts";
import { putTablesOnSmallDisk, putWalOnSmallDisk } from "../server_disks.ts";
import type { Service } from "../service.ts";
import { inWorld, type World } from "../world.ts";

const away = "503 database_unavailable";
const busy = "503 database_busy"; // an assignment that a batch is just making is waited for, but not for long

/** What lies on the disk, and what callers may hear beside success. */
const disks = [
  { name: "tables", put: putTablesOnSmallDisk, toReaders: [], toWriters: [away, busy] },
  { name: "log", put: putWalOnSmallDisk, toReaders: [away], toWriters: [away, busy] },
];

/** How long the disk stays full, time after time; the last time is longer than a run would wait for anything else. */
const holds = { short: [500], full: [2_000, 8_000, 150_000], long: [...Array(50).fill(5_000), 1_800_000] };

/** A disk of the database's that is full for a while. */
export const diskFull: Experiment = {
  name: "disk_full",
  summary:
    "the database's disk full, under the tables or under its log, then space again: 503s, then all is well by itself",
  async run(options) {
    const versions = sized<PostgresVersion[]>(options.scale, {
      short: ["18"],
      full: await versionsOfThisMachine(),
      long: ["15", "16", "17", "18"],
    });
    for (const version of versions) {
      for (const disk of disks) await fillAndFree(version, disk, options);
    }
  },
};

async function fillAndFree(
  version: PostgresVersion,
  { name, put, toReaders, toWriters }: typeof disks[number],
  options: ExperimentOptions,
): Promise<void> {
  const { report, scale } = options;
  await inWorld(options, { version }, async (world) => {
    const { sql, journal, random, trainerId } = world;
    const figure = (label: string, value: string) => report.figure(`${version}, ${name}: ${label}`, value);
    const disk = await put(world);
    const service = await world.startService({
      environment: { BACKFILL_REST_RATIO: "4", DATABASE_POOL_SIZE: "5" },
    });
    const load = world.startLoad({ longestPauseMs: 40 });
    const members = await giveMembers(sql, journal, random, 1_000);
    const readers = startCallers(() =>
      random.chance(0.2)
        ? service.call(`GET /v1/trainers/${trainerId}/clients?limit=100`)
        : service.call(`GET /v1/members/${random.pick(members)}/assignment`)
    );
    const writers = startCallers(() =>
      service.call(`PUT /v1/trainers/${trainerId}/clients/${random.pick(members)}`)
    );
    world.atEnd(() => Promise.all([readers.stop(), writers.stop()]));

    let longestMs = 0;
    for (const holdMs of sized(scale, holds)) {
      members.push(...await giveMembers(sql, journal, random, 5_000));
      const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 25 });
      await disk.fill();
      await isFelt(world, writers, report);
      await pause(holdMs);
      const began = performance.now();
      await disk.free();
      await eventually(report, "the service writes again", 60_000, () => canWrite(service, trainerId));
      longestMs = Math.max(longestMs, performance.now() - began);
      const ended = await awaitEnd(() => world.sql, run.id, report, 120_000);
      const { status = "unknown", failed = 0 } = ended ?? {};
      report.expect(status === "succeeded", "no member fails for a full disk", `${status}, ${failed} failed`);
      judgeAnswers(readers, ["200", ...toReaders], report);
      judgeAnswers(writers, ["200", "201", ...toWriters], report);
      if (report.violations.length > 0) return;
    }
    await Promise.all([load.stop(), readers.stop(), writers.stop()]);

    figure("rounds", `${sized(scale, holds).length}, each ${disk.how}; ${disk.toll()}`);
    figure("writes again within", `${Math.round(longestMs)} ms`);
    figure("answers to readers", describeAnswers(readers));
    figure("answers to who assigns", describeAnswers(writers));
    await makeGood(world, service, report);
    report.expect(await service.stop("SIGTERM") === 0, "the service stops cleanly", "it does not");
    await world.judge({ runsEnded: true, drained: true });
  });
}

/** Waits until an assignment over HTTP and a signup have failed for it. */
async function isFelt({ journal }: World, writers: Callers, report: Report): Promise<void> {
  const [refusedBefore, entryBefore] = [countRefused(writers), journal.lastNumber];
  await eventually(report, "a full disk is felt", 60_000, async () => {
    if (countRefused(writers) === refusedBefore) return false;
    const since = (await readJournal(journal.path)).filter(({ number }) => number > entryBefore);
    return since.some(({ action, code }) => action === "signup" && code !== undefined);
  });
}

function countRefused({ answers }: Callers): number {
  return [...answers].reduce((sum, [answer, count]) => answer.startsWith("20") ? sum : sum + count, 0);
}

async function canWrite(service: Service, trainerId: string): Promise<boolean> {
  const response = await service.call(`PATCH /v1/trainers/${trainerId}`, { note: crypto.randomUUID() });
  await response.body?.cancel();
  return response.ok;
}

function judgeAnswers({ answers }: Callers, allowed: readonly string[], report: Report): void {
  for (const answer of answers.keys()) {
    report.expect(allowed.includes(answer), "callers hear what is so, and nothing else", answer);
  }
}

/** What the schedule and the retries do within an hour and a night. */
async function makeGood({ sql }: World, service: Service, report: Report): Promise<void> {
  const reconciliation = await startBackfill(sql, { requestedBy: "schedule" });
  await awaitEnd(() => sql, reconciliation.id, report);
  await eventually(report, "failures are made good", 60_000, async () => {
    const { remaining, failed } = await retryFailures(sql);
    return remaining === 0 && failed === 0;
  });
  await eventually(report, "the service is ready", 30_000, async () => {
    const health = await (await service.call("GET /readyz")).json();
    return health.status === "ready";
  });
}
