import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import type { Child } from "./support/child.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { createAssignedDatabase } from "./support/data.ts";
import { residentMb, watchMemory } from "./support/memory.ts";
import { isInstalled, runProgram } from "./support/programs.ts";
import { alternate, seconds } from "./support/rounds.ts";
import { callService, startService, TOKEN } from "./support/service.ts";
import { ratios } from "./support/statistics.ts";

const LIST = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
const COPY =
  `\\copy (select client_id, id, assignment_date, status, source, assigned_by, policy_version, rule, ended_at,
  ended_by, ended_because, notes from public.trainer_client_assignments
  where trainer_id = '${DEFAULT_TRAINER_ID}' and status = 'active' order by id) to '/dev/null'`;

/** All clients of a trainer as NDJSON, against psql's \copy of the same columns. */
export const exportClients: Claim = {
  name: "export",
  summary: "NDJSON export of 1,000,000 clients, against psql \\copy of the same columns; resident memory",
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 100_000;
    const database = await createAssignedDatabase(server, members);
    const service = await startService(database.url);
    await callService(service, "GET", LIST);
    const idleMb = residentMb(service.pid);
    const memory = watchMemory(service.pid);
    const hasPsql = await isInstalled("psql");
    if (!hasPsql) say("psql is not installed: no comparison");
    const psql = ["--no-psqlrc", "--quiet", `--command=${COPY.replaceAll("\n", " ")}`, database.url];
    await exportRate(service, members);
    say(`${members.toLocaleString("en")} clients, alternating`);
    const rate = await alternate(isFull ? 7 : 3, [
      { name: "ours", run: () => exportRate(service, members) },
      ...(hasPsql
        ? [{
          name: "psql" as const,
          run: async () => members / await seconds(() => runProgram("psql", psql)),
        }]
        : []),
    ]);
    const grownMb = memory.most() - idleMb;
    await service.stop();
    await database.drop();
    return [
      ...(hasPsql
        ? [
          judge("rate / psql \\copy", "", ratios(rate("ours"), rate("psql")), { atLeast: 0.5 }),
          inform("psql \\copy", " clients/s", rate("psql")),
        ]
        : []),
      judge("service's resident memory above idle", " MB", [grownMb], { atMost: 40 }),
      inform("ours", " clients/s", rate("ours")),
    ];
  },
};

/** Downloads all and throws it away; clients a second. @throws when there were not as many as expected. */
export async function exportRate(service: Child, members: number): Promise<number> {
  let lines = 0;
  const time = await seconds(async () => {
    const response = await fetch(service.url + LIST, {
      headers: { Authorization: `Bearer ${TOKEN}`, Accept: "application/x-ndjson" },
    });
    for await (const chunk of response.body ?? []) lines += countLines(chunk);
  });
  if (lines !== members) throw new Error(`${lines} lines instead of ${members}`);
  return members / time;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
