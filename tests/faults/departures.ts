import type { Sql } from "../../src/database/sql.ts";
import { type Journal, RolledBack, unlessRolledBack } from "./journal.ts";
import type { Random } from "./random.ts";

/** The assignments that there are, and those that went with members or were deleted, with the trainers they had. */
export const ASSIGNMENTS_EVER = "public.assignments_ever";

/** The assignments that went. */
export const DEPARTED = "public.departed_assignments";

/**
 * Keeps, for the oracle, what goes with members who leave: their assignments and errors of runs, and whom an assignment
 * named as its trainer. Of each transfer it also keeps whom it found; see transfers.ts.
 * @param options.onShards in the shard of the member, for {@link makePlain} to collect; there no name of a trainer goes
 */
export async function keepDeparted(sql: Sql, { onShards = false } = {}): Promise<void> {
  const statements = [...tables, onShards ? besideShard : besideTable, ...triggers];
  const others = onShards ? distribution : [...nameTrigger, view];
  for (const statement of [...statements, ...others]) await sql.unsafe(statement);
}

const tables = [
  `create table ${DEPARTED} (like public.trainer_client_assignments)`,
  "create table public.departed_errors (like assignment.backfill_errors)",
  "create table public.departed_trainers (assignment_id uuid, trainer_id uuid)",
  "create table public.transferred (request_id text, assignment_id uuid, client_id uuid)",
];

const distribution = [
  `select create_distributed_table('${DEPARTED}', 'client_id', colocate_with => 'public.members')`,
  "select create_distributed_table('public.departed_errors', 'member_id', colocate_with => 'public.members')",
];

const besideTable = `
  create function public.table_beside(p_table oid, p_name text) returns text language sql as $$
    select p_name
  $$
`;

const besideShard = `
  create function public.table_beside(p_table oid, p_name text) returns text language sql as $$
    select format('%s_%s', p_name, beside.shardid)
    from pg_dist_shard own
    join pg_dist_shard beside using (shardminvalue)
    where own.shardid = substring(p_table::regclass::text from '_(\\d+)$')::bigint
      and beside.logicalrelid = format('public.%I', p_name)::regclass
  $$
`;

const triggers = [
  `
    create function public.keep_departed() returns trigger language plpgsql security definer as $$
    begin
      execute format('insert into public.%I select ($1).*', public.table_beside(tg_relid, tg_argv[0])) using old;
      return old;
    end;
    $$
  `,
  `
    create trigger keep_departed before delete on public.trainer_client_assignments
      for each row execute function public.keep_departed('departed_assignments')
  `,
  `
    create trigger keep_departed before delete on assignment.backfill_errors
      for each row execute function public.keep_departed('departed_errors')
  `,
];

const nameTrigger = [
  `
    create function public.keep_trainer() returns trigger language plpgsql security definer as $$
    begin
      insert into public.departed_trainers values (old.id, old.trainer_id);
      return new;
    end;
    $$
  `,
  `
    create trigger keep_trainer before update on public.trainer_client_assignments
      for each row when (old.trainer_id is not null and new.trainer_id is null) execute function public.keep_trainer()
  `,
];

const view = `
  create view ${ASSIGNMENTS_EVER} as
  select a.id, coalesce(a.trainer_id, d.trainer_id) as trainer_id, a.client_id, a.assignment_date, a.status, a.source,
    a.backfill_run_id, a.policy_version, a.rule, a.assigned_by, a.ended_at, a.ended_by, a.ended_because, a.ended_run_id,
    a.is_there, a.written_by
  from (
    select *, true as is_there, xmin as written_by from public.trainer_client_assignments
    union all
    select *, false, null::xid from ${DEPARTED}
  ) as a
  left join public.departed_trainers d on d.assignment_id = a.id
`;

/** A member leaves, or another program ends or deletes assignments. */
export type Departure = "leave" | "endDirectly" | "deleteDirectly";

/** Lets it happen to one of those who are known, or to assignments of some. */
export async function depart(
  action: Departure,
  sql: Sql,
  journal: Journal,
  random: Random,
  known: string[],
): Promise<void> {
  if (action === "leave") {
    const [id = ""] = known.splice(random.integer(0, known.length - 1), 1);
    await deleteMember(sql, journal, id);
    return;
  }
  const some = random.shuffle(known).slice(0, 3);
  const rows = await listActive(sql, some).catch(() => []); // the database is away
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  const changesMind = random.chance(0.2);
  await journal.record(
    action,
    rows.flatMap(({ id, clientId, trainerId }) => [id, clientId, trainerId]),
    () =>
      unlessRolledBack(sql.begin(async (transaction) => {
        const { count } = action === "endDirectly"
          ? await transaction`
            update public.trainer_client_assignments set status = 'inactive'
            where id = any (${ids}::uuid[]) and status = 'active'
          `
          : await transaction`
            delete from public.trainer_client_assignments where id = any (${ids}::uuid[]) and status = 'active'
          `;
        if (count < ids.length || changesMind) throw new RolledBack();
      })),
  );
}

async function listActive(sql: Sql, memberIds: string[]) {
  return await sql<{ id: string; clientId: string; trainerId: string }[]>`
    select id, client_id, trainer_id
    from public.trainer_client_assignments
    where client_id = any (${memberIds}::uuid[]) and status = 'active'
    order by id
    limit 3
  `;
}

/** Deletes a member, who may be a trainer without clients, as an application does; whether that was possible. */
export async function deleteMember(sql: Sql, journal: Journal, id: string): Promise<boolean> {
  const outcome = await journal.record("leave", [id], async () => {
    const { count } = await sql`delete from public.members where id = ${id}`;
    return count === 1 ? "acknowledged" : "failed";
  });
  return outcome === "acknowledged";
}
