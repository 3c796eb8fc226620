import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { previewPolicy } from "../src/policy/preview.ts";
import { getPolicy, putPolicy } from "../src/policy/policies.ts";
import type { Rule } from "../src/policy/document.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { LANES } from "./backfill.ts";
import { signUpRate } from "./signup.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { unassignAll } from "./support/data.ts";
import { alternate, seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

const SEATS = 10; // trainers with a capacity
/** The statement of a signup whom the last of the rules takes. */
export const SIGN_UP_BY_RULES = "insert into public.members (plan, country) values ('pro', 'c7')";

/** Rules against no rules: signups, one COPY into trainers with a capacity, a backfill, a preview. */
export const policy: Claim = {
  name: "policy",
  summary:
    "rules against no rules: one signup, a COPY into ten trainers with a capacity, a backfill, a preview",
  async run({ server, isFull, say }) {
    const rounds = isFull ? 5 : 3;
    const figures = [];
    const database = await server.createDatabase();
    const { sql } = database;
    const trainerIds = await prepareForRules(database, SEATS);
    const setRules = (rules: Rule[]) => putRules(database, rules);

    for (const rules of [1, 10, 50]) {
      say(`signups with ${rules} rule(s), 1 client, alternating`);
      const time = isFull ? 10 : 3;
      const rate = await alternate(rounds, [
        {
          name: "without",
          prepare: () => setRules([]).then(database.settle),
          run: () => signUpRate(database, SIGN_UP_BY_RULES, 1, time),
        },
        {
          name: "with",
          prepare: () => setRules(countryRules(trainerIds, rules)).then(database.settle),
          run: () => signUpRate(database, SIGN_UP_BY_RULES, 1, time),
        },
      ]);
      figures.push(
        inform(`signup with ${rules} rule(s) / without, rate`, "", ratios(rate("with"), rate("without"))),
      );
    }

    const copied = isFull ? 100_000 : 20_000;
    const capacity = copied / SEATS / 2;
    const prepareCopy = (rules: Rule[]) => async () => {
      await sql`truncate public.trainer_client_assignments`;
      await sql`delete from public.members where id <> all (${[DEFAULT_TRAINER_ID, ...trainerIds]}::uuid[])`;
      for (const trainerId of trainerIds) {
        await setCapacity(database, trainerId, null);
        await setCapacity(database, trainerId, rules.length > 0 ? capacity : null);
      }
      await setRules(rules);
      await sql`vacuum (analyze) public.members`;
      await sql`vacuum (analyze) assignment.seats`;
      await database.settle();
    };
    const copy = () =>
      seconds(() =>
        sql.begin(async (transaction) => {
          const stream = await transaction`copy public.members (plan, country) from stdin`.writable();
          const lines = Array.from(
            { length: copied / 1000 },
            (_, chunk) =>
              Array.from({ length: 1000 }, (_, line) => `pro\tc${(chunk + line) % 20}\n`).join(""),
          );
          await pipeline(Readable.from(lines), stream);
        })
      );
    say(`COPY of ${copied.toLocaleString("en")} into ${SEATS} trainers of ${capacity} seats, alternating`);
    const trainers = trainerIds.map((trainerId) => ({ trainerId, weight: 1 }));
    const spread: Rule[] = [{ name: "all", assign: { choose: "spread", trainers, whenFull: "next" } }];
    const took = await alternate(rounds, [
      { name: "without", prepare: prepareCopy([]), run: copy },
      { name: "with", prepare: prepareCopy(spread), run: copy },
    ]);
    figures.push(
      judge(
        "COPY into trainers with a capacity / without rules, time",
        "",
        ratios(took("with"), took("without")),
        {
          atMost: 2.5,
        },
      ),
      inform("COPY into trainers with a capacity", " s", took("with")),
    );
    for (const trainerId of trainerIds) await setCapacity(database, trainerId, null);
    await setRules([]);

    const members = isFull ? 1_000_000 : 100_000;
    await addMembersWithAttributes(database, members);
    const prepareRun = (rules: Rule[]) => async () => {
      await unassignAll(sql);
      await setRules(rules);
      await database.settle();
    };
    say(`backfill of ${members.toLocaleString("en")} members with 20 rules, alternating`);
    const ran = await alternate(rounds, [
      {
        name: "without",
        prepare: prepareRun([]),
        run: () => seconds(() => backfillExistingUsers(sql, { lanes: LANES })),
      },
      {
        name: "with",
        prepare: prepareRun(countryRules(trainerIds, 20)),
        run: () => seconds(() => backfillExistingUsers(sql, { lanes: LANES })),
      },
    ]);
    figures.push(
      judge("backfill with 20 rules / without, time", "", ratios(ran("with"), ran("without")), {
        atMost: 1.5,
      }),
      inform("backfill with 20 rules", " s", ran("with")),
    );

    say(`preview of 20 rules over ${members.toLocaleString("en")} members`);
    await prepareRun([])();
    const document = {
      defaultTrainerId: DEFAULT_TRAINER_ID,
      respectsOtherTrainers: false,
      rules: countryRules(trainerIds, 20),
    };
    const previewed = [];
    for (let round = 0; round < rounds; round++) {
      previewed.push(await seconds(() => previewPolicy(sql, document)));
    }
    figures.push(judge("preview of 20 rules", " s", previewed, { atMost: 15 }));
    await database.drop();
    return figures;
  },
};

/** Rules of which the last one takes the members of the bench. */
export function countryRules(trainerIds: string[], count: number): Rule[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `rule ${index + 1}`,
    when: {
      all: [
        { field: "plan", op: "in", value: index % 2 === 0 ? ["pro", "team"] : ["free"] },
        ...(index === count - 1 ? [] : [{ field: "country", op: "eq" as const, value: `c${index + 20}` }]),
      ],
    },
    assign: {
      choose: "spread",
      trainers: trainerIds.slice(index % 5, index % 5 + 3).map((trainerId) => ({ trainerId, weight: 1 })),
    },
  }));
}

/** Writes the next version of the policy. */
export async function putRules({ sql }: BenchDatabase, rules: Rule[]): Promise<void> {
  const { policy: { defaultTrainerId } } = await getPolicy(sql);
  await putPolicy(sql, { defaultTrainerId, respectsOtherTrainers: false, rules }, "bench");
}

/** Adds the columns that the rules read, and trainers; returns their ids. */
export async function prepareForRules({ sql }: BenchDatabase, count: number): Promise<string[]> {
  await sql.unsafe("alter table public.members add plan text, add country text");
  const rows = await sql<{ id: string }[]>`
    insert into public.members (display_name) select 'Trainer ' || number from generate_series(1, ${count}::integer) as number
    returning id
  `;
  return rows.map(({ id }) => id);
}

async function setCapacity(
  { sql }: BenchDatabase,
  trainerId: string,
  capacity: number | null,
): Promise<void> {
  await sql`select assignment.change_trainer(${trainerId}, jsonb_build_object('capacity', ${capacity}::integer, 'acceptsClients', true::boolean), 'bench')`;
}

async function addMembersWithAttributes({ sql }: BenchDatabase, count: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into public.members (email, display_name, plan, country)
      select 'member' || n || '@example.com', 'Member ' || n, (array['free', 'pro', 'team'])[1 + n % 3], 'c' || n % 20
      from generate_series(1, ${count}::integer) as n
    `;
  });
  await sql`vacuum (analyze) public.members`;
}
