import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Services } from "../../src/http/services.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import {
  eventRequest,
  memberCreated,
  OTHER_SECRET,
  SECRET,
  type SentEvent,
  signStandard,
  signSvix,
  testHook,
} from "../support/member_events.ts";
import { testService } from "./test_service.ts";
import { MEMBER_HOOK, type MemberHookService, memberHookService, sendEvent } from "./member_hook.ts";

describe("an event of an identity provider", () => {
  let service: MemberHookService;
  beforeAll(async () => {
    service = await memberHookService();
  });
  afterAll(() => service.stop());
  beforeEach(() => service.forget());

  it("creates the member with what it has, and the trigger assigns them", async () => {
    const id = newId();
    const answer = await service.send(
      signStandard(memberCreated({ id, email: "anna@example.com", name: "Anna" })),
    );
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "created", id]);
    assertEquals(await service.member(id), {
      email: "anna@example.com",
      displayName: "Anna",
      trainers: [DEFAULT_TRAINER_ID],
    });
  });

  it("is taken with the headers of Svix as well", async () => {
    const id = newId();
    assertEquals((await service.send(signSvix(memberCreated({ id })))).outcome, "created");
    assertEquals(await service.member(id), {
      email: null,
      displayName: null,
      trainers: [DEFAULT_TRAINER_ID],
    });
  });

  it("changes nothing when it is repeated", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id }));
    assertEquals((await service.send(event)).outcome, "created");
    const again = await service.send(event);
    assertEquals([again.status, again.outcome, again.memberId], [200, "duplicate", id]);
  });

  it("is not taken again after its member was deleted", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id }));
    await service.send(event);
    await service.sql`delete from public.members where id = ${id}`;
    assertEquals((await service.send(event)).outcome, "duplicate");
    assertEquals(await service.member(id), undefined);
  });

  it("about a member who exists changes nothing of them", async () => {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, 'Before')`;
    const answer = await service.send(
      signStandard(memberCreated({ id, name: "After", email: "after@example.com" })),
    );
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "known", id]);
    assertEquals((await service.member(id))?.displayName, "Before");
  });

  it("with another id about the same member changes nothing", async () => {
    const id = newId();
    assertEquals((await service.send(signStandard(memberCreated({ id })))).outcome, "created");
    assertEquals((await service.send(signStandard(memberCreated({ id })))).outcome, "known");
    assertEquals((await service.member(id))?.trainers, [DEFAULT_TRAINER_ID]);
  });

  it("of another type is ignored", async () => {
    const id = newId();
    const answer = await service.send(signStandard(memberCreated({ id }, "user.updated")));
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "ignored", null]);
    assertEquals(await service.member(id), undefined);
  });

  it("whose id is no UUID becomes a member with a UUID of its own, always the same", async () => {
    const data = { id: "user_29w83sxmDNGwOuEthce5gg56FcC" };
    const first = await service.send(signStandard(memberCreated(data)));
    const second = await service.send(signStandard(memberCreated(data)));
    assertEquals([first.outcome, second.outcome], ["created", "known"]);
    assertEquals(first.memberId, "6ff2bd33-8298-5895-9e74-89387191d050");
    assertEquals(second.memberId, first.memberId);
  });

  it("is taken with a clock that is off by four minutes", async () => {
    for (const ageSeconds of [240, -240]) {
      assertEquals(
        (await service.send(signStandard(memberCreated({ id: newId() }), { ageSeconds }))).outcome,
        "created",
      );
    }
  });

  it("is taken with either secret while they rotate, and with two signatures", async () => {
    const rotating = await testService({
      memberHook: testHook({ MEMBER_HOOK_SECRETS: `${SECRET},${OTHER_SECRET}` }),
    });
    for (const secret of [SECRET, OTHER_SECRET]) {
      const answer = await sendEvent(rotating, signStandard(memberCreated({ id: newId() }), { secret }));
      assertEquals(answer.outcome, "created");
    }
    const { headers, body } = signStandard(memberCreated({ id: newId() }));
    const signatures = `v1,bm90IHRoaXMgb25l, ${headers["webhook-signature"]}`; // Supabase joins them like this
    const answer = await sendEvent(rotating, {
      body,
      headers: { ...headers, "webhook-signature": signatures },
    });
    assertEquals(answer.outcome, "created");
    await rotating.stop();
  });

  it("is counted by what became of it", async () => {
    const countOf = async (outcome: string) => {
      const text = await (await service.call("GET /metrics", { as: "nobody" })).text();
      return Number(new RegExp(`member_events_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
    };
    const OUTCOMES = ["created", "duplicate", "known", "ignored", "refused", "unverified"];
    const before = await Promise.all(OUTCOMES.map(countOf));
    const id = newId();
    const event = signStandard(memberCreated({ id }));
    const sent = [
      event,
      event,
      signStandard(memberCreated({ id })),
      signStandard({ type: "user.deleted", data: { id } }),
      signStandard(memberCreated({})),
      { body: "{}", headers: {} },
    ];
    for (const each of sent) await service.send(each);
    assertEquals(await Promise.all(OUTCOMES.map(countOf)), before.map((count) => count + 1));
  });

  it("fills the configured columns, and none that is off", async () => {
    const memberColumns: Services["memberColumns"] = {
      name: { column: "full name", isRequired: true },
      email: null,
    };
    const other = await testService({ memberHook: testHook(), memberColumns });
    await other.sql`alter table public.members add column "full name" varchar(20)`;
    await other.sql`select assignment.grant_service('test_service', '{"full name"}')`;
    const id = newId();
    await sendEvent(other, signStandard(memberCreated({ id, name: "Anna Berg", email: "anna@example.com" })));
    const rows = await other.sql`select email, "full name" as name from public.members where id = ${id}`;
    assertEquals([...rows], [{ email: null, name: "Anna Berg" }]);

    const long = await sendEvent(other, signStandard(memberCreated({ id: newId(), name: "x".repeat(21) })));
    assertEquals([long.status, long.reason], [202, "refused"]);
    assertStringIncludes(long.detail, "22001");
    await other.stop();
  });

  it("does not set a column that the service may not read", async () => {
    const memberColumns: Services["memberColumns"] = {
      name: { column: "role", isRequired: true },
      email: null,
    };
    const other = await testService({ memberHook: testHook(), memberColumns });
    await other.sql`alter table public.members add column role text`;
    const id = newId();
    assertEquals(
      (await sendEvent(other, signStandard(memberCreated({ id, name: "owner" })))).outcome,
      "created",
    );
    const [row] = await other.sql`select role from public.members where id = ${id}`;
    assertEquals(row, { role: null });
    await other.stop();
  });

  it("makes one member and one assignment of 1,000 equal events at once", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id, email: "once@example.com" }));
    assertEquals(await outcomesOf(Array.from({ length: 1000 }, () => event)), { created: 1, duplicate: 999 });
    assertEquals((await service.member(id))?.trainers, [DEFAULT_TRAINER_ID]);
    assertEquals(await assignmentsOf(id), 1);
  });

  it("makes one member and one assignment of 1,000 different events about one member at once", async () => {
    const id = newId();
    const events = Array.from({ length: 1000 }, () => signStandard(memberCreated({ id })));
    assertEquals(await outcomesOf(events), { created: 1, known: 999 });
    assertEquals(await assignmentsOf(id), 1);
  });

  async function outcomesOf(events: SentEvent[]): Promise<Record<string, number>> {
    const answers = await Promise.all(
      events.map(async (event) =>
        (await (await service.app.request(MEMBER_HOOK, eventRequest(event))).json()).outcome
      ),
    );
    const counts: Record<string, number> = {};
    for (const outcome of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  }

  async function assignmentsOf(id: string): Promise<number> {
    const rows = await service.sql`select from public.trainer_client_assignments where client_id = ${id}`;
    return rows.length;
  }
});
