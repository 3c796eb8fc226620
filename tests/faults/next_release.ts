import { join } from "node:path";
import { copyService } from "./service_copy.ts";

/** What a release may bring: columns in every table and in the view that old services read, every function made anew. */
const migration = `-- migrate:up
set local lock_timeout = '5s';
alter table public.trainer_client_assignments add column label text;
alter table assignment.settings add column label text;
alter table assignment.failures add column label text;
alter table assignment.backfill_runs add column label text;
do $$
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
  execute format(
    'create or replace view assignment.backfill_progress as select v.*, null::text as label from (%s) as v',
    rtrim(pg_get_viewdef('assignment.backfill_progress'::regclass), ';')
  );
end;
$$;

-- migrate:down
`;

/** Makes the release after this one in a folder: a copy with one migration more. */
export async function makeNextRelease(folder: string): Promise<string> {
  await copyService(folder, []);
  await Deno.writeTextFile(join(folder, "db/migrations/29991231000000_next_release.sql"), migration);
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
