/**
 * What each provider sends that proves itself in a way of its own, built from its documentation, with the configuration that
 * docs/webhooks.md has for it.
 */
import { assertEquals } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { toMemberId } from "../../src/webhooks/in/member_id.ts";
import { newId } from "../support/assignments.ts";
import { bearSecret, PLAIN_SECRET, signKeycloak, signWorkOs } from "../support/member_events.ts";
import { providerServices } from "./member_hook_providers.ts";

describe("an event of", () => {
  const providers = providerServices();
  afterAll(() => providers.stop());

  const id = newId();
  const namespace = newId();
  const email = "anna@example.com";

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
    assertEquals(await providers.take(environment, bearSecret(payload), forged), {
      first: "created",
      again: "duplicate",
      forged: 401,
      member: { id, email, name: "Anna Berg" },
    });
    const update = { ...payload, type: "UPDATE", record: { ...record, id: newId() }, old_record: record };
    const answer = await providers.sendAgain(bearSecret(update));
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
    assertEquals(
      await providers.take(environment, signWorkOs(payload), signWorkOs(payload, { ageSeconds: 310 })),
      {
        first: "created",
        again: "duplicate",
        forged: 401,
        member: { id: toMemberId("user_01EXAMPLE", namespace), email, name: "Anna Berg" },
      },
    );
    const odd = [
      "",
      "t=1",
      `t=${Date.now()}, v1=zz`,
      `v1=${"0".repeat(64)}`,
      `t=${Date.now()}, v1=${"0".repeat(64)}`,
    ];
    for (const header of odd) {
      const event = { ...signWorkOs(payload), headers: { "WorkOS-Signature": header } };
      assertEquals((await providers.sendAgain(event))?.status, 401, header);
    }
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
    assertEquals(await providers.take(environment, signKeycloak(payload), forged), {
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
    const { member } = await providers.take(environment, signKeycloak(payload), {
      ...signKeycloak(payload),
      headers: {},
    });
    assertEquals(member, { id, email: null, name: null });
    const { resourceId: _, ...without } = { ...payload, uid: newId() };
    const response = await providers.sendAgain(signKeycloak(without));
    assertEquals((await response?.json()).code, "member_id_missing");
  });
});
