import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type postgres from "postgres";
import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { alternate, seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { ratios } from "./support/statistics.ts";

type Transaction = postgres.TransactionSql<{ bigint: number }>;

/** 100,000 signups in one COPY: our trigger, a row trigger with a handler, both inserts by hand. */
export const copy: Claim = {
  name: "copy",
  summary: "100,000 signups in one COPY, against a row trigger with a handler and a double insert by hand",
  async run({ server, isFull, say }) {
    const members = isFull ? 100_000 : 50_000;
    const database = await server.createDatabase();
    await createRowTrigger(database);
    let ids: string[] = [];
    const prepare = (...enabled: string[]) => async () => {
      await enableTriggers(database, enabled);
      await database.sql`truncate public.trainer_client_assignments`;
      await database.sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
      await database.sql`vacuum (analyze) public.members`;
      await database.settle();
      ids = Array.from({ length: members }, () => crypto.randomUUID());
    };
    const measure = (assign: (transaction: Transaction) => Promise<unknown>) => () =>
      seconds(() =>
        database.sql.begin(async (transaction) => {
          await copyIn(transaction, "public.members (id)", ids);
          await assign(transaction);
        })
      );
    const nothing = () => Promise.resolve();
    say(`${members.toLocaleString("en")} members, alternating`);
    const took = await alternate(isFull ? 7 : 3, [
      { name: "trigger", prepare: prepare("members_assign_trainer_after_insert"), run: measure(nothing) },
      { name: "row trigger", prepare: prepare("assign_trainer_row"), run: measure(nothing) },
      {
        name: "by hand",
        prepare: prepare(),
        run: measure((transaction) => insertAssignments(transaction, ids)),
      },
      {
        name: "two copies",
        prepare: prepare(),
        run: measure((transaction) =>
          copyIn(
            transaction,
            "public.trainer_client_assignments (trainer_id, client_id)",
            ids.map((id) => `${DEFAULT_TRAINER_ID}\t${id}`),
          )
        ),
      },
    ]);
    await database.drop();
    return [
      judge("rate / that of the row trigger", " ×", ratios(took("row trigger"), took("trigger")), {
        atLeast: 2,
      }),
      judge("rate / that of the double insert by hand", "", ratios(took("by hand"), took("trigger")), {
        atLeast: 0.95,
      }),
      inform("rate / that of two COPY commands by hand", "", ratios(took("two copies"), took("trigger"))),
      inform("with the trigger", " s", took("trigger")),
    ];
  },
};

/** Signups a second of one COPY of so many, with our trigger. */
export async function copyRate({ sql }: BenchDatabase, members: number): Promise<number> {
  const ids = Array.from({ length: members }, () => crypto.randomUUID());
  return members /
    await seconds(() => sql.begin((transaction) => copyIn(transaction, "public.members (id)", ids)));
}

async function copyIn(transaction: Transaction, columns: string, lines: string[]): Promise<void> {
  const stream = await transaction`copy ${transaction.unsafe(columns)} from stdin`.writable();
  const chunks = Array.from(
    { length: Math.ceil(lines.length / 1000) },
    (_, chunk) => lines.slice(chunk * 1000, (chunk + 1) * 1000).join("\n") + "\n",
  );
  await pipeline(Readable.from(chunks), stream);
}

async function insertAssignments(transaction: Transaction, ids: string[]): Promise<void> {
  await transaction`
    insert into public.trainer_client_assignments (trainer_id, client_id, source)
    select ${DEFAULT_TRAINER_ID}, id, 'signup'
    from unnest(${ids}::uuid[]) as member (id)
  `;
}

/** As a careful programmer would write it: a row at a time, each with a handler, so that no signup fails. */
async function createRowTrigger({ sql }: BenchDatabase): Promise<void> {
  await sql.unsafe(`
    create function public.assign_trainer_row() returns trigger language plpgsql as $$
    begin
      insert into public.trainer_client_assignments (trainer_id, client_id, source)
      values ('${DEFAULT_TRAINER_ID}', new.id, 'trigger')
      on conflict (client_id, trainer_id) where status = 'active' do nothing;
      return null;
    exception when others then
      raise warning 'member % has no trainer: %', new.id, sqlerrm;
      return null;
    end;
    $$;
    create trigger assign_trainer_row after insert on public.members
      for each row execute function public.assign_trainer_row();
  `).simple();
}

async function enableTriggers({ sql }: BenchDatabase, enabled: string[]): Promise<void> {
  await sql`alter table public.members disable trigger user`;
  for (const name of enabled) await sql`alter table public.members enable trigger ${sql(name)}`;
}
