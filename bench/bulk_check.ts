import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { type Claim, inform, judge, withProcessor } from "./support/claim.ts";
import { createAssignedDatabase, pickMembers } from "./support/data.ts";
import { isInstalled, runProgram } from "./support/programs.ts";
import { alternate, seconds } from "./support/rounds.ts";
import { measureProcessor, type ProcessorUs } from "./support/processor.ts";
import { findLoadGenerator, putLoad } from "./support/load.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService } from "./support/service.ts";
import { ratios } from "./support/statistics.ts";

export const IDS = 1000;

/** A thousand members in one request, over one connection, against psql with the same query. */
export const bulkCheck: Claim = {
  name: "bulk-check",
  summary: "bulk check, 1,000 ids a request, against the ids a second that psql gets for the same query",
  async run({ server, isFull, say }) {
    const database = await createAssignedDatabase(server, isFull ? 1_000_000 : 100_000);
    const service = await startService(database.url);
    const requests = isFull ? 400 : 100;
    const batches = await pickBatches(database, requests);
    const generator = await findLoadGenerator();
    const paths = batches.map(toRequest);
    const ask = async (connections: number) => {
      const load = { url: service.url, paths, connections, seconds: isFull ? 5 : 2 };
      const { result, us } = await measureProcessor(
        { service: service.pid, database: server.pid },
        () => putLoad(generator, load),
        ({ requests }) => requests * IDS,
      );
      if (connections === 1) processor.push(us);
      return result.requestsPerSecond * IDS;
    };
    const processor: ProcessorUs[] = [];
    const hasPsql = await isInstalled("psql");
    if (!hasPsql) say("psql is not installed: no comparison");
    const script = await Deno.makeTempFile({ suffix: ".sql" });
    await Deno.writeTextFile(script, batches.map(query).join(""));
    const psqlArguments = ["--no-psqlrc", "--quiet", "--output=/dev/null", `--file=${script}`, database.url];
    await ask(1);
    say(`requests of ${IDS} ids by ${generator}, alternating`);
    const rate = await alternate(isFull ? 7 : 3, [
      { name: "ours", run: () => ask(1) },
      { name: "ours, 4 connections", run: () => ask(4) },
      ...(hasPsql
        ? [{
          name: "psql" as const,
          run: async () => requests * IDS / await seconds(() => runProgram("psql", psqlArguments)),
        }]
        : []),
    ]);
    await Deno.remove(script);
    await service.stop();
    await database.drop();
    return [
      withProcessor(judge("ids a second", "", rate("ours"), { atLeast: 215_000 }), processor),
      ...(hasPsql
        ? [
          judge("ids a second / psql's", "", ratios(rate("ours"), rate("psql")), { atLeast: 0.5 }),
          inform("psql", " ids/s", rate("psql")),
        ]
        : []),
      inform("over 4 connections", " ids/s", rate("ours, 4 connections")),
    ];
  },
};

/** A thousand random members each. */
export async function pickBatches({ sql }: BenchDatabase, batches: number): Promise<string[][]> {
  const members = await pickMembers(sql, 50_000);
  return Array.from({ length: batches }, (_, batch) => {
    const begin = (batch * IDS) % (members.length - IDS + 1);
    return members.slice(begin, begin + IDS);
  });
}

/** What the load generator posts. */
export function toRequest(memberIds: string[]): string {
  return `/v1/assignments/check\t${JSON.stringify({ memberIds })}`;
}

/** As `checkAssignments` asks. */
function query(memberIds: string[]): string {
  return `
    select asked.id, a.id is not null
    from unnest('{${memberIds.join(",")}}'::uuid[]) as asked (id)
    left join public.trainer_client_assignments a
      on a.client_id = asked.id
      and a.trainer_id is not distinct from '${DEFAULT_TRAINER_ID}'
      and a.status = 'active';
  `;
}
