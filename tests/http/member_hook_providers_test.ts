/**
 * What each provider sends that signs as Standard Webhooks do, built from its documentation, with the configuration that
 * docs/webhooks.md has for it.
 */
import { assertEquals } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { toMemberId } from "../../src/webhooks/in/member_id.ts";
import { newId } from "../support/assignments.ts";
import { SECRET, type SentEvent, signStandard, signSvix } from "../support/member_events.ts";
import { readAction } from "../support/auth0_action.ts";
import { MEMBER_HOOK } from "./member_hook.ts";
import { providerServices } from "./member_hook_providers.ts";

describe("an event of", () => {
  const providers = providerServices();
  afterAll(() => providers.stop());

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
    assertEquals(await providers.take(environment, signSvix(payload), forged), {
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
    const { member } = await providers.take(
      environment,
      signSvix(payload),
      signSvix(payload, { ageSeconds: 900 }),
    );
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
    assertEquals(await providers.take(environment, signStandard(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id, email, name: "Anna Berg" },
    });
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
    assertEquals(await providers.take(environment, event, { ...event, body: `${event.body} ` }), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id: toMemberId("auth0|0123456789abcdef", namespace), email, name: "Anna Berg" },
    });
  });
});
