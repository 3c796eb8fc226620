import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConfigError, parseConfig } from "../../src/config.ts";
import { readEvent } from "../../src/webhooks/in/event.ts";
import { toMemberId, uuidV5 } from "../../src/webhooks/in/member_id.ts";
import { OTHER_SECRET, SECRET, standardSignature, testHook } from "../support/member_events.ts";

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

function problemsOf(environment: Record<string, string>): readonly string[] {
  return assertThrows(() => parseConfig(environment), ConfigError).problems;
}

function read(environment: Record<string, string>, payload: unknown, headerId: string | null = "msg_1") {
  return readEvent(testHook(environment), payload, JSON.stringify(payload), headerId);
}

describe("the configuration of the member hook", () => {
  it("is none without secrets", () => {
    assertEquals(parseConfig({}).memberHook, null);
  });

  it("needs the secret alone for a provider that signs by Standard Webhooks", () => {
    const { provider, scheme, types, id, email, name } = testHook();
    assertEquals({ provider, scheme, types, id, email, name }, {
      provider: "standard",
      scheme: "standard",
      types: ["user.created"],
      id: ["/data/id"],
      email: ["/data/email"],
      name: ["/data/name"],
    });
  });

  it("takes several secrets, also as Supabase writes them", () => {
    assertEquals(testHook({ MEMBER_HOOK_SECRETS: `${SECRET}, ${OTHER_SECRET}` }).secrets, [
      SECRET,
      OTHER_SECRET,
    ]);
    assertEquals(
      testHook({ MEMBER_HOOK_SECRETS: `v1,${SECRET},v1,${OTHER_SECRET}` }).secrets,
      [SECRET, OTHER_SECRET],
    );
  });

  it("says what is wrong, and never a value", () => {
    const cases = [
      [{ MEMBER_HOOK_SECRETS: "short" }, /^MEMBER_HOOK_SECRETS: must be secrets of at least 16 characters/],
      [
        { MEMBER_HOOK_SECRETS: "not-of-standard-webhooks" },
        /^MEMBER_HOOK_SECRETS: must be whsec_… in base64/,
      ],
      [
        { MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_PROVIDER: "okta" },
        /^MEMBER_HOOK_PROVIDER: must be one of standard, /,
      ],
      [{ MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_ID: "data.id" }, /^MEMBER_HOOK_ID: must be JSON pointers/],
      [{ MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_ID: "off" }, /^MEMBER_HOOK_ID: must not be off/],
      [{ MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_NAME: "/a~2" }, /^MEMBER_HOOK_NAME: must be JSON pointers/],
      [
        { MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_NAMESPACE: "clerk" },
        /^MEMBER_HOOK_NAMESPACE: must be a UUID/,
      ],
      [{ MEMBER_HOOK_PROVIDER: "clerk" }, /^MEMBER_HOOK_SECRETS: is missing/],
    ] as const;
    for (const [environment, expected] of cases) {
      const problems = problemsOf(environment);
      assertEquals(problems.length, 1, problems.join());
      assertMatch(problems[0] ?? "", expected);
      assertEquals(problems.join().includes("data.id") || problems.join().includes("okta"), false);
    }
  });
});

describe("the id of a member", () => {
  it("is the provider's own if it is a UUID, in lower case", () => {
    assertEquals(toMemberId(SOME_ID.toUpperCase(), SOME_ID), SOME_ID);
  });

  it("is else version 5 of it, as RFC 9562 has it", () => {
    const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    assertEquals(uuidV5("www.example.com", dns), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assertEquals(toMemberId("www.example.com", dns), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });

  it("depends on the namespace, which never changes by default", () => {
    const event = (environment: Record<string, string>) =>
      read(environment, { type: "user.created", data: { id: "user_29w83sxmDNGwOuEthce5gg56FcC" } })?.memberId;
    assertEquals(event({}), "6ff2bd33-8298-5895-9e74-89387191d050");
    assertEquals(event({ MEMBER_HOOK_NAMESPACE: SOME_ID }) === event({}), false);
  });
});

describe("an event is read", () => {
  const data = { id: SOME_ID, email: "anna@example.com", name: "Anna Berg" };

  it("with its id, its type and what it says of the member", () => {
    assertEquals(read({}, { type: "user.created", data }), {
      id: "msg_1",
      type: "user.created",
      memberId: SOME_ID,
      email: "anna@example.com",
      name: "Anna Berg",
    });
  });

  it("by pointers with escapes, numbers, several names, and the first of several ids", () => {
    const environment = {
      MEMBER_HOOK_TYPES: "signup",
      MEMBER_HOOK_ID: "/a~1b/0/~0id,/other",
      MEMBER_HOOK_EMAIL: "off",
      MEMBER_HOOK_NAME: "/first,/last",
    };
    const payload = {
      type: "signup",
      "a/b": [{ "~id": SOME_ID }],
      other: "x",
      first: "Anna",
      last: "Berg",
      email: "e",
    };
    const { memberId, email, name } = read(environment, payload) ?? {};
    assertEquals([memberId, email, name], [SOME_ID, null, "Anna Berg"]);
    assertEquals(read(environment, { type: "signup", other: SOME_ID })?.memberId, SOME_ID);
  });

  it("as another one when its type is not configured, or is none", () => {
    assertEquals(read({}, { type: "user.deleted", data }), null);
    for (const payload of [{ data }, { type: 7 }, [], null, 7, "user.created"]) {
      assertEquals(read({}, payload), null);
    }
  });

  it("without what the database cannot store, and without inherited properties", () => {
    const event = read({}, { type: "user.created", data: { id: "a\0b", email: "\ud800", name: "  " } });
    assertEquals([event?.memberId, event?.email, event?.name], [null, null, null]);
    const inherited = { MEMBER_HOOK_ID: "/data/constructor/name", MEMBER_HOOK_EMAIL: "/data/id/length" };
    const other = read(inherited, { type: "user.created", data });
    assertEquals([other?.memberId, other?.email], [null, null]);
  });

  it("with a whole number as an id, and with none that is null, an object, empty or endless", () => {
    const idOf = (id: unknown) => read({}, { type: "user.created", data: { id } })?.memberId;
    assertMatch(idOf(42) ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    for (const id of [null, undefined, {}, [], "", "x".repeat(256), 1.5, true]) assertEquals(idOf(id), null);
  });

  it("with the digest of its body for an id where the provider gives none", () => {
    const payload = { type: "user.created", data };
    const { id } = read({}, payload, null) ?? {};
    assertMatch(id ?? "", /^sha256:[0-9a-f]{64}$/);
    assertEquals(read({}, payload, null)?.id, id);
    assertEquals(read({}, { ...payload, timestamp: 1 }, null)?.id === id, false);
  });
});

describe("the signer of these tests", () => {
  it("signs the example of the specification as it says", () => {
    const signature = standardSignature(
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}',
    );
    assertEquals(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });
});
