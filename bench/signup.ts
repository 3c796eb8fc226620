import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers, assignMembers } from "./support/data.ts";
import { isInstalled, runProgram } from "./support/programs.ts";
import { alternate } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

const SIGN_UP = "insert into public.members (email) values ('new@example.com')";
const BOTH_INSERTS = `
  with member as (insert into public.members (email) values ('new@example.com') returning id)
  insert into public.trainer_client_assignments (trainer_id, client_id, source)
  select '${DEFAULT_TRAINER_ID}', id, 'signup' from member
`;

/** One member a statement: our trigger against both inserts written by hand in one statement, without a trigger. */
export const signup: Claim = {
  name: "signup",
  summary: "one signup, trigger on, against both inserts hand-written in one statement; 1 and 16 clients",
  async run({ server, isFull, say }) {
    const withTrigger = await prepareDatabase(() => server.createDatabase(), isFull);
    const byHand = await prepareDatabase(() => server.createDatabase(), isFull);
    await byHand.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    const seconds = isFull ? 10 : 3;
    const figures = [];
    for (const clients of [1, 16]) {
      say(`${clients} client(s), alternating, ${seconds} s each`);
      const rate = await alternate(isFull ? 7 : 3, [
        {
          name: "trigger",
          prepare: withTrigger.settle,
          run: () => signUpRate(withTrigger, SIGN_UP, clients, seconds),
        },
        {
          name: "by hand",
          prepare: byHand.settle,
          run: () => signUpRate(byHand, BOTH_INSERTS, clients, seconds),
        },
      ]);
      const who = clients === 1 ? "1 client" : `${clients} clients`;
      figures.push(
        judge(`${who}: trigger / both inserts by hand, rate`, "", ratios(rate("trigger"), rate("by hand")), {
          atLeast: 0.9,
        }),
        inform(`${who}: with the trigger`, " signups/s", rate("trigger")),
        inform(`${who}: by hand`, " signups/s", rate("by hand")),
      );
    }
    await withTrigger.drop();
    await byHand.drop();
    return figures;
  },
};

async function prepareDatabase(
  create: () => Promise<BenchDatabase>,
  isFull: boolean,
): Promise<BenchDatabase> {
  const database = await create();
  await addMembers(database.sql, isFull ? 1_000_000 : 50_000);
  await assignMembers(database.sql);
  return database;
}

/** Signups a second: by pgbench where it is installed, else by the driver, which takes more of the machine itself. */
export async function signUpRate(
  database: BenchDatabase,
  statement: string,
  clients: number,
  seconds: number,
): Promise<number> {
  if (!await isInstalled("pgbench")) return await driverRate(database, statement, clients, seconds);
  const script = await Deno.makeTempFile({ suffix: ".sql" });
  try {
    await Deno.writeTextFile(script, statement.trim().replaceAll(/\s+/g, " ") + ";\n");
    const settings = ["--no-vacuum", "--protocol=prepared", `--client=${clients}`, `--time=${seconds}`];
    const output = await runProgram("pgbench", [...settings, `--file=${script}`, database.url]);
    return Number(/^tps = ([\d.]+)/m.exec(output)?.[1]);
  } finally {
    await Deno.remove(script);
  }
}

async function driverRate(
  { sql }: BenchDatabase,
  statement: string,
  clients: number,
  seconds: number,
): Promise<number> {
  let signups = 0;
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      await sql.unsafe(statement, [], { prepare: true });
      signups += 1;
    }
  }));
  return signups / seconds;
}

/** The statement of an application's signup. */
export { SIGN_UP };
