import type { Rule } from "../../../src/policy/document.ts";
import type { Run } from "../../../src/runs/progress.ts";
import { startBackfill } from "../../../src/runs/runs.ts";
import { newIds } from "../../support/assignments.ts";
import { driveToEnd } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers, putRules } from "../../support/policies.ts";

/** A database with three trainers, whose clients a run reassigns. */
export interface ReassignDatabase extends TestDatabase {
  anna: string;
  ben: string;
  cleo: string;
  /** Puts a policy that gives the trainers nobody, and others by the rules, else the default trainer; its version. */
  put(defaultTrainerId: string, rules?: Rule[], respectsOtherTrainers?: boolean): Promise<number>;
  /** Signs members up, so that the policy in force assigns them. */
  signUp(count: number, name?: string): Promise<string[]>;
  /** Runs a backfill that reassigns to its end. `assertObjectMatch` takes no interface, hence the type. */
  reassign(options?: { dryRun?: boolean }): Promise<Pick<Run, keyof Run>>;
  /** Every assignment of a member in words, the oldest first. */
  historyOf(memberId: string): Promise<string[]>;
}

/** Makes such a database. Nobody is assigned yet, and Anna is the default trainer. */
export async function reassignDatabase(): Promise<ReassignDatabase> {
  const database = await testDatabase();
  const { sql } = database;
  const [anna = "", ben = "", cleo = ""] = await addTrainers(sql, 3);
  const names = new Map([[anna, "anna"], [ben, "ben"], [cleo, "cleo"]]);
  await sql`delete from public.trainer_client_assignments`;

  async function put(defaultTrainerId: string, rules: Rule[] = [], respectsOtherTrainers = false) {
    const ids = await sql<{ id: string }[]>`
      select id from public.members where id in ${
      sql([anna, ben, cleo])
    } or created_at < (select created_at from public.members where id = ${anna})
    `;
    const trainers: Rule = {
      name: "trainers",
      when: { field: "id", op: "in", value: ids.map(({ id }) => id) },
      assign: { choose: "nobody" },
    };
    return await putRules(sql, [trainers, ...rules], { defaultTrainerId, respectsOtherTrainers });
  }
  await put(anna);

  return {
    ...database,
    anna,
    ben,
    cleo,
    put,
    async signUp(count, name = "somebody") {
      const ids = newIds(count).toSorted();
      await sql`insert into public.members (id, display_name) select id, ${name} from unnest(${ids}::uuid[]) as m (id)`;
      return ids;
    },
    async reassign(options = {}) {
      const run = await startBackfill(sql, { reassign: true, requestedBy: "ops", ...options });
      return { ...await driveToEnd(sql, run) };
    },
    async historyOf(memberId) {
      const rows = await sql<{ trainerId: string; status: string; endedBy: string; endedBecause: string }[]>`
        select trainer_id, status, ended_by, ended_because
        from public.trainer_client_assignments
        where client_id = ${memberId}
        order by id
      `;
      return rows.map(({ trainerId, status, endedBy, endedBecause }) =>
        `${names.get(trainerId)} ${status === "active" ? status : `ended by ${endedBy}: ${endedBecause}`}`
      );
    },
  };
}
