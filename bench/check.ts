import { type Child } from "./support/child.ts";
import { type Bench, type Claim, type Figure, inform, judge, withProcessor } from "./support/claim.ts";
import { createAssignedDatabase, pickMembers } from "./support/data.ts";
import { findLoadGenerator, type LoadResult, putLoad } from "./support/load.ts";
import { measureProcessor, type ProcessorUs, sumUs } from "./support/processor.ts";
import { installPeers, startPeer } from "./support/peers.ts";
import { alternate } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService, startUnbatchedService } from "./support/service.ts";
import { ratios } from "./support/statistics.ts";

const CONNECTIONS = 64;

/** The check of one member over HTTP, against the same in Fastify and Express, and against ourselves without batches. */
export const check: Claim = {
  name: "check",
  summary: "check, 64 connections, random members among 1,000,000, against Fastify + pg and Express + pg",
  async run(bench) {
    await installPeers();
    const database = await createAssignedDatabase(bench.server, bench.isFull ? 1_000_000 : 100_000);
    const programs = {
      ours: await startService(database.url),
      fastify: await startPeer("fastify", database.url),
      express: await startPeer("express", database.url),
      unbatched: await startUnbatchedService(database.url),
    };
    try {
      return await compare(bench, database, programs);
    } finally {
      for (const program of Object.values(programs)) await program.stop();
      await database.drop();
    }
  },
};

async function compare(
  { server, isFull, say }: Bench,
  database: BenchDatabase,
  programs: Record<"ours" | "fastify" | "express" | "unbatched", Child>,
): Promise<Figure[]> {
  const generator = await findLoadGenerator();
  const paths = await checkPaths(database);
  const put = (program: Child, seconds: number): Promise<LoadResult> =>
    putLoad(generator, { url: program.url, paths, connections: CONNECTIONS, seconds });
  for (const program of Object.values(programs)) await put(program, 3); // what compiles while it runs, has

  const p99: Record<string, number[]> = { ours: [], fastify: [] };
  const processor: Record<string, ProcessorUs[]> = { ours: [], fastify: [], express: [], unbatched: [] };
  const seconds = isFull ? 10 : 3;
  say(`${CONNECTIONS} connections by ${generator}, alternating, ${seconds} s each`);
  const rate = await alternate(
    isFull ? 5 : 3,
    Object.entries(programs).map(([name, program]) => ({
      name,
      async run() {
        const pids = { service: program.pid, database: server.pid };
        const { result: { requestsPerSecond, p99Ms }, us } = await measureProcessor(
          pids,
          () => put(program, seconds),
          ({ requests }) => requests,
        );
        p99[name]?.push(p99Ms);
        processor[name]?.push(us);
        return requestsPerSecond;
      },
    })),
  );
  const rates = (name: string, peer: string, atLeast: number) =>
    withProcessor(
      judge(`rate / ${peer}`, " ×", ratios(rate("ours"), rate(name)), { atLeast }),
      processor.ours ?? [],
      processor[name],
    );
  const processorRatios = ratios(sumUs(processor.fastify), sumUs(processor.ours));
  return [
    rates("fastify", "Fastify + pg", 2.5),
    judge("operations for the same processor time / Fastify + pg", " ×", processorRatios, { atLeast: 3.3 }),
    rates("express", "Express + pg", 5),
    rates("unbatched", "our own with a query a request", 1.6),
    judge("p99 / Fastify's", "", ratios(p99.ours ?? [], p99.fastify ?? []), { atMost: 1 }),
    inform("ours", " requests/s", rate("ours")),
    inform("Fastify + pg", " requests/s", rate("fastify")),
    inform("Express + pg", " requests/s", rate("express")),
    inform("our p99", " ms", p99.ours ?? []),
  ];
}

/** Random members' checks. */
export async function checkPaths(database: BenchDatabase): Promise<string[]> {
  return (await pickMembers(database.sql, 20_000)).map((id) => `/v1/members/${id}/assignment`);
}
