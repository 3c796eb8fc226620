import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { residentMb, watchMemory } from "./support/memory.ts";
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
    const service = await startService(database.url);
    await callService(service, "GET", "/v1/backfills");
    const idleMb = residentMb(service.pid);
    const memory = watchMemory(service.pid);
    const without: number[] = [];
    const during: number[] = [];
    for (let round = 0; round < (isFull ? 3 : 1); round++) {
      say(`round ${round + 1}: ${QUIET_SECONDS} s of signups alone, then during a run`);
      await unassignAll(database.sql);
      await database.settle();
      without.push(await signUpDuring(database, new Promise((end) => setTimeout(end, QUIET_SECONDS * 1000))));
      const run = await callService(service, "POST", "/v1/backfills", {});
      during.push(await signUpDuring(database, hasEnded(database, String(run.id))));
    }
    const grownMb = memory.most() - idleMb;
    await service.stop();
    await database.drop();
    return [
      judge("p99 of a signup during a run / without", " ×", ratios(during, without), { atMost: 3 }),
      judge("service's resident memory above idle", " MB", [grownMb], { atMost: 40 }),
      inform("p99 of a signup without a run", " ms", without),
      inform("p99 of a signup during a run", " ms", during),
    ];
  },
};

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
