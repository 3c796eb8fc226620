import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { newId } from "../support/assignments.ts";
import {
  memberCreated,
  OTHER_SECRET,
  type SentEvent,
  signStandard,
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

  const failures = async () => (await (await service.call(`GET ${MEMBER_HOOK}/failures`)).json()).failures;

  describe("is refused with 401", () => {
    const refused = async (event: SentEvent, detail: RegExp) => {
      const answer = await service.send(event);
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

  it("of 300 KiB is refused with 413, signed or not", async () => {
    const event = signStandard(memberCreated({ id: newId(), filler: "x".repeat(300 * 1024) }));
    for (const headers of [event.headers, {}]) {
      const answer = await service.send({ ...event, headers });
      assertEquals([answer.status, answer.code], [413, "body_too_large"]);
    }
  });

  it("that is not JSON is refused with 400 if it is signed, else with 401", async () => {
    for (const body of ["not JSON", "", '{"type":']) {
      const answer = await service.send(signStandard(body));
      assertEquals([answer.status, answer.code], [400, "invalid_request"]);
      assertEquals((await service.send({ body, headers: {} })).status, 401);
    }
  });

  it("without an id of a member is refused with 422, and kept with the reason", async () => {
    const answer = await service.send(
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
    const answer = await service.send(event);
    assertEquals([answer.status, answer.outcome, answer.memberId, answer.reason], [
      202,
      "refused",
      id,
      "email_taken",
    ]);
    await service.send(event);
    const [failure] = await failures();
    assertEquals([failure.eventId, failure.memberId, failure.reason, failure.attempts], [
      "msg_taken",
      id,
      "email_taken",
      2,
    ]);
    assertEquals(await service.member(id), undefined);

    await service.sql`delete from public.members where id = ${holder}`;
    assertEquals((await service.send(event)).outcome, "created");
    assertEquals(await failures(), []);
  });

  it("takes the failures of the member along when another one of the member is taken", async () => {
    const [holder, id] = [newId(), newId()];
    await service.sql`insert into public.members (id, email) values (${holder}, 'twice@example.com')`;
    await service.send(signStandard(memberCreated({ id, email: "twice@example.com" })));
    assertEquals((await failures()).length, 1);
    await service.send(signStandard(memberCreated({ id, email: "other@example.com" })));
    assertEquals(await failures(), []);
  });

  it("is listed among the failures in pages, the newest first", async () => {
    for (const id of ["msg_1", "msg_2", "msg_3"]) await service.send(signStandard(memberCreated({}), { id }));
    const first = await (await service.call(`GET ${MEMBER_HOOK}/failures?limit=2`)).json();
    const second = await (await service.call(`GET ${MEMBER_HOOK}/failures?limit=2&cursor=${first.next}`))
      .json();
    const ids = [...first.failures, ...second.failures].map(({ eventId }: { eventId: string }) => eventId);
    assertEquals([ids, second.next], [["msg_3", "msg_2", "msg_1"], null]);
  });

  it("leaves nothing of its payload in the log", async () => {
    const secret = "private@example.com";
    const id = newId();
    await service.sql`insert into public.members (id, email) values (${newId()}, ${secret})`;
    for (const data of [{ id, email: secret, name: "Private" }, { email: secret }]) {
      await service.send(signStandard(memberCreated(data), { id: `msg_${newId()}` }));
    }
    await service.send(signStandard(memberCreated({ id, email: secret }), { secret: OTHER_SECRET }));
    await service.send(signStandard(`{"email": "${secret}", broken`));
    const text = JSON.stringify(service.logged);
    assertEquals(service.logged.filter(({ event }) => event === "member_event_refused").length, 2);
    for (const part of ["private", "Private", id, "broken"]) assertEquals(text.includes(part), false, part);
  });

  it("is answered with 404 where no secret is configured", async () => {
    const off = await testService();
    const answer = await sendEvent(off, signStandard(memberCreated({ id: newId() })));
    assertEquals([answer.status, answer.code], [404, "member_hook_off"]);
    assertStringIncludes(answer.detail, "MEMBER_HOOK_SECRETS");
    await off.stop();
  });

  it("is answered with 503 and what to do while the table takes no member, and taken afterwards", async () => {
    const other = await testService({ memberHook: testHook() });
    await other.sql`delete from public.members`;
    await other.sql`alter table public.members add column tenant text not null`;
    const event = signStandard(memberCreated({ id: newId() }));
    const answer = await sendEvent(other, event);
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
    assertEquals((await sendEvent(other, event)).outcome, "created");
    const after = await (await other.call("GET /readyz")).json();
    assertEquals(after.checks.memberHook, { status: "ok", detail: "takes events of the provider standard" });
    await other.stop();
  });

  it("is answered with 503 while members is locked", async () => {
    const event = signStandard(memberCreated({ id: newId() }));
    await service.database.newConnection().begin(async (locker) => {
      await locker`lock table public.members in access exclusive mode`;
      const answer = await service.send(event);
      assertEquals([answer.status, answer.code, answer.headers.get("Retry-After")], [
        503,
        "database_busy",
        "1",
      ]);
    });
    assertEquals((await service.send(event)).outcome, "created");
  });

  it("is refused with 429 before it is verified when its network sends too many", async () => {
    const limited = await testService({ memberHook: testHook(), signedPerMinute: 2, trustedProxies: 1 });
    const from = (address: string, event: SentEvent) =>
      sendEvent(limited, { ...event, headers: { ...event.headers, "X-Forwarded-For": address } });
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
