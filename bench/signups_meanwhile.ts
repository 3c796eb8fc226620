import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { residentMb, watchMemory } from "./support/memory.ts";
import { seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { callService, startService } from "./support/service.ts";
import { quantile, ratios } from "./support/statistics.ts";

const SIGNUP_EVERY_MS = 5;
const QUIET_SECONDS = 5;

/** What a backfill by the service costs those around it: signups from another process, and the service's memory. */
export const signupsMeanwhile: Claim = {
  name: "signups-meanwhile",
  summary: "signups while the service backfills 1,000,000 members, and its resident memory",
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 100_000;
    const database = await server.createDatabase();
    await addMembers(database.sql, members);
    const grownMb: number[] = [];
    const without: number[] = [];
    const during: number[] = [];
    const took: number[] = [];
    const tookWithTwo: number[] = [];
    for (let round = 0; round < (isFull ? 3 : 1); round++) {
      say(
        `round ${
          round + 1
        }: ${QUIET_SECONDS} s of signups alone, then during a run, by default and with two lanes`,
      );
      await unassignAll(database.sql);
      await database.settle();
      without.push(await signUpDuring(database, new Promise((end) => setTimeout(end, QUIET_SECONDS * 1000))));
      const byDefault = await runMeanwhile(database, {});
      during.push(byDefault.p99);
      took.push(byDefault.seconds);
      grownMb.push(byDefault.grownMb);
      await unassignAll(database.sql);
      await database.settle();
      tookWithTwo.push((await runMeanwhile(database, { BACKFILL_LANES: "2" })).seconds);
    }
    await database.drop();
    return [
      judge("p99 of a signup during a run / without", " ×", ratios(during, without), { atMost: 3 }),
      judge("time of a run by default / with two lanes", " ×", ratios(took, tookWithTwo), { atMost: 1.7 }),
      judge("service's resident memory above idle", " MB", grownMb, { atMost: 40 }),
      inform("p99 of a signup without a run", " ms", without),
      inform("p99 of a signup during a run", " ms", during),
    ];
  },
};

/** Lets a service of its own run a backfill while members sign up. */
async function runMeanwhile(
  database: BenchDatabase,
  environment: Record<string, string>,
): Promise<{ p99: number; seconds: number; grownMb: number }> {
  const service = await startService(database.url, environment);
  await callService(service, "GET", "/v1/backfills");
  const idleMb = residentMb(service.pid);
  const memory = watchMemory(service.pid);
  let p99 = NaN;
  const took = await seconds(async () => {
    const run = await callService(service, "POST", "/v1/backfills", {});
    p99 = await signUpDuring(database, hasEnded(database, String(run.id)));
  });
  const grownMb = memory.most() - idleMb;
  await service.stop();
  return { p99, seconds: took, grownMb };
}

/** Signs up one member every few milliseconds until the end comes; the 99th percentile of the time of one. */
async function signUpDuring({ sql }: BenchDatabase, end: Promise<unknown>): Promise<number> {
  let isOver = false;
  const ending = end.then(() => isOver = true);
  const times: number[] = [];
  while (!isOver) {
    const began = performance.now();
    await sql`insert into public.members (email) values ('new@example.com')`;
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, SIGNUP_EVERY_MS));
  }
  await ending;
  return quantile(times.toSorted((a, b) => a - b), 0.99);
}

async function hasEnded({ sql }: BenchDatabase, runId: string): Promise<void> {
  for (;;) {
    const [run] =
      await sql`select from assignment.backfill_runs where id = ${runId} and finished_at is not null`;
    if (run !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
