import type { Actor } from "../actor.ts";
import type { SqlOrTransaction } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { ANY_TRAINER, type Assignment, isUserAssignedToTrainer } from "./checks.ts";

/**
 * Assigns a member to a trainer, by default the default trainer; a second call changes nothing. An assignment that was
 * ended is made anew.
 * @param options.actor who assigns; by default the database role
 * @param options.force also beyond the trainer's capacity, and if the trainer accepts no clients
 * @returns `assigned: true` when this call did it, and the assignment that stands now.
 * @throws {AppError} `member_not_found`, `trainer_not_found`, `member_is_trainer`, `no_room`, or `assignment_failed` when the
 *   database refuses the row (`details.sqlstate`).
 */
export async function assignClientToTrainer(
  sql: SqlOrTransaction,
  clientId: string,
  options: Partial<Actor> & {
    trainerId?: string | undefined;
    notes?: string | undefined;
    force?: boolean | undefined;
  } = {},
): Promise<{ assigned: boolean; trainerId: string; assignment: Assignment }> {
  const [row] = await withAppErrors(sql<[Assignment & { assigned: boolean; trainerId: string }]>`
    select assigned, trainer_id, id, assignment_date, source, notes
    from assignment.assign_member(
      ${clientId},
      ${options.trainerId ?? null},
      ${options.notes ?? null},
      p_by_force => ${options.force ?? false},
      p_actor => ${options.actor ?? null},
      p_request_id => ${options.requestId ?? null}
    )
  `);
  const { assigned, trainerId, ...assignment } = row;
  return { assigned, trainerId, assignment };
}

/**
 * Assigns a member who has just signed up, as the trigger would: as the policy says, or to the trainer named here. A
 * failed assignment never throws: it is recorded in `assignment.failures`, retried by the service (for the trainer named
 * here, if any), and returned. Members that the trigger saw are assigned already; an assignment that was ended stays
 * ended, so that a program may call this at every sign-in.
 * @param options.actor who assigns; by default the database role
 * @returns whether the member has the trainer now, and why not. Where the policy has to choose, any trainer counts; nobody
 *   may be its choice.
 */
export async function assignNewUserToTrainer(
  sql: SqlOrTransaction,
  memberId: string,
  trainerId?: string,
  options: { actor?: string | undefined } = {},
): Promise<{ assigned: boolean; failure: { sqlstate: string; message: string } | null }> {
  const [failure] = await sql<{ sqlstate: string; message: string }[]>`
    select sqlstate, message
    from unnest(assignment.assign_or_record(
      array[${memberId}]::uuid[], 'signup', ${trainerId ?? null}, p_actor => ${options.actor ?? null}
    ))
  `;
  if (failure) return { assigned: false, failure };
  const wanted = trainerId ?? await findWantedTrainer(sql);
  return { assigned: await isUserAssignedToTrainer(sql, memberId, wanted), failure: null };
}

/** The default trainer (undefined) as long as the policy gives everybody the same. */
async function findWantedTrainer(sql: SqlOrTransaction): Promise<string | undefined> {
  const [settings] = await sql<{ chooses: boolean }[]>`
    select needs_choice or respects_other_trainers as chooses
    from assignment.settings
  `;
  return settings?.chooses ? ANY_TRAINER : undefined;
}

/**
 * Ends a member's active assignment to a trainer: it becomes inactive and stays as history. No backfill and no retry
 * revives it; {@link assignClientToTrainer} makes a new one.
 * @param by who ends it; by default the database role
 * @throws {AppError} `assignment_not_found` when there is no active one; `assignment_failed` when the database keeps it
 *   (`details.sqlstate`).
 */
export async function endAssignment(
  sql: SqlOrTransaction,
  trainerId: string,
  clientId: string,
  by: Partial<Actor> = {},
): Promise<void> {
  const [row] = await withAppErrors(sql<[{ ended: boolean }]>`
    select assignment.end_assignment(${clientId}, ${trainerId}, ${by.actor ?? null}, ${
    by.requestId ?? null
  }) as ended
  `);
  if (!row.ended) {
    throw new AppError(
      "assignment_not_found",
      `member ${clientId} has no active assignment to trainer ${trainerId}`,
    );
  }
}
