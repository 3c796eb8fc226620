import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { getPolicy } from "../../src/policy/policies.ts";
import { LOOKS, previewPolicy } from "../../src/policy/preview.ts";
import { startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("a preview of the policy", () => {
  let service: TestService;
  beforeEach(async () => {
    service = await testService();
  });
  afterEach(() => service.stop());

  const preview = async (policy?: unknown) => {
    const json = policy === undefined ? {} : { policy };
    const response = await service.call("POST /v1/policy/preview", { json });
    return { status: response.status, body: await response.json() };
  };

  /** Two trainers, one with three seats; members with and without an address. */
  async function arrange() {
    const { sql } = service;
    const [anna = "", ben = ""] = await addMembers(sql, 2);
    await sql`select assignment.change_trainer(${anna}, jsonb_build_object('capacity', 3::integer, 'acceptsClients', true::boolean), 'a test')`;
    await sql`insert into public.members (id, email) select gen_random_uuid(), n || '@example.com' from generate_series(1, 10) n`;
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 5)`;
    await sql`delete from public.trainer_client_assignments`;
    return {
      defaultTrainerId: DEFAULT_TRAINER_ID,
      rules: [
        {
          name: "Anna while she has room",
          when: { field: "email", op: "exists" },
          assign: { choose: "spread", trainers: [{ trainerId: anna }] },
        },
        {
          name: "Ben",
          when: { field: "email", op: "exists" },
          assign: { choose: "spread", trainers: [{ trainerId: ben }] },
        },
      ],
      anna,
      ben,
    };
  }

  it("says what a run then does, by rule and trainer, and writes nothing", async () => {
    const { anna, ben, ...policy } = await arrange();
    const { sql } = service;
    const look = async () => [
      ...await sql`select * from public.trainer_client_assignments`,
      ...await sql`select * from assignment.policies`,
      ...await sql`select trainer_id, seat from assignment.seats order by 1, 2`,
    ];
    const before = await look();

    const { status, body } = await preview(policy);

    assertEquals(status, 200);
    assertEquals(await look(), before);
    assertEquals([body.members, body.isSample, body.percent], [18, false, 100]);
    await service.call("PUT /v1/policy", { json: policy, headers: { "If-Match": "*" } });
    await driveToEnd(sql, await startBackfill(sql, { requestedBy: "a test" }));
    const done = await sql`
      select rule, trainer_id, count(*)::integer as members
      from public.trainer_client_assignments
      group by rule, trainer_id
      order by rule nulls last
    `;
    const assigned = body.outcomes.filter(({ outcome }: { outcome: string }) => outcome === "assign")
      .map(({ rule, trainerId, members }: Record<string, unknown>) => ({ rule, trainerId, members }))
      .toSorted((one: { rule: number }, other: { rule: number }) => (one.rule ?? 9) - (other.rule ?? 9));
    assertEquals(assigned, [...done]);
    assertEquals(done.map(({ trainerId, members }) => [trainerId, members]), [
      [anna, 3],
      [ben, 7],
      [DEFAULT_TRAINER_ID, 7],
    ]);
    const after = await preview();
    assertEquals(after.body.outcomes.some(({ outcome }: { outcome: string }) => outcome === "assign"), false);
    assertEquals(after.body.changed, 0);
  });

  it("counts who would get another trainer than now", async () => {
    const { anna, ben: _, ...policy } = await arrange();
    const { body } = await preview(policy);
    assertEquals(body.changed, 10);
    const share = body.shares.find(({ trainerId }: { trainerId: string }) => trainerId === anna);
    assertEquals([share.before, share.after], [0, 10]);
  });

  it("works in a transaction that may not write", async () => {
    const { anna: _, ben: __, ...policy } = await arrange();
    const pool = await service.database.newServicePool();
    await pool`set default_transaction_read_only = on`;
    await previewPolicy(pool, { ...policy, respectsOtherTrainers: false, rules: [] });
  });

  it("takes a sample of more than 100,000 members, and says so", async () => {
    const { sql } = service;
    await sql`alter table public.members disable trigger user`;
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 200000)`;
    await sql`analyze public.members`;
    const { body } = await preview();
    assertEquals([body.isSample, Math.round(body.percent)], [true, 50]);
    assertEquals(Math.abs(body.members - 100_000) < 3000, true, String(body.members));
    const counted = body.outcomes.reduce((sum: number, { members }: { members: number }) => sum + members, 0);
    assertEquals(counted, body.members);

    const { policy } = await getPolicy(sql);
    // As on a server that is busy: the first looks take too long.
    const [all, fewer, fewest] = LOOKS;
    const tooLong = { ...all, atMostMs: 50 };
    const hasty = await previewPolicy(sql, policy, [tooLong, fewer, fewest]);
    assertEquals([hasty.isSample, Math.round(hasty.percent)], [true, 5]);
    assertEquals(Math.abs(hasty.members - 10_000) < 500, true, String(hasty.members)); // 5 standard deviations
    const hastiest = await previewPolicy(sql, policy, [tooLong, tooLong, fewest]);
    assertEquals(Math.abs(hastiest.members - 1_000) < 160, true, String(hastiest.members));
    await assertRejects(() => previewPolicy(sql, policy, [tooLong]), Error, "statement timeout");
  });

  it("points at errors below policy", async () => {
    const { status, body } = await preview({
      defaultTrainerId: "x",
      rules: [{ name: "A", when: { field: "emial", op: "exists" }, assign: { choose: "nobody" } }],
    });
    assertEquals([status, body.errors.map(({ pointer }: { pointer: string }) => pointer)], [400, [
      "/body/policy/defaultTrainerId",
      "/body/policy/rules/0/when/field",
    ]]);
  });

  it("of one member says which rules match, who has room and what is chosen", async () => {
    const { anna, ben, ...policy } = await arrange();
    await service.call("PUT /v1/policy", { json: policy, headers: { "If-Match": "*" } });
    const { sql } = service;
    const [{ id }] = await sql<
      [{ id: string }]
    >`select id from public.members where email is not null limit 1`;
    const ask = async (member: string) => {
      const response = await service.call(`GET /v1/members/${member}/decision`);
      return { status: response.status, body: await response.json() };
    };
    assertEquals((await ask(id)).body, {
      memberId: id,
      policyVersion: 2,
      choices: [{ outcome: "assign", rule: 1, trainerId: anna }],
      rules: [
        {
          rule: 1,
          name: "Anna while she has room",
          matches: true,
          trainers: [{ trainerId: anna, isMember: true, acceptsClients: true, room: 3 }],
        },
        {
          rule: 2,
          name: "Ben",
          matches: true,
          trainers: [{ trainerId: ben, isMember: true, acceptsClients: true, room: null }],
        },
      ],
    });
    assertEquals((await ask("00000000-0000-0000-0000-00000000dead")).status, 404);
  });
});
