import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import type { Services } from "../../src/http/services.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { Contract } from "./contract.ts";
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
import { type TestService, testService } from "./test_service.ts";

const PATH = "/v1/hooks/members";

describe("an event of an identity provider", () => {
  let service: TestService;
  let contract: Contract | undefined;
  beforeAll(async () => {
    service = await testService({ memberHook: testHook() });
    await service.sql`create unique index members_email_key on public.members (lower(email))`;
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    service.logged.length = 0;
    await service.sql`truncate assignment.member_hook_failures`;
  });

  async function send(event: SentEvent, to: TestService = service) {
    const response = await to.app.request(PATH, eventRequest(event));
    contract ??= new Contract(await (await to.app.request("/openapi.json")).json());
    assertEquals(await contract.deviation("POST", PATH, response), undefined);
    return { status: response.status, headers: response.headers, ...await response.json() };
  }

  const member = async (id: string) => {
    const [row] = await service.sql<
      { email: string | null; displayName: string | null; trainers: string[] }[]
    >`
      select
        email,
        display_name,
        array(select trainer_id from public.trainer_client_assignments where client_id = m.id and status = 'active') as trainers
      from public.members m
      where id = ${id}
    `;
    return row;
  };

  const failures = async () => (await (await service.call(`GET ${PATH}/failures`)).json()).failures;

  it("creates the member with what it has, and the trigger assigns them", async () => {
    const id = newId();
    const answer = await send(signStandard(memberCreated({ id, email: "anna@example.com", name: "Anna" })));
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "created", id]);
    assertEquals(await member(id), {
      email: "anna@example.com",
      displayName: "Anna",
      trainers: [DEFAULT_TRAINER_ID],
    });
  });

  it("is taken with the headers of Svix as well", async () => {
    const id = newId();
    assertEquals((await send(signSvix(memberCreated({ id })))).outcome, "created");
    assertEquals(await member(id), { email: null, displayName: null, trainers: [DEFAULT_TRAINER_ID] });
  });

  it("changes nothing when it is repeated", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id }));
    assertEquals((await send(event)).outcome, "created");
    const again = await send(event);
    assertEquals([again.status, again.outcome, again.memberId], [200, "duplicate", id]);
  });

  it("is not taken again after its member was deleted", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id }));
    await send(event);
    await service.sql`delete from public.members where id = ${id}`;
    assertEquals((await send(event)).outcome, "duplicate");
    assertEquals(await member(id), undefined);
  });

  it("about a member who exists changes nothing of them", async () => {
    const id = newId();
    await service.sql`insert into public.members (id, display_name) values (${id}, 'Before')`;
    const answer = await send(signStandard(memberCreated({ id, name: "After", email: "after@example.com" })));
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "known", id]);
    assertEquals((await member(id))?.displayName, "Before");
  });

  it("with another id about the same member changes nothing", async () => {
    const id = newId();
    assertEquals((await send(signStandard(memberCreated({ id })))).outcome, "created");
    assertEquals((await send(signStandard(memberCreated({ id })))).outcome, "known");
    assertEquals((await member(id))?.trainers, [DEFAULT_TRAINER_ID]);
  });

  it("of another type is ignored", async () => {
    const id = newId();
    const answer = await send(signStandard(memberCreated({ id }, "user.updated")));
    assertEquals([answer.status, answer.outcome, answer.memberId], [200, "ignored", null]);
    assertEquals(await member(id), undefined);
  });

  it("whose id is no UUID becomes a member with a UUID of its own, always the same", async () => {
    const data = { id: "user_29w83sxmDNGwOuEthce5gg56FcC" };
    const first = await send(signStandard(memberCreated(data)));
    const second = await send(signStandard(memberCreated(data)));
    assertEquals([first.outcome, second.outcome], ["created", "known"]);
    assertEquals(first.memberId, "6ff2bd33-8298-5895-9e74-89387191d050");
    assertEquals(second.memberId, first.memberId);
  });

  describe("is refused with 401", () => {
    const refused = async (event: SentEvent, detail: RegExp) => {
      const answer = await send(event);
      assertEquals([answer.status, answer.code], [401, "signature_invalid"]);
      assertMatch(answer.detail, detail);
      assertEquals(answer.headers.get("WWW-Authenticate"), 'Signature realm="trainer-assignment"');
      assertEquals(await failures(), []);
    };

    it("when its signature is wrong", async () => {
      await refused(signStandard(memberCreated({ id: newId() }), { secret: OTHER_SECRET }), /does not fit/);
    });

    it("when its body, its id or its time was changed", async () => {
      const event = signStandard(memberCreated({ id: newId() }));
      await refused({ ...event, body: `${event.body} ` }, /does not fit/);
      const { headers } = event;
      await refused({ ...event, headers: { ...headers, "webhook-id": "msg_other" } }, /does not fit/);
      const later = String(Number(headers["webhook-timestamp"]) + 1);
      await refused({ ...event, headers: { ...headers, "webhook-timestamp": later } }, /does not fit/);
    });

    it("when its signature is nonsense, or of another version", async () => {
      const event = signStandard(memberCreated({ id: newId() }));
      const signature = event.headers["webhook-signature"] ?? "";
      for (const other of ["nonsense", "v1,", "v1", signature.replace("v1,", "v2,"), signature.slice(3)]) {
        await refused(
          { ...event, headers: { ...event.headers, "webhook-signature": other } },
          /does not fit/,
        );
      }
    });

    it("when a header is missing", async () => {
      const event = signStandard(memberCreated({ id: newId() }));
      for (const name of Object.keys(event.headers)) {
        const { [name]: _, ...headers } = event.headers;
        await refused({ ...event, headers }, new RegExp(`The header ${name} is missing`));
      }
    });

    it("when it is more than five minutes old, or from the future", async () => {
      const payload = memberCreated({ id: newId() });
      await refused(signStandard(payload, { ageSeconds: 310 }), /five minutes old/);
      await refused(signStandard(payload, { ageSeconds: -310 }), /in the future/);
      await refused(
        { body: "{}", headers: { ...signStandard({}).headers, "webhook-timestamp": "soon" } },
        /does not fit/,
      );
    });
  });

  it("is taken with a clock that is off by four minutes", async () => {
    for (const ageSeconds of [240, -240]) {
      assertEquals(
        (await send(signStandard(memberCreated({ id: newId() }), { ageSeconds }))).outcome,
        "created",
      );
    }
  });

  it("is taken with either secret while they rotate, and with two signatures", async () => {
    const rotating = await testService({
      memberHook: testHook({ MEMBER_HOOK_SECRETS: `${SECRET},${OTHER_SECRET}` }),
    });
    for (const secret of [SECRET, OTHER_SECRET]) {
      const answer = await send(signStandard(memberCreated({ id: newId() }), { secret }), rotating);
      assertEquals(answer.outcome, "created");
    }
    const { headers, body } = signStandard(memberCreated({ id: newId() }));
    const signatures = `v1,bm90IHRoaXMgb25l, ${headers["webhook-signature"]}`; // Supabase joins them like this
    const answer = await send({ body, headers: { ...headers, "webhook-signature": signatures } }, rotating);
    assertEquals(answer.outcome, "created");
    await rotating.stop();
  });

  it("of 300 KiB is refused with 413, signed or not", async () => {
    const event = signStandard(memberCreated({ id: newId(), filler: "x".repeat(300 * 1024) }));
    for (const headers of [event.headers, {}]) {
      const answer = await send({ ...event, headers });
      assertEquals([answer.status, answer.code], [413, "body_too_large"]);
    }
  });

  it("that is not JSON is refused with 400 if it is signed, else with 401", async () => {
    for (const body of ["not JSON", "", '{"type":']) {
      const answer = await send(signStandard(body));
      assertEquals([answer.status, answer.code], [400, "invalid_request"]);
      assertEquals((await send({ body, headers: {} })).status, 401);
    }
  });

  it("without an id of a member is refused with 422, and kept with the reason", async () => {
    const answer = await send(
      signStandard(memberCreated({ email: "nobody@example.com" }), { id: "msg_without" }),
    );
    assertEquals([answer.status, answer.code], [422, "member_id_missing"]);
    assertStringIncludes(answer.detail, "MEMBER_HOOK_ID");
    const [failure, ...others] = await failures();
    assertEquals(others, []);
    const { eventId, eventType, memberId, reason, attempts } = failure;
    assertEquals([eventId, eventType, memberId, reason, attempts], [
      "msg_without",
      "user.created",
      null,
      "id_missing",
      1,
    ]);
  });

  it("whose e-mail is taken is kept with the reason, and taken once the address is free", async () => {
    const [holder, id] = [newId(), newId()];
    await service.sql`insert into public.members (id, email) values (${holder}, 'taken@example.com')`;
    const event = signStandard(memberCreated({ id, email: "Taken@example.com" }), { id: "msg_taken" });
    const answer = await send(event);
    assertEquals([answer.status, answer.outcome, answer.memberId, answer.reason], [
      202,
      "refused",
      id,
      "email_taken",
    ]);
    await send(event);
    const [failure] = await failures();
    assertEquals([failure.eventId, failure.memberId, failure.reason, failure.attempts], [
      "msg_taken",
      id,
      "email_taken",
      2,
    ]);
    assertEquals(await member(id), undefined);

    await service.sql`delete from public.members where id = ${holder}`;
    assertEquals((await send(event)).outcome, "created");
    assertEquals(await failures(), []);
  });

  it("takes the failures of the member along when another one of the member is taken", async () => {
    const [holder, id] = [newId(), newId()];
    await service.sql`insert into public.members (id, email) values (${holder}, 'twice@example.com')`;
    await send(signStandard(memberCreated({ id, email: "twice@example.com" })));
    assertEquals((await failures()).length, 1);
    await send(signStandard(memberCreated({ id, email: "other@example.com" })));
    assertEquals(await failures(), []);
  });

  it("is listed among the failures in pages, the newest first", async () => {
    for (const id of ["msg_1", "msg_2", "msg_3"]) await send(signStandard(memberCreated({}), { id }));
    const first = await (await service.call(`GET ${PATH}/failures?limit=2`)).json();
    const second = await (await service.call(`GET ${PATH}/failures?limit=2&cursor=${first.next}`)).json();
    const ids = [...first.failures, ...second.failures].map(({ eventId }: { eventId: string }) => eventId);
    assertEquals([ids, second.next], [["msg_3", "msg_2", "msg_1"], null]);
  });

  it("leaves nothing of its payload in the log", async () => {
    const secret = "private@example.com";
    const id = newId();
    await service.sql`insert into public.members (id, email) values (${newId()}, ${secret})`;
    for (const data of [{ id, email: secret, name: "Private" }, { email: secret }]) {
      await send(signStandard(memberCreated(data), { id: `msg_${newId()}` }));
    }
    await send(signStandard(memberCreated({ id, email: secret }), { secret: OTHER_SECRET }));
    await send(signStandard(`{"email": "${secret}", broken`));
    const text = JSON.stringify(service.logged);
    assertEquals(service.logged.filter(({ event }) => event === "member_event_refused").length, 2);
    for (const part of ["private", "Private", id, "broken"]) assertEquals(text.includes(part), false, part);
  });

  it("is counted by what became of it", async () => {
    const countOf = async (outcome: string) => {
      const text = await (await service.call("GET /metrics", { as: "nobody" })).text();
      return Number(new RegExp(`member_events_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1]);
    };
    const before = await countOf("created");
    await send(signStandard(memberCreated({ id: newId() })));
    assertEquals(await countOf("created"), before + 1);
    for (const outcome of ["known", "duplicate", "ignored", "refused", "unverified"]) {
      assertGreater(await countOf(outcome), 0, outcome);
    }
  });

  it("is answered with 404 where no secret is configured", async () => {
    const off = await testService();
    const answer = await send(signStandard(memberCreated({ id: newId() })), off);
    assertEquals([answer.status, answer.code], [404, "member_hook_off"]);
    assertStringIncludes(answer.detail, "MEMBER_HOOK_SECRETS");
    await off.stop();
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
    await send(signStandard(memberCreated({ id, name: "Anna Berg", email: "anna@example.com" })), other);
    const rows = await other.sql`select email, "full name" as name from public.members where id = ${id}`;
    assertEquals([...rows], [{ email: null, name: "Anna Berg" }]);

    const long = await send(signStandard(memberCreated({ id: newId(), name: "x".repeat(21) })), other);
    assertEquals([long.status, long.reason], [202, "refused"]);
    assertStringIncludes(long.detail, "22001");
    await other.stop();
  });

  it("is answered with 503 and what to do while the table takes no member, and taken afterwards", async () => {
    const other = await testService({ memberHook: testHook() });
    await other.sql`delete from public.members`;
    await other.sql`alter table public.members add column tenant text not null`;
    const event = signStandard(memberCreated({ id: newId() }));
    const answer = await send(event, other);
    assertEquals([answer.status, answer.code, answer.headers.get("Retry-After")], [
      503,
      "members_unfit",
      "60",
    ]);
    assertEquals(
      answer.detail,
      "The hook does not fill the column tenant, which must have a value: give it a default.",
    );
    const { checks } = await (await other.call("GET /readyz")).json();
    assertEquals(checks.memberHook.status, "degraded");
    await other.sql`alter table public.members alter column tenant set default 'north'`;
    assertEquals((await send(event, other)).outcome, "created");
    const after = await (await other.call("GET /readyz")).json();
    assertEquals(after.checks.memberHook, { status: "ok", detail: "takes events of the provider standard" });
    await other.stop();
  });

  it("is answered with 503 while members is locked", async () => {
    const event = signStandard(memberCreated({ id: newId() }));
    await service.database.newConnection().begin(async (locker) => {
      await locker`lock table public.members in access exclusive mode`;
      const answer = await send(event);
      assertEquals([answer.status, answer.code, answer.headers.get("Retry-After")], [
        503,
        "database_busy",
        "1",
      ]);
    });
    assertEquals((await send(event)).outcome, "created");
  });

  it("does not set a column that the service may not read", async () => {
    const memberColumns: Services["memberColumns"] = {
      name: { column: "role", isRequired: true },
      email: null,
    };
    const other = await testService({ memberHook: testHook(), memberColumns });
    await other.sql`alter table public.members add column role text`;
    const id = newId();
    assertEquals((await send(signStandard(memberCreated({ id, name: "owner" })), other)).outcome, "created");
    const [row] = await other.sql`select role from public.members where id = ${id}`;
    assertEquals(row, { role: null });
    await other.stop();
  });

  it("makes one member and one assignment of 1,000 equal events at once", async () => {
    const id = newId();
    const event = signStandard(memberCreated({ id, email: "once@example.com" }));
    assertEquals(await outcomesOf(Array.from({ length: 1000 }, () => event)), { created: 1, duplicate: 999 });
    assertEquals((await member(id))?.trainers, [DEFAULT_TRAINER_ID]);
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
        (await (await service.app.request(PATH, eventRequest(event))).json()).outcome
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

  it("is refused with 429 before it is verified when its network sends too many", async () => {
    const limited = await testService({ memberHook: testHook(), signedPerMinute: 2, trustedProxies: 1 });
    const from = (address: string, event: SentEvent) =>
      send({ ...event, headers: { ...event.headers, "X-Forwarded-For": address } }, limited);
    const unsigned = { body: "{}", headers: {} };
    for (let sent = 0; sent < 2; sent++) assertEquals((await from("192.0.2.1", unsigned)).status, 401);
    const signed = signStandard(memberCreated({ id: newId() }));
    const refusal = await from("192.0.2.1", signed);
    assertEquals([refusal.status, refusal.code], [429, "rate_limited"]);
    assertStringIncludes(refusal.detail, "Your network may send requests again in");
    assertMatch(refusal.headers.get("Retry-After") ?? "", /^\d+$/);
    assertEquals((await from("192.0.2.2", signed)).outcome, "created");
    await limited.stop();
  });
});
