import { z } from "zod";
import { bytesOf, openRaw } from "../../support/raw_http.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { followMany, gather } from "../hostile/crowd.ts";
import { inTime } from "../hostile/in_time.ts";
import { giveMembers } from "../load.ts";
import { resourcesOf } from "../processes.ts";
import { awaitEnd, eventually, pause } from "../runs.ts";
import { type Service, TOKEN } from "../service.ts";
import { mib, quantile } from "../trend.ts";
import { inWorld, type World } from "../world.ts";

/** What a replica serves at once: see src/http/run_events.ts. */
const MOST_STREAMS = 100;
/** Handles of the service beside those of callers that come and go while we look. */
const SPARE_FILES = 25;
const longestProbeMs = 10_000;

/** Thousands of callers who take their time, and a service that has to be there for the others. */
export const crowds: Experiment = {
  name: "crowds",
  summary:
    "thousands of silent and slow connections and event streams: checks go on, nobody starves, handles come back",
  async run(options) {
    await inWorld(options, { ownServer: false }, async (world) => {
      const service = await world.startService({ environment: { LOG_LEVEL: "warn" } });
      const load = world.startLoad({ sessions: 1, steering: 0, longestPauseMs: 100 });
      await standTheCrowd(world, service, options);
      if (options.report.hasNoticedBug) return;
      await runOutOfHandles(service, options.report);
      await load.stop();
      await world.judge({ runsEnded: true });
    });
  },
};

async function standTheCrowd(
  world: World,
  service: Service,
  { scale, report }: ExperimentOptions,
): Promise<void> {
  const size = sized(scale, { short: 600, full: 5_000, long: 8_000 });
  const streams = sized(scale, { short: 150, full: 1_000, long: 1_000 });
  const probeMs = sized(scale, { short: 1_500, full: 20_000, long: 120_000 });
  const port = Number(new URL(service.url).port);
  const { memberId, runId } = await pausedRun(world, service);

  const before = await resourcesOf(service.pid());
  const alone = await probe(service, memberId, probeMs);
  const crowd = await gather(port, size);
  const followers = await followMany(port, runId, streams);
  const within = await resourcesOf(service.pid());
  const among = await probe(service, memberId, probeMs);
  report.figure("slow or silent connections", crowd.size);
  report.figure("event streams", `${followers.size} served, ${followers.refused} refused with 503`);
  report.expect(
    followers.size === MOST_STREAMS && followers.others === 0,
    "as many streams as allowed are served, the others refused",
    `${followers.size} served, ${followers.refused} refused, ${followers.others} otherwise`,
  );
  for (const name of ["livez", "check"] as const) {
    report.figure(`/${name} alone`, describe(alone[name]));
    report.figure(`/${name} in the crowd`, describe(among[name]));
    report.expect(among[name].failed === 0, "nobody is starved", `${among[name].failed} of /${name} failed`);
    report.expect(among[name].times.length > 0, "nobody is starved", `no /${name} was answered`);
  }
  await followers.disperse();
  await crowd.disperse();
  await eventually(report, "handles and places come back", 30_000, async () => {
    const { files } = await resourcesOf(service.pid());
    return files < before.files + SPARE_FILES;
  });
  const after = await resourcesOf(service.pid());
  const again = await followMany(port, runId, MOST_STREAMS);
  await again.disperse();
  report.expect(
    again.size === MOST_STREAMS,
    "handles and places come back",
    `${again.size} streams afterwards`,
  );
  report.figure("file handles", `${before.files} before, ${within.files} in the crowd, ${after.files} after`);
  report.figure("resident memory", [before, within, after].map(({ rssBytes }) => mib(rssBytes)).join(", "));
  await (await service.call(`POST /v1/backfills/${runId}/resume`)).body?.cancel();
  await awaitEnd(() => world.sql, runId, report);
}

/** A run that never ends, for its events; and a member who is assigned. */
async function pausedRun(world: World, service: Service): Promise<{ memberId: string; runId: string }> {
  await giveMembers(world.sql, world.journal, world.random, 300);
  const memberId = world.random.uuid();
  await world.journal.record("signup", [memberId], async () => {
    await world.sql`insert into public.members (id) values (${memberId})`;
  });
  const started = await service.call("POST /v1/backfills", { batchRows: 1 });
  const { id: runId } = z.object({ id: z.string() }).parse(await started.json());
  await (await service.call(`POST /v1/backfills/${runId}/pause`)).body?.cancel();
  return { memberId, runId };
}

interface Probed {
  times: number[];
  failed: number;
}

/** Asks both again and again, each time on a connection of its own: those of newcomers are what a crowd could keep out. */
async function probe(
  service: Service,
  memberId: string,
  forMs: number,
): Promise<Record<"livez" | "check", Probed>> {
  const ask = async (path: string): Promise<Probed> => {
    const probed: Probed = { times: [], failed: 0 };
    const request = bytesOf(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    for (const until = performance.now() + forMs; performance.now() < until;) {
      const began = performance.now();
      const connection = await openRaw(Number(new URL(service.url).port));
      const answer = await Promise.race([connection.exchange(request), pause(longestProbeMs)]);
      connection.close();
      if (answer?.status === 200) probed.times.push(performance.now() - began);
      else probed.failed += 1;
      await pause(10);
    }
    return probed;
  };
  const [livez, check] = await Promise.all([ask("/livez"), ask(`/v1/members/${memberId}/assignment`)]);
  return { livez, check };
}

function describe({ times }: Probed): string {
  const [median, p99, most] = [0.5, 0.99, 1].map((part) => quantile(times, part).toFixed(1));
  return `${median} ms at the median, p99 ${p99} ms, ${most} ms at most, of ${times.length}`;
}

/**
 * More connections than the process may have handles: whoever is connected is served, newcomers are refused, and all is
 * well when the crowd has gone. Deno.serve by itself would never listen again.
 */
async function runOutOfHandles(service: Service, report: Report): Promise<void> {
  const { files } = await resourcesOf(service.pid());
  const limit = files + 50;
  const set = await new Deno.Command("prlimit", {
    args: ["--pid", String(service.pid()), `--nofile=${limit}:${limit}`],
  })
    .output();
  if (!set.success) throw new Error(new TextDecoder().decode(set.stderr));
  const port = Number(new URL(service.url).port);
  const early = await openRaw(port);
  const ask = () => early.exchange(bytesOf("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await ask();
  const crowd = await gather(port, 150, true);
  await eventually(
    report,
    "it says that it cannot take connections",
    10_000,
    () => Promise.resolve(service.output().includes("listener_lost")),
  );
  report.expect((await ask())?.status === 200, "who is connected is served on", "without handles");
  early.close();
  const within = await resourcesOf(service.pid());
  await crowd.disperse();
  const began = performance.now();
  const isBack = await eventually(report, "it is back when handles are", 10_000, async () => {
    const newcomer = await openRaw(port); // who was connected before is served in any case
    const answer = await inTime(
      newcomer.exchange(bytesOf("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")),
      5_000,
    );
    newcomer.close();
    return answer !== "late" && answer?.status === 200;
  });
  report.figure("file handles when it could take no more", within.files);
  if (isBack) report.figure("back after", `${Math.round(performance.now() - began)} ms`);
}
