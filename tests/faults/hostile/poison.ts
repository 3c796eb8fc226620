import type { Sql } from "../../../src/database/sql.ts";

/** Ends lines in every way, colours them, names the window, hides and turns what follows. `poison` finds it again. */
export const POISON =
  'poison\r\n{"level":"info","msg":"forged"}\n\u001b[31mred\u001b[0m\u001b]0;title\u0007\u0085\u009b2J\u2028\u2029\u202eturned\b\u007f';

// deno-lint-ignore no-control-regex -- controls are what it is about
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

/** Finds a character that a terminal obeys or that ends a line for some reader; undefined when there is none but `\n`. */
export function findControl(text: string): string | undefined {
  const found = CONTROLS.exec(text);
  if (found === null) return undefined;
  const code = found[0].charCodeAt(0).toString(16).padStart(4, "0");
  return `U+${code} in …${JSON.stringify(text.slice(Math.max(0, found.index - 100), found.index + 20))}`;
}

/** Has the database answer with the poison: whenever somebody is assigned, and whenever what a trainer takes is changed. */
export async function poisonDatabase(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create function public.tg_raise_poison()
      returns trigger
      language plpgsql
    as $$ begin raise exception using message = ${literal(POISON)}, detail = ${literal(POISON)}; end $$;
    create trigger poison before insert on public.trainer_client_assignments
      for each row execute function public.tg_raise_poison();
    create trigger poison before insert or update on assignment.trainers
      for each row execute function public.tg_raise_poison();
  `);
}

/** Has every statement fail that changes the schema: what migrations then say. */
export async function poisonMigrations(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create function public.raise_poison()
      returns event_trigger
      language plpgsql
    as $$ begin raise exception using message = ${literal(POISON)}; end $$;
    create event trigger poison on ddl_command_start execute function public.raise_poison();
  `);
}

export async function liftPoison(sql: Sql): Promise<void> {
  await sql.unsafe(`
    drop event trigger if exists poison;
    drop function if exists public.raise_poison();
    drop function if exists public.tg_raise_poison() cascade;
  `);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
