import { acceptAssignments, defineRefusal, refuseAssignments } from "../support/members.ts";
import type { World } from "./world.ts";

/** Makes the world refuse assignments for which the condition over `new` holds. */
export async function refuse({ sql, cluster }: World, condition: string): Promise<void> {
  if (cluster === null) await refuseAssignments(sql, condition);
  else await defineRefusal(sql, condition); // the trigger is there: to make it would deadlock with signups
}

/** Takes back {@link refuse}. */
export async function accept({ sql, cluster }: World): Promise<void> {
  if (cluster === null) await acceptAssignments(sql);
  else await defineRefusal(sql, "false");
}
