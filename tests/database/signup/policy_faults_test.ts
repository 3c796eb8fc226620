/** Signups with rules while what the policy is made of is locked, gone or broken. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertAssigned, assertRecorded, newId } from "../../support/assignments.ts";
import { warningsOf } from "../../support/notices.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";
import { addTrainers, among, putRules, setCapacity } from "../../support/policies.ts";

const TABLES = ["policies", "policy_rules", "trainers", "seats"].map((name) => `assignment.${name}`);

describe("a signup with rules commits", () => {
  let database: OwnedDatabase;
  let id: string;
  let trainerId: string;
  beforeEach(async () => {
    database = await ownedDatabase();
    id = newId();
    [trainerId = ""] = await addTrainers(database.sql, 1);
    await putRules(database.sql, [
      { name: "Staff", when: { field: "email", op: "eq", value: "staff" }, assign: { choose: "nobody" } },
      {
        name: "Everybody",
        when: { field: "email", op: "missing" },
        assign: among("spread", [trainerId]),
      },
    ]);
    await setCapacity(database.sql, trainerId, 10);
  });
  afterEach(() => database.drop());

  const signUp = () => database.newInserter()`insert into public.members (id) values (${id})`;

  async function assertTrainedBy(expected: string, rule: number | null): Promise<void> {
    const rows = await database.sql`
      select trainer_id, rule, source from public.trainer_client_assignments where client_id = ${id}
    `;
    assertEquals([...rows], [{ trainerId: expected, rule, source: "trigger" }]);
  }

  for (const table of TABLES) {
    it(`and is recorded while another session has locked ${table}`, async () => {
      await database.newConnection().begin(async (locker) => {
        await locker.unsafe(`lock table ${table} in access exclusive mode`);
        await signUp();
      });
      await assertRecorded(database.sql, [id], "55P03");
    });

    it(`and is recorded when ${table} is dropped`, async () => {
      await database.sql.unsafe(`drop table ${table} cascade`);
      await signUp();
      const [failure] = await database.sql<{ sqlstate: string }[]>`
        select sqlstate from assignment.failures where member_id = ${id}
      `;
      assertMatch(failure?.sqlstate ?? "", /^42/);
    });

    it(`and is recorded when the owner of the functions lost every right on ${table}`, async () => {
      await database.owner.unsafe(`revoke all on ${table} from ${database.ownerName}`);
      await signUp();
      await assertRecorded(database.sql, [id], "42501");
    });
  }

  it("and is assigned by the other rules when one raises", async () => {
    await database.sql`update assignment.policy_rules set predicate = '$undefined' where rule = 1`;
    const warnings = await warningsOf(database.url, `insert into public.members (id) values ('${id}')`);
    assertMatch(warnings.join("\n"), /rule 1 \(Staff\) matches nobody: .*"undefined"/);
    await assertTrainedBy(trainerId, 2);
  });

  it("and is assigned by the default trainer when all rules raise", async () => {
    await database.sql`update assignment.policy_rules set predicate = '$undefined'`;
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("and is assigned though the owner of the functions may not read members", async () => {
    await database.sql`alter table public.members owner to current_user`;
    await database.sql.unsafe(`revoke all on public.members from ${database.ownerName}`);
    await signUp();
    await assertTrainedBy(trainerId, 2);
  });

  it("and is assigned to the trainer of its field though the owner of the functions may not read members", async () => {
    await database.owner`alter table public.members add column coach_id uuid`;
    await putRules(database.sql, [{ name: "Own", assign: { choose: "field", field: "coach_id" } }]);
    await database.sql`alter table public.members owner to current_user`;
    await database.sql.unsafe(`revoke all on public.members from ${database.ownerName}`);
    await database.newInserter()`insert into public.members (id, coach_id) values (${id}, ${trainerId})`;
    await assertTrainedBy(trainerId, 1);
  });

  it("and is recorded when the owner may not read members and the trainer is none", async () => {
    await putRules(database.sql, [{ name: "Everybody", assign: among("spread", [trainerId]) }]);
    await database.sql`alter table public.members owner to current_user`;
    await database.sql`delete from public.members where id = ${trainerId}`;
    await database.sql.unsafe(`revoke all on public.members from ${database.ownerName}`);
    await signUp();
    await assertRecorded(database.sql, [id], "23503");
  });

  it("and is assigned under row-level security that hides the trainer from the owner of the functions", async () => {
    await database.sql`alter table public.members owner to current_user`;
    await database.sql.unsafe(`
      grant select on public.members to ${database.ownerName};
      alter table public.members enable row level security;
      create policy anybody_signs_up on public.members for insert with check (true);
    `);
    await signUp();
    await assertTrainedBy(trainerId, 2);
  });
});
