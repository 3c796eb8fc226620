import type { Sql } from "../../src/database/sql.ts";

/** What `/readyz` asks for where a table of members has come without our trigger. */
export const CREATE_TRIGGER = `
  create trigger members_assign_trainer_after_insert
    after insert on public.members
    referencing new table as new_members
    for each statement
    execute function assignment.tg_members__assign_trainer()
`;

/**
 * What an online-schema-change tool does: fills a shadow table and swaps the names. Foreign keys of others, and triggers,
 * stay on the old table; ours is created again.
 */
export async function swapMembers(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table public.shadow (like public.members including all);
    alter table public.shadow add column phone text;
    insert into public.shadow (id, email, display_name) select id, email, display_name from public.members;
    alter table public.members rename to old_members;
    alter table public.shadow rename to members;
    ${CREATE_TRIGGER}
  `);
}

/** Lets one foreign key of the assignments point at a copy of the members' table that nobody is added to any more. */
export async function misplaceKey(sql: Sql, column: "client_id" | "trainer_id"): Promise<void> {
  await sql.unsafe(`
    create table public.former_members (id uuid primary key);
    insert into public.former_members select id from public.members;
    alter table public.trainer_client_assignments
      drop constraint trainer_client_assignments_${column}_fkey,
      add constraint trainer_client_assignments_${column}_fkey
        foreign key (${column}) references public.former_members (id);
  `);
}

/** Runs the statements that a TA009 names, up to the end of the message. */
export async function runMend(sql: Sql, message: string): Promise<void> {
  const [, statements] = message.match(/Run: (.*)$/) ?? [];
  if (statements === undefined) throw new Error(`no statement in: ${message}`);
  await sql.unsafe(statements);
}
