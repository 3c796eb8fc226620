import { previewPolicy } from "../src/policy/preview.ts";
import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { backfillRate } from "./backfill.ts";
import { IDS, pickBatches, toRequest } from "./bulk_check.ts";
import { checkPaths } from "./check.ts";
import { copyRate } from "./copy.ts";
import { exportRate } from "./export.ts";
import { pathOfPage } from "./list.ts";
import { countryRules, prepareForRules, putRules, SIGN_UP_BY_RULES } from "./policy.ts";
import { SIGN_UP, signUpRate } from "./signup.ts";
import { startOften } from "./start.ts";
import { moveByRun } from "./transfer.ts";
import { type Series, writeChart } from "./support/chart.ts";
import { type Bench, type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, unassignAll } from "./support/data.ts";
import { findLoadGenerator, putLoad } from "./support/load.ts";
import { seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService } from "./support/service.ts";
import { summarize } from "./support/statistics.ts";

const CHART = new URL("growth.svg", import.meta.url);

const RULES = 10;
/** Of the audit log, for so many members one. */
const MEMBERS_A_LINE = 10;

/** How each rate is at ever more members. */
export const growth: Claim = {
  name: "growth",
  summary: "the rates at 100,000 to 4,000,000 members, drawn in bench/growth.svg",
  async run(bench) {
    const sizes = bench.isFull ? [100_000, 500_000, 1_000_000, 4_000_000] : [20_000, 100_000];
    const measured: Record<string, number>[] = [];
    for (const members of sizes) measured.push(await measureAt(bench, members));
    const names = Object.keys(measured[0] ?? {});
    const series: Series[] = names.map((name) => ({
      name,
      values: measured.map((at) => at[name] ?? NaN),
    }));
    if (bench.isFull) await Deno.writeTextFile(CHART, writeChart(sizes, series));
    const backfill = series.find(({ name }) => name === "backfill, members/s")?.values ?? [];
    const [base = NaN] = backfill.slice(bench.isFull ? 1 : 0);
    const most = sizes.at(-1)?.toLocaleString("en");
    return [
      judge(
        `backfill, members a second at ${most} / at ${sizes[bench.isFull ? 1 : 0]?.toLocaleString("en")}`,
        "",
        [(backfill.at(-1) ?? NaN) / base],
        { atLeast: 0.85 },
      ),
      ...series.flatMap(({ name, values }) =>
        values.map((value, index) => inform(`${name}, at ${sizes[index]?.toLocaleString("en")}`, "", [value]))
      ),
    ];
  },
};

async function measureAt({ server, say }: Bench, members: number): Promise<Record<string, number>> {
  say(`${members.toLocaleString("en")} members`);
  const database = await server.createDatabase();
  await addMembers(database.sql, members);
  await unassignAll(database.sql);
  const backfill = await backfillRate(database, members);
  await database.sql`vacuum (analyze) public.trainer_client_assignments`;
  const service = await startService(database.url);
  const generator = await findLoadGenerator();
  const put = async (paths: string[], connections: number) => {
    await putLoad(generator, { url: service.url, paths, connections, seconds: 2 });
    return (await putLoad(generator, { url: service.url, paths, connections, seconds: 4 })).requestsPerSecond;
  };
  const rates = {
    "backfill, members/s": backfill,
    "check, requests/s": await put(await checkPaths(database), 64),
    "bulk check, ids/s": IDS * await put((await pickBatches(database, 200)).map(toRequest), 1),
    "list, page 2, pages/s": await put([await pathOfPage(database, 2)], 8),
    "list, last tenth, pages/s": await put([await pathOfPage(database, members * 0.9 / 100)], 8),
    "export, clients/s": await exportRate(service, members),
    "signup, 16 clients, signups/s": await signUpRate(database, SIGN_UP, 16, 4),
    "COPY of 100,000, signups/s": await copyRate(database, 100_000),
    "start to the first check, ms": summarize(await startOften(database, 5)).median,
    ...await measureLater(database, members, put),
  };
  await service.stop();
  await database.drop();
  return rates;
}

/** What came with rules, transfers and the audit log. In the end the default trainer has no clients left. */
async function measureLater(
  database: BenchDatabase,
  members: number,
  put: (paths: string[], connections: number) => Promise<number>,
): Promise<Record<string, number>> {
  const { sql } = database;
  const trainerIds = await prepareForRules(database, RULES);
  const [successorId = ""] = trainerIds;
  const rules = countryRules(trainerIds, RULES);
  const document = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules };
  const previewed = await seconds(() => previewPolicy(sql, document));
  await putRules(database, rules);
  await sql`
    insert into assignment.audit_log (actor, database_role, action)
    select 'bench', 'bench', 'policy.changed'
    from generate_series(1, ${Math.round(members / MEMBERS_A_LINE)}::integer)
  `;
  await sql`vacuum (analyze) assignment.audit_log`;
  await sql`delete from public.trainer_client_assignments where client_id = ${successorId}`; // nobody trains themselves
  const histories = (await checkPaths(database)).map((path) => `${path}s`);
  return {
    [`signup by ${RULES} rules, 16 clients, signups/s`]: await signUpRate(database, SIGN_UP_BY_RULES, 16, 4),
    [`preview of ${RULES} rules, ms`]: 1000 * previewed, // of a sample, where there are many
    "a member's assignments, requests/s": await put(histories, 8),
    "page of the audit log, pages/s": await put(["/v1/audit"], 8),
    "transfer, clients/s": members / await moveByRun(database, successorId),
  };
}
