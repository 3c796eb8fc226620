import type { Sql } from "../../src/database/sql.ts";
import { newIds } from "./assignments.ts";
import { withoutTrigger } from "./members.ts";

/** Adds members whose only trainer is the given one, with notes. Their ids, sorted as the database sorts. */
export async function addClients(sql: Sql, count: number, trainerId: string): Promise<string[]> {
  const ids = newIds(count).toSorted();
  await withoutTrigger(sql, (transaction) =>
    transaction`
      insert into public.members (id) select unnest(${ids}::uuid[])
    `);
  await sql`
    insert into public.trainer_client_assignments (trainer_id, client_id, source, notes)
    select ${trainerId}, unnest(${ids}::uuid[]), 'manual', 'knee'
  `;
  return ids;
}
