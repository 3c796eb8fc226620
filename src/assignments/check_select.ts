import { onServerOrCluster } from "../database/distributed.ts";
import type { Sql } from "../database/sql.ts";
import { ANY_TRAINER, type Assignment } from "./checks.ts";
import { findOnCluster } from "./checks_on_cluster.ts";

/** Who is asked for. */
interface Asked {
  memberId: string;
  /** The default trainer if left out; {@link ANY_TRAINER}: whichever. */
  trainerId: string | undefined;
}

/** An assignment with its time as JSON writes it; null: out of range. */
export type WrittenAssignment = Omit<Assignment, "assignmentDate"> & { assignmentDate: string | null };

/** How a check's member stands. `isKnown` is null where there is an assignment; `isFiltered`: rows may be hidden. */
export type CheckRow =
  & { position: number; trainerId: string | null; isKnown: boolean | null; isFiltered: boolean }
  & {
    [K in keyof WrittenAssignment]: WrittenAssignment[K] | null;
  };

/** Reads how each of those asked for stands: a row for each, in any order. */
export async function selectChecks(sql: Sql, checks: readonly Asked[]): Promise<CheckRow[]> {
  const isAny = checks.some(({ trainerId }) => trainerId === ANY_TRAINER);
  return await onServerOrCluster(
    sql,
    () => isAny ? selectAny(sql, checks) : selectPairs(sql, checks),
    () => selectOnCluster(sql, checks),
  );
}

/** All that the members have, each node's part of them at once; who has nothing is then looked up among the members. */
async function selectOnCluster(sql: Sql, checks: readonly Asked[]): Promise<CheckRow[]> {
  const needsDefault = checks.some(({ trainerId }) => trainerId === undefined);
  const [assignments, [settings]] = await Promise.all([
    findOnCluster(sql, checks.map(({ memberId }) => memberId)),
    needsDefault
      ? sql<{ id: string | null }[]>`select default_trainer_id as id from assignment.settings`
      : [],
  ]);
  const byPair = new Map(assignments.map((each) => [`${each.clientId} ${each.trainerId}`, each]));
  const byMember = new Map(assignments.toReversed().map((each) => [each.clientId, each])); // the first of each
  const found = checks.map((check) => {
    const memberId = check.memberId.toLowerCase();
    const trainerId = check.trainerId === ANY_TRAINER
      ? null
      : (check.trainerId ?? settings?.id ?? null)?.toLowerCase() ?? null;
    const assignment = check.trainerId === ANY_TRAINER
      ? byMember.get(memberId)
      : byPair.get(`${memberId} ${trainerId}`);
    return { memberId, trainerId, assignment };
  });
  const asked = found.filter(({ assignment }) => assignment === undefined).map(({ memberId }) => memberId);
  const known = asked.length === 0
    ? []
    : await sql<{ id: string }[]>`select id from public.members where id = any (${asked}::uuid[])`;
  const isKnown = new Set(known.map(({ id }) => id));
  return found.map(({ memberId, trainerId, assignment }, at) => ({
    ...assignment ?? { id: null, assignmentDate: null, source: null, notes: null },
    position: at + 1,
    trainerId: trainerId ?? assignment?.trainerId ?? null,
    isKnown: assignment === undefined ? isKnown.has(memberId) : null,
    isFiltered: false,
  }));
}

/** Looks up each pair by the unique index, then those not found by the members' primary key. */
async function selectPairs(sql: Sql, checks: readonly Asked[]): Promise<CheckRow[]> {
  const memberIds = checks.map(({ memberId }) => memberId);
  const trainerIds = checks.map(({ trainerId }) => trainerId ?? null);
  return await sql<CheckRow[]>`
    select
      asked.position,
      asked.trainer_id,
      a.id,
      a.assignment_date::text,
      a.source,
      a.notes,
      case when a.id is null then exists (select from public.members m where m.id = asked.member_id) end as is_known,
      (
        select row_security_active('public.trainer_client_assignments')
          or row_security_active('public.members')
          or row_security_active('assignment.settings')
      ) as is_filtered
    from (
      select
        position,
        member_id,
        coalesce(trainer_id, (select default_trainer_id from assignment.settings)) as trainer_id
      from unnest(${memberIds}::uuid[], ${trainerIds}::uuid[]) with ordinality as ids (member_id, trainer_id, position)
    ) as asked
    left join lateral (
      select id, assignment_date, source, notes
      from public.trainer_client_assignments
      where client_id = asked.member_id
        and trainer_id is not distinct from asked.trainer_id  -- unlike =, keeps the index by trainer out of the plan
        and status = 'active'
      limit 1  -- there is at most one; saying so prevents a full scan on stale statistics
    ) as a on true
  `;
}

/**
 * The same where some checks ask for any trainer. A statement of its own, so that the plain checks keep theirs. It takes the
 * first of a member's trainers in the order of the index.
 */
async function selectAny(sql: Sql, checks: readonly Asked[]): Promise<CheckRow[]> {
  const memberIds = checks.map(({ memberId }) => memberId);
  const trainerIds = checks.map(({ trainerId }) => trainerId ?? null);
  return await sql<CheckRow[]>`
    select
      asked.position,
      coalesce(asked.trainer_id, a.trainer_id) as trainer_id,
      a.id,
      a.assignment_date::text,
      a.source,
      a.notes,
      case when a.id is null then exists (select from public.members m where m.id = asked.member_id) end as is_known,
      (
        select row_security_active('public.trainer_client_assignments')
          or row_security_active('public.members')
          or row_security_active('assignment.settings')
      ) as is_filtered
    from (
      select
        position,
        member_id,
        trainer = ${ANY_TRAINER} as is_any,
        case
          when trainer = ${ANY_TRAINER} then null
          else coalesce(trainer::uuid, (select default_trainer_id from assignment.settings))
        end as trainer_id
      from unnest(${memberIds}::uuid[], ${trainerIds}::text[]) with ordinality as ids (member_id, trainer, position)
    ) as asked
    left join lateral (
      select id, trainer_id, assignment_date, source, notes
      from public.trainer_client_assignments
      where client_id = asked.member_id
        and (asked.is_any or trainer_id is not distinct from asked.trainer_id)
        and status = 'active'
      order by trainer_id
      limit 1
    ) as a on true
  `;
}
