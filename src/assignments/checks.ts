import { onServerOrCluster } from "../database/distributed.ts";
import type { SqlOrTransaction } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { findOnCluster } from "./checks_on_cluster.ts";

/** An active assignment. */
export interface Assignment {
  id: string;
  assignmentDate: Date;
  /** What assigned: `trigger`, `retry`, `backfill`, `transfer`, `manual` or `signup`. */
  source: string;
  notes: string | null;
}

/** Asks for any trainer, in place of a trainer's id. */
export const ANY_TRAINER = "any";

/**
 * Tells for each of the members whether they have an active assignment to a trainer, in the order asked.
 * An unknown member has none. One query, answered from the index of active assignments.
 * @param memberIds any number; the HTTP route takes up to 1,000.
 * @param trainerId the default trainer if left out; {@link ANY_TRAINER}: an assignment to anybody counts.
 */
export async function checkAssignments(
  sql: SqlOrTransaction,
  memberIds: readonly string[],
  trainerId?: string,
): Promise<{ trainerId: string; results: { memberId: string; assigned: boolean }[] }> {
  return await onServerOrCluster(
    sql,
    () => checkOnServer(sql, memberIds, trainerId),
    () => checkOnCluster(sql, memberIds, trainerId),
  );
}

type Checked = Awaited<ReturnType<typeof checkAssignments>>;

async function checkOnCluster(
  sql: SqlOrTransaction,
  memberIds: readonly string[],
  trainerId: string | undefined,
): Promise<Checked> {
  const asked = trainerId ?? await findDefaultTrainer(sql);
  const found = await findOnCluster(sql, memberIds);
  const isAsked = (id: string) => asked === ANY_TRAINER || id === asked.toLowerCase();
  const assigned = new Set(found.filter((each) => isAsked(each.trainerId)).map(({ clientId }) => clientId));
  return {
    trainerId: asked,
    results: memberIds.map((memberId) => ({ memberId, assigned: assigned.has(memberId.toLowerCase()) })),
  };
}

async function findDefaultTrainer(sql: SqlOrTransaction): Promise<string> {
  const [row] = await withAppErrors(sql<[{ id: string }]>`select assignment.default_trainer_id() as id`);
  return row.id;
}

async function checkOnServer(
  sql: SqlOrTransaction,
  memberIds: readonly string[],
  trainerId: string | undefined,
): Promise<Checked> {
  const isAny = trainerId === ANY_TRAINER;
  // Materialized, for else the function that finds the default trainer is called for each member.
  const [row] = await withAppErrors(sql<[{ trainerId: string; flags: string | null }]>`
    with trainer as materialized (
      select ${
    isAny ? sql`${ANY_TRAINER}::text` : sql`coalesce(${trainerId ?? null}, assignment.default_trainer_id())`
  } as id
    )
    select
      trainer.id as trainer_id,
      (
        select string_agg(case when a.found is null then '0' else '1' end, '' order by asked.position)
        from unnest(${[...memberIds]}::uuid[]) with ordinality as asked (member_id, position)
        left join lateral (
          select true as found  -- a column outside of the index would be a look at the table
          from public.trainer_client_assignments
          where client_id = asked.member_id
            ${isAny ? sql`` : sql`and trainer_id is not distinct from trainer.id`}
            and status = 'active'
          limit 1  -- one is enough; prevents a full scan on stale statistics
        ) as a on true
      ) as flags
    from trainer
  `);
  return {
    trainerId: row.trainerId,
    results: memberIds.map((memberId, index) => ({ memberId, assigned: row.flags?.[index] === "1" })),
  };
}

/**
 * Finds a member's active assignment to a trainer; with {@link ANY_TRAINER}, one of the member's active assignments, the
 * same at each call. `trainerId` is then its trainer's, or `any` if there is none.
 * @throws {AppError} `member_not_found`
 */
export async function getAssignment(
  sql: SqlOrTransaction,
  memberId: string,
  trainerId?: string,
): Promise<{ memberId: string; trainerId: string; assigned: boolean; assignment: Assignment | null }> {
  const row = await onServerOrCluster(
    sql,
    () => getOnServer(sql, memberId, trainerId),
    () => getOnCluster(sql, memberId, trainerId),
  );
  if (!row) throw new AppError("member_not_found", `member ${memberId} does not exist`);
  const { id, assignmentDate, source, notes } = row;
  const assignment = id && assignmentDate && source ? { id, assignmentDate, source, notes } : null;
  return { memberId, trainerId: row.trainerId ?? ANY_TRAINER, assigned: assignment !== null, assignment };
}

type Row = { trainerId: string | null } & { [K in keyof Assignment]: Assignment[K] | null };

async function getOnCluster(
  sql: SqlOrTransaction,
  memberId: string,
  trainerId: string | undefined,
): Promise<Row | undefined> {
  const asked = trainerId === ANY_TRAINER ? null : trainerId ?? await findDefaultTrainer(sql);
  const [assignment] = await sql<Row[]>`
    select trainer_id, id, assignment_date, source, notes
    from public.trainer_client_assignments
    where client_id = ${memberId}
      ${asked === null ? sql`` : sql`and trainer_id = ${asked}`}
      and status = 'active'
    order by trainer_id
    limit 1
  `;
  if (assignment !== undefined) return assignment;
  const found = await sql`select from public.members where id = ${memberId}`;
  return found.length === 0
    ? undefined
    : { trainerId: asked, id: null, assignmentDate: null, source: null, notes: null };
}

async function getOnServer(
  sql: SqlOrTransaction,
  memberId: string,
  trainerId: string | undefined,
): Promise<Row | undefined> {
  const asked = trainerId === ANY_TRAINER
    ? sql`null::uuid`
    : sql`coalesce(${trainerId ?? null}, assignment.default_trainer_id())`;
  const [row] = await withAppErrors(
    sql<Row[]>`
    select coalesce(asked.trainer_id, a.trainer_id) as trainer_id, a.id, a.assignment_date, a.source, a.notes
    from public.members m
    cross join (select ${asked} as trainer_id) as asked
    left join lateral (
      select id, trainer_id, assignment_date, source, notes
      from public.trainer_client_assignments
      where client_id = m.id
        ${trainerId === ANY_TRAINER ? sql`` : sql`and trainer_id is not distinct from asked.trainer_id`}
        and status = 'active'
      order by trainer_id
      limit 1
    ) as a on true
    where m.id = ${memberId}
  `,
  );
  return row;
}

/** Tells whether a member has an active assignment to a trainer, or with {@link ANY_TRAINER} to anybody; an unknown member has none. */
export async function isUserAssignedToTrainer(
  sql: SqlOrTransaction,
  memberId: string,
  trainerId?: string,
): Promise<boolean> {
  const { results } = await checkAssignments(sql, [memberId], trainerId);
  return results.some((result) => result.assigned);
}
