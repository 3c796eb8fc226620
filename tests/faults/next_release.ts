import { join } from "node:path";
import { copyService } from "./service_copy.ts";

const tables = [
  "public.trainer_client_assignments",
  "assignment.settings",
  "assignment.failures",
  "assignment.backfill_runs",
];

/**
 * What a release may bring: a column in every table and in the view that old services read, every function made anew. A
 * migration locks one table, as ours do: one that locks several would meet steps and signups in a deadlock.
 */
const migrations = [
  ...tables.map((table) => `alter table ${table} add column label text;`),
  `do $$
   declare
     v_definition text;
   begin
     for v_definition in
       select pg_get_functiondef(oid)
       from pg_proc
       where pronamespace = 'assignment'::regnamespace and prokind = 'f'
     loop
       execute v_definition;
     end loop;
   end;
   $$;`,
  `do $$
   begin
     execute format(
       'create or replace view assignment.backfill_progress as select v.*, null::text as label from (%s) as v',
       rtrim(pg_get_viewdef('assignment.backfill_progress'::regclass), ';')
     );
   end;
   $$;`,
];

/** Makes the release after this one in a folder: a copy with a few migrations more. */
export async function makeNextRelease(folder: string): Promise<string> {
  await copyService(folder, []);
  for (const [number, up] of migrations.entries()) {
    await Deno.writeTextFile(
      join(folder, `db/migrations/2999123100000${number}_next_release.sql`),
      `-- migrate:up\nset local lock_timeout = '5s';\n${up}\n\n-- migrate:down\n`,
    );
  }
  return folder;
}

/** Migrates with the release's own command. */
export async function migrateWith(folder: string, databaseUrl: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "main.ts", "migrate"],
    cwd: folder,
    env: { DATABASE_URL: databaseUrl },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
