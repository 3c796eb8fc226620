import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { assertAssigned, assertRecorded, countMembers, newId } from "../../support/assignments.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("a signup under row-level security", (policy) => {
  let database: OwnedDatabase;
  let id: string;
  beforeEach(async () => {
    database = await ownedDatabase();
    await policy.put(database.sql);
    id = newId();
  });
  afterEach(() => database.drop());

  const signUp = () => database.newInserter()`insert into public.members (id) values (${id})`;

  it("on members, whose rows the inserter may not see, is assigned", async () => {
    await database.owner.unsafe(`
      alter table public.members enable row level security;
      create policy anybody_signs_up on public.members for insert with check (true);
    `);
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("on members, forced on their owner too, is assigned", async () => {
    await database.owner.unsafe(`
      alter table public.members enable row level security, force row level security;
      create policy anybody_signs_up on public.members for insert with check (true);
    `);
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("on the assignments, without a policy, is assigned", async () => {
    await database.owner`alter table public.trainer_client_assignments enable row level security`;
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("on the assignments, forced on their owner, is assigned: the migrations made the policy", async () => {
    await database.owner`
      alter table public.trainer_client_assignments enable row level security, force row level security
    `;
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("on the assignments, forced on their owner whose policy was dropped, is recorded", async () => {
    await database.owner.unsafe(`
      drop policy owner_does_all on public.trainer_client_assignments;
      alter table public.trainer_client_assignments enable row level security, force row level security;
    `);
    await signUp();
    await assertRecorded(database.sql, [id], "42501");
  });

  it("on the assignments, forced on their owner with a policy that lets the row in, is assigned", async () => {
    await database.owner.unsafe(`
      alter table public.trainer_client_assignments enable row level security, force row level security;
      create policy all_rows on public.trainer_client_assignments using (true);
    `);
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("on all tables, forced on their owner without a policy, commits", async () => {
    await database.owner.unsafe(`
      drop policy owner_does_all on public.trainer_client_assignments;
      drop policy owner_does_all on assignment.settings;
      drop policy owner_does_all on assignment.failures;
      alter table public.trainer_client_assignments enable row level security, force row level security;
      alter table assignment.settings enable row level security, force row level security;
      alter table assignment.failures enable row level security, force row level security;
    `);
    await signUp();
    assertEquals(await countMembers(database.sql, [id]), 1);
  });
});
