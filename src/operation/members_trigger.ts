import type { SqlOrTransaction } from "../database/sql.ts";

/** Whether every insert of a member is met by the trigger: the row of the view `assignment.members_trigger`. */
export interface MembersTrigger {
  state: "enabled" | "disabled" | "missing";
  /** How members come in past an enabled trigger; null: as far as the database's catalogs tell, they do not. */
  bypass: "children" | "subscription" | "replica_role" | "not_mirrored" | null;
  /** The tables by which they do, where that is known. */
  tables: string | null;
  /** What to run, where the bypass is `not_mirrored`. */
  remedy: string | null;
  isFine: boolean;
}

/** Reads it; cheap, from the catalogs alone. */
export async function readMembersTrigger(sql: SqlOrTransaction): Promise<MembersTrigger> {
  const [trigger] = await sql<[MembersTrigger]>`
    select state, bypass, tables, remedy, is_fine from assignment.members_trigger
  `;
  return trigger;
}

/** Says what is wrong with the trigger, and which statement puts it right. */
export function describeMembersTrigger({ state, bypass, tables, remedy }: MembersTrigger): string {
  if (state === "disabled") {
    return `${state}: ${WAITING}; run: alter table public.members enable trigger members_assign_trainer_after_insert`;
  }
  if (state === "missing") return `${state}: ${WAITING}; run: deno task migrate repair`;
  switch (bypass) {
    case null:
      return "enabled";
    case "children":
      return `enabled, but it sees no row of ${tables}, which inherit from public.members: ` +
        "docs/adopting.md, Inherited tables, says what to do";
    case "subscription":
      return "enabled, but a subscription applies rows to members, for which it does not fire: the schedule assigns those";
    case "replica_role":
      return "enabled, but session_replication_role = replica is set for a role or database, for which it does not fire: reset it";
    case "not_mirrored":
      return `enabled, but rows of ${tables} are not mirrored into members; run: ${remedy}`;
  }
}

const WAITING = "new members are not assigned until the next backfill";
