import type postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";

type Transaction = postgres.TransactionSql<{ bigint: number }>;

/** Adds members whom the trigger did not see, as if they were there before it; version 4 ids. */
export async function addUnseenMembers(sql: Sql, count: number): Promise<void> {
  await withoutTrigger(sql, (transaction) =>
    transaction`
      insert into public.members (id)
      select gen_random_uuid()
      from generate_series(1, ${count}::integer)
    `);
}

/** Does something to the members that the trigger does not see. */
export async function withoutTrigger(
  sql: Sql,
  work: (transaction: Transaction) => Promise<unknown>,
): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await work(transaction);
    await transaction`set local session_replication_role = origin`;
  });
}

/** Makes the database refuse assignments of members for whom the condition over `new` holds. */
export async function refuseAssignments(sql: Sql, condition: string, sqlstate = "P0001"): Promise<void> {
  await defineRefusal(sql, condition, sqlstate);
  await sql.unsafe(`
    create or replace trigger refuse_assignment before insert on public.trainer_client_assignments
      for each row execute function public.refuse_assignment();
  `);
}

/** Defines the function of {@link refuseAssignments}' trigger. */
export async function defineRefusal(sql: Sql, condition: string, sqlstate = "P0001"): Promise<void> {
  await sql.unsafe(`
    create or replace function public.refuse_assignment() returns trigger language plpgsql as $$
    begin
      if ${condition} then
        raise exception 'member % is refused', new.client_id using errcode = '${sqlstate}';
      end if;
      return new;
    end;
    $$;
  `);
}

/** Makes each assignment take so long at least, so that a run is still under way on a fast machine and a slow one. */
export async function slowAssignments(sql: Sql, rowMs: number): Promise<void> {
  await refuseAssignments(sql, `pg_sleep(${rowMs / 1000}) is null`);
}

/** Takes back {@link refuseAssignments} and {@link slowAssignments}. */
export async function acceptAssignments(sql: Sql): Promise<void> {
  await sql`drop trigger refuse_assignment on public.trainer_client_assignments`;
}
