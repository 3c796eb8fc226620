import type { Sql } from "../database/sql.ts";

/**
 * Adds members that are not assigned, as before the trigger existed. It disables the trigger within its
 * transaction, so it waits for running inserts into `members`, and others wait for it.
 * @param count 1 to 1,000,000
 */
export async function addDemoMembers(sql: Sql, count: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await transaction`
      insert into public.members (email, display_name, created_at)
      select
        'member' || number || '-' || substr(md5(random()::text), 1, 8) || '@example.com',
        'Demo member ' || number,
        now() - interval '1 year'
      from generate_series(1, ${count}::integer) as number
    `;
    await transaction`alter table public.members enable trigger members_assign_trainer_after_insert`;
  });
}

/** Tells whether our migrations created `public.members`, so that it is not an application's table. */
export async function isOwnMembersTable(sql: Sql): Promise<boolean> {
  const [table] = await sql<{ isOwn: boolean }[]>`
    select obj_description('public.members'::regclass, 'pg_class') like '%Created by trainer assignment%' as is_own
  `;
  return table?.isOwn ?? false;
}

/** Counts the members without an active assignment to the default trainer, who has none to himself. */
export async function countMembersWithoutTrainer(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)
    from public.members m
    cross join assignment.settings s
    where m.id <> s.default_trainer_id
      and not exists (
        select
        from public.trainer_client_assignments a
        where a.client_id = m.id
          and a.trainer_id = s.default_trainer_id
          and a.status = 'active'
      )
  `;
  return row?.count ?? 0;
}
