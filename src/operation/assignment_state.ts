import { z } from "zod";
import type { Sql } from "../database/sql.ts";

/** What auto-assignment depends on, as it is now. Cheap, whatever the number of members. */
export interface AssignmentState {
  trigger: "enabled" | "disabled" | "missing";
  /** null when none is configured. */
  defaultTrainer: { id: string; isMember: boolean; updatedAt: Date; updatedBy: string | null } | null;
  /** Auto-assignments that wait for a retry; counted up to 10,001. */
  failures: number;
}

/** How many members have one trainer. In every answer `assigned + unassigned` is `members`, less the trainer. */
export interface Coverage {
  trainerId: string | null;
  members: number;
  assigned: number;
  unassigned: number;
  /** Of the unassigned: those whose assignment was ended, whom no backfill assigns again. */
  ended: number;
  /** The planner's guess, when counting took too long. */
  isEstimate: boolean;
  countedAt: Date;
}

const countTimeoutMs = 10_000;

/** Reads what auto-assignment depends on. */
export async function readAssignmentState(sql: Sql): Promise<AssignmentState> {
  const [row] = await sql<[
    Omit<AssignmentState, "defaultTrainer"> & {
      trainerId: string | null;
      isMember: boolean;
      updatedAt: Date;
      updatedBy: string | null;
    },
  ]>`
    select
      coalesce(
        (
          select case when tgenabled in ('O', 'A') then 'enabled' else 'disabled' end
          from pg_catalog.pg_trigger
          where tgrelid = to_regclass('public.members')
            and tgname = 'members_assign_trainer_after_insert'
        ),
        'missing'
      ) as trigger,
      s.default_trainer_id as trainer_id,
      exists (select from public.members m where m.id = s.default_trainer_id) as is_member,
      s.updated_at,
      s.updated_by,
      (select count(*) from (select from assignment.failures limit 10001) as counted) as failures
    from (select) as always
    left join assignment.settings s on true
  `;
  const { trainerId, isMember, updatedAt, updatedBy, ...state } = row;
  return {
    ...state,
    defaultTrainer: trainerId === null ? null : { id: trainerId, isMember, updatedAt, updatedBy },
  };
}

/**
 * Counts members with and without an active assignment to a trainer, in one snapshot. Takes a second or so for ten
 * million members; canceled (SQLSTATE 57014) after ten.
 */
export async function countCoverage(sql: Sql, trainerId: string | null): Promise<Coverage> {
  const [row] = await sql.begin("read only", async (transaction) => {
    await transaction`select set_config('statement_timeout', ${String(countTimeoutMs)}, true)`;
    return await transaction<[{ members: number; isMember: boolean; assigned: number; ended: number }]>`
      select
        (select count(*) from public.members) as members,
        exists (select from public.members where id = ${trainerId}) as is_member,
        (
          select count(*)
          from public.trainer_client_assignments
          where trainer_id = ${trainerId}
            and status = 'active'
        ) as assigned,
        (
          select count(distinct i.client_id)
          from public.trainer_client_assignments i
          where i.trainer_id = ${trainerId}
            and i.status = 'inactive'
            and not exists (
              select
              from public.trainer_client_assignments a
              where a.client_id = i.client_id
                and a.trainer_id = i.trainer_id
                and a.status = 'active'
            )
        ) as ended
    `;
  });
  const { members, isMember, assigned, ended } = row;
  const unassigned = members - assigned - (isMember ? 1 : 0);
  return { trainerId, members, assigned, unassigned, ended, isEstimate: false, countedAt: new Date() };
}

const planSchema = z.tuple([z.looseObject({ Plan: z.looseObject({ "Plan Rows": z.number() }) })]);

/** Asks the planner what {@link countCoverage} would find: milliseconds, right within a few percent after an ANALYZE. */
export async function estimateCoverage(sql: Sql, trainerId: string | null): Promise<Coverage> {
  const [members, active] = await Promise.all([
    sql`explain (format json) select from public.members`,
    sql`
      explain (format json)
      select from public.trainer_client_assignments where trainer_id = ${trainerId} and status = 'active'
    `,
  ].map(async (query) => {
    const [row] = await query.values();
    const [{ Plan }] = planSchema.parse(row?.[0]);
    return Math.round(Plan["Plan Rows"]);
  }));
  const total = members ?? 0;
  const assigned = Math.min(active ?? 0, total);
  const unassigned = total - assigned;
  return {
    trainerId,
    members: total,
    assigned,
    unassigned,
    ended: 0,
    isEstimate: true,
    countedAt: new Date(),
  };
}
