import type { Sql } from "../../src/database/sql.ts";
import type { Condition } from "../../src/policy/condition.ts";
import type { Choice, PolicyDocument, Rule } from "../../src/policy/document.ts";
import { getPolicy, putPolicy } from "../../src/policy/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newIds } from "./assignments.ts";

/** Writes the next version of the policy: the present default trainer, and these rules. Returns its number. */
export async function putRules(
  sql: Sql,
  rules: Rule[],
  options: { respectsOtherTrainers?: boolean; defaultTrainerId?: string } = {},
): Promise<number> {
  const { policy: { defaultTrainerId } } = await getPolicy(sql);
  const document = { defaultTrainerId, respectsOtherTrainers: false, ...options, rules };
  return (await putPolicy(sql, document, "a test")).policy.version;
}

/** Gives a trainer a capacity; null takes it away. */
export async function setCapacity(
  sql: Sql,
  trainerId: string,
  capacity: number | null,
  acceptsClients = true,
): Promise<void> {
  await sql`select assignment.change_trainer(${trainerId}, jsonb_build_object('capacity', ${capacity}::integer, 'acceptsClients', ${acceptsClients}::boolean), 'a test')`;
}

/** Adds members who can be trainers, with the rules of before: in order of their ids. */
export async function addTrainers(sql: Sql, count: number): Promise<string[]> {
  const ids = newIds(count).toSorted();
  await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  return ids;
}

/** A choice among trainers of equal weight. */
export function among(
  choose: "all" | "spread" | "most_room",
  trainerIds: string[],
  whenFull: "next" | "wait" = "next",
): Choice {
  return { choose, trainers: trainerIds.map((trainerId) => ({ trainerId })), whenFull };
}

/** Counts the active clients of each of the trainers. */
export async function countClients(sql: Sql, trainerIds: string[]): Promise<number[]> {
  const rows = await sql<{ trainerId: string; clients: number }[]>`
    select a.trainer_id, count(*) as clients
    from public.trainer_client_assignments a
    where a.trainer_id = any (${trainerIds}::uuid[])
      and a.status = 'active'
    group by a.trainer_id
  `;
  const counted = new Map(rows.map(({ trainerId, clients }) => [trainerId, clients]));
  return trainerIds.map((id) => counted.get(id) ?? 0);
}

/** Counts seats of a trainer that are free, those beyond the capacity as negative. */
export async function countRoom(sql: Sql, trainerId: string): Promise<number> {
  const [row] = await sql<[{ room: number }]>`
    select count(*) filter (where not is_overbooked) - count(*) filter (where is_overbooked) as room
    from assignment.seats
    where trainer_id = ${trainerId}
  `;
  return row.room;
}

/** A policy with one rule: nobody trains the members whom the condition matches. */
export function policyOf(when: Condition): PolicyDocument {
  return {
    defaultTrainerId: DEFAULT_TRAINER_ID,
    respectsOtherTrainers: false,
    rules: [{ name: "The rule", when, assign: { choose: "nobody" } }],
  };
}

/** What the database finds wrong with a rule of the condition; missing trainers aside. */
export async function findProblems(
  sql: Sql,
  when: Condition,
): Promise<{ pointer: string; detail: string }[]> {
  const rows = await sql<{ pointer: string; detail: string }[]>`
    select pointer, detail
    from assignment.find_policy_problems(${sql.json(policyOf(when) as never)})
    where not is_warning
      and pointer <> '/defaultTrainerId'
    order by pointer
  `;
  return [...rows];
}
