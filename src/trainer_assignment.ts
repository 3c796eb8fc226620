/**
 * Who trains whom: what programs call. Each function takes the database handle first, and goes to the default trainer
 * of `assignment.settings` where no other is named. Member and trainer ids are UUIDs as strings.
 * @module
 */
import type { Sql } from "./database/sql.ts";
import { type ClientPage, selectClientPage } from "./assignments/client_page.ts";
import { AppError, withAppErrors } from "./errors.ts";

export type { ClientPage, ClientStatus } from "./assignments/client_page.ts";
export { backfillExistingUsers } from "./runs/existing_users.ts";

/** The default trainer of a new installation, until an admin sets another one. */
export const DEFAULT_TRAINER_ID = "d18a21c8-be77-496f-a2fd-ec6479ecba6d";

/** An active assignment. */
export interface Assignment {
  id: string;
  assignmentDate: Date;
  /** What assigned: `trigger`, `retry`, `backfill`, `manual` or `signup`. */
  source: string;
  notes: string | null;
}

/** A member as a trainer's client, in one assignment; a member has several when earlier ones ended. */
export interface Client {
  clientId: string;
  assignmentId: string;
  assignmentDate: Date;
  status: "active" | "inactive";
  /** Null while it is active, and of one that was made inactive past this service. */
  endedAt: Date | null;
  notes: string | null;
}

/**
 * Assigns a member to a trainer; a second call changes nothing. An assignment that was ended is made anew.
 * @returns `assigned: true` when this call did it, and the assignment that stands now.
 * @throws {AppError} `member_not_found`, `trainer_not_found`, `member_is_trainer`, or `assignment_failed` when the
 *   database refuses the row (`details.sqlstate`).
 */
export async function assignClientToTrainer(
  sql: Sql,
  clientId: string,
  options: { trainerId?: string | undefined; notes?: string | undefined } = {},
): Promise<{ assigned: boolean; trainerId: string; assignment: Assignment }> {
  const [row] = await withAppErrors(sql<[Assignment & { assigned: boolean; trainerId: string }]>`
    select assigned, trainer_id, id, assignment_date, source, notes
    from assignment.assign_member(${clientId}, ${options.trainerId ?? null}, ${options.notes ?? null})
  `);
  const { assigned, trainerId, ...assignment } = row;
  return { assigned, trainerId, assignment };
}

/**
 * Assigns a member who has just signed up, as the trigger would. A failed assignment never throws: it is recorded in
 * `assignment.failures`, retried by the service (for the trainer named here, if any), and returned. Members that the trigger saw are assigned already; an
 * assignment that was ended stays ended, so that a program may call this at every sign-in.
 * @returns whether the member has the trainer now, and why not.
 */
export async function assignNewUserToTrainer(
  sql: Sql,
  memberId: string,
  trainerId?: string,
): Promise<{ assigned: boolean; failure: { sqlstate: string; message: string } | null }> {
  const [failure] = await sql<{ sqlstate: string; message: string }[]>`
    select sqlstate, message
    from unnest(assignment.assign_or_record(array[${memberId}]::uuid[], 'signup', ${trainerId ?? null}))
  `;
  if (failure) return { assigned: false, failure };
  return { assigned: await isUserAssignedToTrainer(sql, memberId, trainerId), failure: null };
}

/** Tells whether a member has an active assignment to a trainer; an unknown member has none. */
export async function isUserAssignedToTrainer(
  sql: Sql,
  memberId: string,
  trainerId?: string,
): Promise<boolean> {
  const { results } = await checkAssignments(sql, [memberId], trainerId);
  return results.some((result) => result.assigned);
}

/**
 * Lists a trainer's clients, oldest assignment first; empty when there are none.
 * Rows that existed when the first page was read are neither skipped nor repeated, whatever is inserted meanwhile.
 * @throws {AppError} `trainer_not_found` when the trainer is no member.
 */
export async function getTrainerClients(
  sql: Sql,
  trainerId: string,
  page: ClientPage = { limit: 1000 },
): Promise<Client[]> {
  const clients = await sql<Client[]>`
    select client_id, id as assignment_id, assignment_date, status, ended_at, notes
    from ${selectClientPage(sql, trainerId, page)}
    order by clients.id
  `;
  if (clients.length === 0) await requireTrainer(sql, trainerId);
  return [...clients];
}

/**
 * Finds a member's active assignment to a trainer.
 * @throws {AppError} `member_not_found`
 */
export async function getAssignment(
  sql: Sql,
  memberId: string,
  trainerId?: string,
): Promise<{ memberId: string; trainerId: string; assigned: boolean; assignment: Assignment | null }> {
  const [row] = await withAppErrors(
    sql<({ trainerId: string } & { [K in keyof Assignment]: Assignment[K] | null })[]>`
    select asked.trainer_id, a.id, a.assignment_date, a.source, a.notes
    from public.members m
    cross join (select coalesce(${trainerId ?? null}, assignment.default_trainer_id()) as trainer_id) as asked
    left join public.trainer_client_assignments a
      on a.client_id = m.id
      and a.trainer_id is not distinct from asked.trainer_id
      and a.status = 'active'
    where m.id = ${memberId}
  `,
  );
  if (!row) throw new AppError("member_not_found", `member ${memberId} does not exist`);
  const { id, assignmentDate, source, notes } = row;
  const assignment = id && assignmentDate && source ? { id, assignmentDate, source, notes } : null;
  return { memberId, trainerId: row.trainerId, assigned: assignment !== null, assignment };
}

/**
 * Tells for each of the members whether they have an active assignment to a trainer, in the order asked.
 * An unknown member has none. One query, answered from the index of active assignments.
 * @param memberIds any number; the HTTP route takes up to 1,000.
 */
export async function checkAssignments(
  sql: Sql,
  memberIds: readonly string[],
  trainerId?: string,
): Promise<{ trainerId: string; results: { memberId: string; assigned: boolean }[] }> {
  // Materialized, for else the function that finds the default trainer is called for each member.
  const [row] = await withAppErrors(sql<[{ trainerId: string; flags: string | null }]>`
    with trainer as materialized (
      select coalesce(${trainerId ?? null}, assignment.default_trainer_id()) as id
    )
    select
      trainer.id as trainer_id,
      (
        select string_agg(case when a.id is null then '0' else '1' end, '' order by asked.position)
        from unnest(${[...memberIds]}::uuid[]) with ordinality as asked (member_id, position)
        left join lateral (
          select id
          from public.trainer_client_assignments
          where client_id = asked.member_id
            and trainer_id is not distinct from trainer.id
            and status = 'active'
          limit 1  -- there is one at most; so said, no plan reads the whole table, whatever the statistics are
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
 * Ends a member's active assignment to a trainer: it becomes inactive and stays as history. No backfill and no retry
 * revives it; {@link assignClientToTrainer} makes a new one.
 * @throws {AppError} `assignment_not_found` when there is no active one.
 */
export async function endAssignment(sql: Sql, trainerId: string, clientId: string): Promise<void> {
  const [row] = await sql<[{ ended: boolean }]>`
    select assignment.end_assignment(${clientId}, ${trainerId}) as ended
  `;
  if (!row.ended) {
    throw new AppError(
      "assignment_not_found",
      `member ${clientId} has no active assignment to trainer ${trainerId}`,
    );
  }
}

/** @throws {AppError} `trainer_not_found` when the trainer is no member. */
export async function requireTrainer(sql: Sql, trainerId: string): Promise<void> {
  const found = await sql`select from public.members where id = ${trainerId}`;
  if (found.length === 0) throw new AppError("trainer_not_found", `trainer ${trainerId} is no member`);
}
