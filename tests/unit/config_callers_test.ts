import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConfigError, parseConfig } from "../../src/config.ts";

const hash = "ab".repeat(32);
const otherHash = "cd".repeat(32);

describe("the configuration of who may call", () => {
  const issuer = { AUTH_ISSUER: "https://id.example" };
  const audience = { AUTH_AUDIENCE: "https://trainers.example" };
  const client = { AUTH_CLIENT_ID: "trainer-assignment", AUTH_CLIENT_SECRET: "a secret of the provider" };

  it("accepts a provider for JWTs, for signing in to the page, or for both", () => {
    const uses = [{ ...issuer, ...audience }, { ...issuer, ...client }, { ...issuer, ...audience, ...client }]
      .map((environment) => parseConfig(environment))
      .map(({ jwt, openId }) => [jwt !== null, openId !== null]);
    assertEquals(uses, [[true, false], [false, true], [true, true]]);
    assertEquals(parseConfig({ ...issuer, ...audience }).jwt?.roleClaim, "roles");
  });

  it("says what is missing when a provider is configured in part", () => {
    const problemsOf = (environment: Record<string, string>) =>
      assertThrows(() => parseConfig(environment), ConfigError).problems.map((problem) =>
        problem.split(":")[0]
      );
    const { AUTH_CLIENT_ID, AUTH_CLIENT_SECRET } = client;
    assertEquals(problemsOf(issuer), ["AUTH_ISSUER"]);
    for (const alone of [audience, client, { AUTH_ROLE_CLAIM: "groups" }]) {
      assertEquals(problemsOf(alone), ["AUTH_ISSUER"]);
    }
    for (const half of [{ AUTH_CLIENT_ID }, { AUTH_CLIENT_SECRET }]) {
      assertEquals(problemsOf({ ...issuer, ...half }), ["AUTH_CLIENT_ID, AUTH_CLIENT_SECRET"]);
      assertEquals(problemsOf({ ...issuer, ...audience, ...half }), ["AUTH_CLIENT_ID, AUTH_CLIENT_SECRET"]);
    }
    assertEquals(problemsOf({ ...issuer, AUTH_ROLE_CLAIM: "groups" }), ["AUTH_ISSUER"]);
    assertEquals(problemsOf({ AUTH_ISSUER: "http://id.example", ...audience }), ["AUTH_ISSUER"]);
    assertEquals(problemsOf({ ...issuer, AUTH_AUDIENCE: "two words" }), ["AUTH_AUDIENCE"]);
  });

  it("refuses two tokens of one name, in any list, and one token under two names", () => {
    const sameName = { ADMIN_TOKENS: `ops=${hash}`, SERVICE_TOKENS: `ops=${otherHash}`, PORT: "x" };
    assertEquals(assertThrows(() => parseConfig(sameName), ConfigError).problems.length, 2);
    for (const twice of [`ops=${hash},bert=${hash}`, ""]) {
      assertThrows(
        () =>
          parseConfig({ ADMIN_TOKENS: twice || `ops=${hash}`, VIEWER_TOKENS: twice ? "" : `bert=${hash}` }),
        ConfigError,
        "the same token is given twice",
      );
    }
  });
});
