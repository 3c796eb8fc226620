import type { SqlOrTransaction } from "../database/sql.ts";

/** Whether the trigger fires for every new member. A row of the view `assignment.members_trigger`. */
export interface MembersTrigger {
  state: "enabled" | "disabled" | "missing";
  /** How members can be inserted without the enabled trigger; null if the catalogs show no such way. */
  bypass: "children" | "subscription" | "replica_role" | "not_mirrored" | null;
  /** The tables with such members, if known. */
  tables: string | null;
  /** The statement to run for the bypass `not_mirrored`. */
  remedy: string | null;
  isFine: boolean;
}

/** Reads the trigger's state from the catalogs; cheap. */
export async function readMembersTrigger(sql: SqlOrTransaction): Promise<MembersTrigger> {
  const [trigger] = await sql<[MembersTrigger]>`
    select state, bypass, tables, remedy, is_fine from assignment.members_trigger
  `;
  return trigger;
}

/** Says what is wrong with the trigger, and what to do. */
export function describeMembersTrigger({ state, bypass, tables, remedy }: MembersTrigger): string {
  if (state === "disabled") {
    return `${state}: ${WAITING}; run: alter table public.members enable trigger members_assign_trainer_after_insert`;
  }
  if (state === "missing") return `${state}: ${WAITING}; run: deno task migrate repair`;
  switch (bypass) {
    case null:
      return "enabled";
    case "children":
      return `enabled, but does not fire for ${tables}, which inherit from public.members: ` +
        "see docs/adopting.md, Inherited tables";
    case "subscription":
      return "enabled, but does not fire for rows that a subscription applies to members: the schedule assigns those";
    case "replica_role":
      return "enabled, but does not fire where session_replication_role = replica is set for a role or database: reset it";
    case "not_mirrored":
      return `enabled, but rows of ${tables} are not mirrored into members; run: ${remedy}`;
  }
}

const WAITING = "new members are not assigned until the next backfill";
