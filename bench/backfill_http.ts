import { versionsOfThisMachine } from "../tests/support/servers.ts";
import { insertSelect, LANES } from "./backfill.ts";
import { type Bench, type Claim, type Figure, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { alternate, seconds } from "./support/rounds.ts";
import { type BenchServer, startBenchServer } from "./support/server.ts";
import { callService, startService } from "./support/service.ts";
import type { Child } from "./support/child.ts";
import { ratios } from "./support/statistics.ts";

const LOOK_EVERY_MS = 50;

/** A backfill as whoever asks for it over HTTP waits for it, on the newest PostgreSQL and the oldest. */
export const backfillOverHttp: Claim = {
  name: "backfill-http",
  summary: "1,000,000 members: a run, from POST to succeeded, against one insert … select, on 18 and 15",
  async run(bench) {
    const figures = await measureOn("18", bench.server, bench);
    if (!(await versionsOfThisMachine()).includes("15")) {
      bench.say("PostgreSQL 15 is not installed: not measured there");
      return figures;
    }
    const older = await startBenchServer("15");
    try {
      return [...figures, ...await measureOn("15", older, bench)];
    } finally {
      await older.remove();
    }
  },
};

async function measureOn(version: string, server: BenchServer, { isFull, say }: Bench): Promise<Figure[]> {
  const members = isFull ? 1_000_000 : 100_000;
  say(`${members.toLocaleString("en")} members on PostgreSQL ${version}, alternating`);
  const database = await server.createDatabase();
  await addMembers(database.sql, members);
  const service = await startService(database.url, { BACKFILL_LANES: String(LANES) });
  const prepare = async () => {
    await unassignAll(database.sql);
    await database.settle();
  };
  const took = await alternate(isFull ? 5 : 3, [
    { name: "one statement", prepare, run: () => seconds(() => insertSelect(database)) },
    { name: "run", prepare, run: () => seconds(() => runToEnd(service)) },
  ]);
  await service.stop();
  await database.drop();
  return [
    judge(`on ${version}: run / one insert … select`, "", ratios(took("run"), took("one statement")), {
      atMost: 0.55,
    }),
    inform(`on ${version}: run`, " s", took("run")),
    inform(`on ${version}: one insert … select`, " s", took("one statement")),
  ];
}

async function runToEnd(service: Child): Promise<void> {
  const { id } = await callService(service, "POST", "/v1/backfills", {});
  for (;;) {
    const { status } = await callService(service, "GET", `/v1/backfills/${id}`);
    if (status === "succeeded") return;
    if (status !== "running") throw new Error(`the run is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
