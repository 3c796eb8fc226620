import type { Sql } from "../database/sql.ts";
import type { MembersTrigger } from "./members_trigger.ts";
import { WAITS_FOR_ROOM } from "./waiting_failures.ts";

/** The current state of what auto-assignment depends on. */
export interface AssignmentState {
  trigger: MembersTrigger;
  /** Null if none is set. */
  defaultTrainer: { id: string; isMember: boolean } | null;
  /** Auto-assignments that wait for a retry, and how many of them only for room; counted up to 10,001. */
  failures: { waiting: number; forRoom: number };
}

/** Reads the state in one statement; cheap for any number of members. */
export async function readAssignmentState(sql: Sql): Promise<AssignmentState> {
  const waitsForRoom = sql.unsafe(WAITS_FOR_ROOM);
  const [row] = await sql<[
    Omit<AssignmentState, "defaultTrainer"> & {
      trainerId: string | null;
      isMember: boolean;
    },
  ]>`
    select
      json_build_object('state', t.state, 'bypass', t.bypass, 'tables', t.tables, 'isFine', t.is_fine) as trigger,
      s.default_trainer_id as trainer_id,
      s.default_trainer_id = any (assignment.find_members(array[s.default_trainer_id])) as is_member,
      (
        select json_build_object('waiting', count(*), 'forRoom', count(*) filter (where ${waitsForRoom}))
        from (select sqlstate from assignment.failures limit 10001) as counted
      ) as failures
    from assignment.members_trigger t
    left join assignment.settings s on true
  `;
  const { trainerId, isMember, ...state } = row;
  return {
    ...state,
    defaultTrainer: trainerId === null ? null : { id: trainerId, isMember },
  };
}
