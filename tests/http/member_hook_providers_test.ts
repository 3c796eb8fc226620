/** What each provider sends, built from its documentation, with the configuration that docs/webhooks.md has for it. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toMemberId } from "../../src/webhooks/in/member_id.ts";
import { DEFAULT_TRAINER_ID, isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import {
  bearSecret,
  eventRequest,
  PLAIN_SECRET,
  SECRET,
  type SentEvent,
  signKeycloak,
  signStandard,
  signSvix,
  signWorkOs,
  testHook,
} from "../support/member_events.ts";
import { readAction } from "../support/auth0_action.ts";
import { MEMBER_HOOK } from "./member_hook.ts";
import { type TestService, testService } from "./test_service.ts";

/** What a provider's configuration does with an event of it: taken twice, then with another signature. */
interface Taken {
  first: string;
  again: string;
  forged: number;
  member: { id: string; email: string | null; name: string | null };
}

describe("an event of", () => {
  let service: TestService;
  const others: TestService[] = [];
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(async () => {
    for (const other of others) await other.stop();
    await service.stop();
  });

  async function take(
    environment: Record<string, string>,
    event: SentEvent,
    forged: SentEvent,
  ): Promise<Taken> {
    const other = await testService({ memberHook: testHook(environment) });
    others.push(other);
    const send = async (sent: SentEvent) => {
      const response = await other.app.request(MEMBER_HOOK, eventRequest(sent));
      return { status: response.status, ...await response.json() };
    };
    const { outcome: first, memberId } = await send(event);
    const { outcome: again } = await send(event);
    const { status } = await send(forged);
    assertEquals(await isUserAssignedToTrainer(other.sql, memberId, DEFAULT_TRAINER_ID), true);
    const [member] = await other.sql<[Taken["member"]]>`
      select id, email, display_name as name from public.members where id = ${memberId}
    `;
    return { first, again, forged: status, member };
  }

  const id = newId();
  const namespace = newId();
  const email = "anna@example.com";

  it("Clerk", async () => {
    const payload = {
      data: {
        id: "user_2example",
        object: "user",
        first_name: "Anna",
        last_name: "Berg",
        email_addresses: [{
          id: "idn_2example",
          object: "email_address",
          email_address: email,
          linked_to: [],
          verification: { status: "verified", strategy: "email_code" },
        }],
        primary_email_address_id: "idn_2example",
        phone_numbers: [],
        external_accounts: [],
        external_id: null,
        public_metadata: {},
        private_metadata: {},
        unsafe_metadata: {},
        created_at: 1_700_000_000_000,
        updated_at: 1_700_000_000_000,
      },
      event_attributes: { http_request: { client_ip: "192.0.2.1", user_agent: "Mozilla/5.0" } },
      instance_id: "ins_2example",
      object: "event",
      timestamp: 1_700_000_000_100,
      type: "user.created",
    };
    const environment = {
      MEMBER_HOOK_PROVIDER: "clerk",
      MEMBER_HOOK_SECRETS: SECRET,
      MEMBER_HOOK_NAMESPACE: namespace,
    };
    const forged = { ...signSvix(payload), body: "{}" };
    assertEquals(await take(environment, signSvix(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id: toMemberId("user_2example", namespace), email, name: "Anna Berg" },
    });
  });

  it("Clerk, of a member without an e-mail address or a last name", async () => {
    const payload = {
      data: { id: "user_3example", first_name: "Anna", last_name: null, email_addresses: [] },
      object: "event",
      type: "user.created",
    };
    const environment = { MEMBER_HOOK_PROVIDER: "clerk", MEMBER_HOOK_SECRETS: SECRET };
    const { member } = await take(environment, signSvix(payload), signSvix(payload, { ageSeconds: 900 }));
    assertEquals([member.email, member.name], [null, "Anna"]);
  });

  it("Supabase's auth hook", async () => {
    const payload = {
      metadata: {
        uuid: newId(),
        time: "2026-11-23T09:30:00.000000Z",
        name: "before-user-created",
        ip_address: "192.0.2.1",
      },
      user: {
        id,
        aud: "authenticated",
        role: "",
        email,
        phone: "",
        app_metadata: { provider: "email", providers: ["email"] },
        user_metadata: { full_name: "Anna Berg" },
        identities: [],
        created_at: "0001-01-01T00:00:00Z",
        updated_at: "0001-01-01T00:00:00Z",
        is_anonymous: false,
      },
    };
    const environment = { MEMBER_HOOK_PROVIDER: "supabase-auth", MEMBER_HOOK_SECRETS: `v1,${SECRET}` };
    const forged = { ...signStandard(payload), body: "{}" };
    assertEquals(await take(environment, signStandard(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id, email, name: "Anna Berg" },
    });
  });

  it("Supabase's database webhook, and only of an insert", async () => {
    const record = {
      id,
      instance_id: "00000000-0000-0000-0000-000000000000",
      aud: "authenticated",
      role: "authenticated",
      email,
      raw_app_meta_data: { provider: "email", providers: ["email"] },
      raw_user_meta_data: { full_name: "Anna Berg" },
      created_at: "2026-11-23T09:30:00.000000+00:00",
    };
    const payload = { type: "INSERT", table: "users", schema: "auth", record, old_record: null };
    const environment = { MEMBER_HOOK_PROVIDER: "supabase-database", MEMBER_HOOK_SECRETS: PLAIN_SECRET };
    const forged = bearSecret(payload, { secret: "another-secret-of-this-test" });
    assertEquals(await take(environment, bearSecret(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id, email, name: "Anna Berg" },
    });
    const update = { ...payload, type: "UPDATE", record: { ...record, id: newId() }, old_record: record };
    const answer = await others.at(-1)?.app.request(MEMBER_HOOK, eventRequest(bearSecret(update)));
    assertEquals((await answer?.json()).outcome, "ignored");
  });

  it("WorkOS", async () => {
    const payload = {
      id: "event_01EXAMPLE",
      event: "user.created",
      data: {
        object: "user",
        id: "user_01EXAMPLE",
        email,
        first_name: "Anna",
        last_name: "Berg",
        email_verified: true,
        profile_picture_url: null,
        metadata: {},
        external_id: null,
        last_sign_in_at: null,
        created_at: "2026-11-23T09:30:00.000Z",
        updated_at: "2026-11-23T09:30:00.000Z",
      },
      created_at: "2026-11-23T09:30:00.100Z",
    };
    const environment = {
      MEMBER_HOOK_PROVIDER: "workos",
      MEMBER_HOOK_SECRETS: PLAIN_SECRET,
      MEMBER_HOOK_NAMESPACE: namespace,
    };
    assertEquals(await take(environment, signWorkOs(payload), signWorkOs(payload, { ageSeconds: 310 })), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id: toMemberId("user_01EXAMPLE", namespace), email, name: "Anna Berg" },
    });
    const odd = [
      "",
      "t=1",
      `t=${Date.now()}, v1=zz`,
      `v1=${"0".repeat(64)}`,
      `t=${Date.now()}, v1=${"0".repeat(64)}`,
    ];
    for (const header of odd) {
      const event = { ...signWorkOs(payload), headers: { "WorkOS-Signature": header } };
      assertEquals((await others.at(-1)?.app.request(MEMBER_HOOK, eventRequest(event)))?.status, 401, header);
    }
  });

  it("Auth0, as the action of docs/webhooks.md sends it", async () => {
    const action = await readAction();
    const sent: SentEvent[] = [];
    await action({
      user: { user_id: "auth0|0123456789abcdef", email, name: "Anna Berg" },
      secrets: { HOOK_URL: `https://trainers.example${MEMBER_HOOK}`, HOOK_SECRET: SECRET },
    }, (url, { headers, body }) => {
      assertEquals(url, `https://trainers.example${MEMBER_HOOK}`);
      sent.push({ headers, body });
      return Promise.resolve(new Response("{}"));
    });
    const [event = { headers: {}, body: "" }] = sent;
    const environment = { MEMBER_HOOK_SECRETS: SECRET, MEMBER_HOOK_NAMESPACE: namespace };
    assertEquals(await take(environment, event, { ...event, body: `${event.body} ` }), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id: toMemberId("auth0|0123456789abcdef", namespace), email, name: "Anna Berg" },
    });
  });

  it("Keycloak, of a member who registered", async () => {
    const payload = {
      uid: newId(),
      id: newId(),
      time: 1_700_000_000_000,
      realmId: newId(),
      realmName: "members",
      type: "access.REGISTER",
      authDetails: {
        realmId: "members",
        clientId: "account",
        userId: id,
        ipAddress: "192.0.2.1",
        username: email,
      },
      details: {
        auth_method: "openid-connect",
        register_method: "form",
        username: email,
        email,
        first_name: "Anna",
        last_name: "Berg",
      },
    };
    const environment = { MEMBER_HOOK_PROVIDER: "keycloak", MEMBER_HOOK_SECRETS: PLAIN_SECRET };
    const forged = signKeycloak(payload, { secret: "another-secret-of-this-test" });
    assertEquals(await take(environment, signKeycloak(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id, email, name: "Anna Berg" },
    });
  });

  it("Keycloak, of a member whom an admin created: never the admin", async () => {
    const admin = newId();
    const payload = {
      uid: newId(),
      time: 1_700_000_000_000,
      realmId: newId(),
      type: "admin.USER-CREATE",
      resourceType: "USER",
      operationType: "CREATE",
      resourcePath: `users/${id}`,
      resourceId: id,
      representation: JSON.stringify({ username: "anna", email, enabled: true }),
      authDetails: {
        realmId: "master",
        clientId: "security-admin-console",
        userId: admin,
        ipAddress: "192.0.2.1",
      },
      details: {},
    };
    const environment = { MEMBER_HOOK_PROVIDER: "keycloak", MEMBER_HOOK_SECRETS: PLAIN_SECRET };
    const { member } = await take(environment, signKeycloak(payload), {
      ...signKeycloak(payload),
      headers: {},
    });
    assertEquals(member, { id, email: null, name: null });
    const { resourceId: _, ...without } = { ...payload, uid: newId() };
    const response = await others.at(-1)?.app.request(MEMBER_HOOK, eventRequest(signKeycloak(without)));
    assertEquals((await response?.json()).code, "member_id_missing");
  });
});
