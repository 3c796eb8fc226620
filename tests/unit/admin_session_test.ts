import { assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { CompactEncrypt } from "jose";
import { hash, hkdfSync } from "node:crypto";
import { safeNext } from "../../src/admin/frame/paths.ts";
import { seal, unseal } from "../../src/http/identity/seal.ts";
import {
  findToken,
  readSession,
  sealOpenIdSession,
  sealTokenSession,
} from "../../src/http/identity/session.ts";
import { createSignInLimit } from "../../src/admin/sign_in/limit.ts";
import type { OpenIdConfig, Token } from "../../src/config.ts";

const HOUR_MS = 3_600_000;
const openId: OpenIdConfig = {
  issuer: "https://id.example",
  clientId: "trainer-assignment",
  clientSecret: "a secret of the provider",
  roleClaim: "roles",
};

function token(name: string, secret: string, role: Token["role"] = "admin"): Token {
  return { name, role, sha256: hash("sha256", secret, "buffer") };
}

describe("a session of the admin page", () => {
  const first = token("first", "first's token");
  const another = token("another", "another's token");
  let cookie: string;
  beforeAll(async () => {
    cookie = await sealTokenSession(first, "first's token", 0);
  });

  it("lasts eight hours", async () => {
    const tokens = [another, first];
    assertEquals((await readSession({ tokens }, cookie, 8 * HOUR_MS - 1))?.name, "first");
    assertEquals(await readSession({ tokens }, cookie, 8 * HOUR_MS), undefined);
  });

  it("is read by every replica, and ends with its token", async () => {
    assertEquals((await readSession({ tokens: [{ ...first }] }, cookie, 1))?.name, "first");
    assertEquals(await readSession({ tokens: [another] }, cookie, 1), undefined);
    assertEquals(await readSession({ tokens: [token("first", "another token")] }, cookie, 1), undefined);
    assertEquals(await readSession({ tokens: [] }, cookie, 1), undefined);
  });

  it("has the role that the token has now", async () => {
    assertEquals(
      (await readSession({ tokens: [{ ...first, role: "service" }] }, cookie, 1))?.role,
      "service",
    );
  });

  it("cannot be made by somebody who knows the configured hash alone", async () => {
    const forge = async (token: string) =>
      await seal(first.sha256, "session of a token", {
        id: crypto.randomUUID(),
        token,
        expiresAtMs: HOUR_MS,
      });
    assertEquals(await readSession({ tokens: [first] }, await forge("a guess"), 1), undefined);
    assertEquals((await readSession({ tokens: [first] }, await forge("first's token"), 1))?.name, "first");
  });

  it("has an id of its own, each time", async () => {
    const again = await sealTokenSession(first, "first's token", 0);
    const sessions = [cookie, cookie, again].map((cookie) => readSession({ tokens: [first] }, cookie, 1));
    const ids = (await Promise.all(sessions)).map((session) => session?.id);
    assertEquals([ids[0] === ids[1], ids[0] === ids[2]], [true, false]);
  });

  it("does not show the token", () => {
    const parts = cookie.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1"));
    assertEquals([parts.length, parts.join().includes("first's token")], [5, false]);
  });

  it("ends for users of a provider when the client secret changes", async () => {
    const theirs = await sealOpenIdSession(openId, { name: "oidc:ada@staff.example", role: "viewer" }, 0);
    const { name, role } = await readSession({ tokens: [], openId }, theirs, 1) ?? {};
    assertEquals([name, role], ["oidc:ada@staff.example", "viewer"]);
    assertEquals(await readSession({ tokens: [], openId }, theirs, 8 * HOUR_MS), undefined);
    assertEquals(
      await readSession({ tokens: [], openId: { ...openId, clientSecret: "another one" } }, theirs, 1),
      undefined,
    );
    assertEquals(await readSession({ tokens: [], openId: null }, theirs, 1), undefined);
  });

  it("is not opened from a value that was sealed for another purpose, truncated or altered", async () => {
    const sealed = await seal("secret", "one purpose", { a: 1 });
    assertEquals(await unseal("secret", "one purpose", sealed), { a: 1 });
    assertEquals(await unseal("secret", "another purpose", sealed), undefined);
    for (let length = 0; length < sealed.length - 1; length++) {
      assertEquals(await unseal("secret", "one purpose", sealed.slice(0, length)), undefined);
    }
    for (let at = 0; at < sealed.length; at++) {
      if (at === sealed.length - 1 || sealed[at + 1] === ".") continue; // its last bits mean nothing
      const altered = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      assertEquals(await unseal("secret", "one purpose", altered), undefined, `character ${at}`);
    }
  });

  it("is not opened when it is encrypted by another algorithm with the same key", async () => {
    const key = new Uint8Array(hkdfSync("sha256", "secret", "", "trainer-assignment one purpose", 32));
    const value = new TextEncoder().encode(JSON.stringify({ a: 1 }));
    const sealAs = (alg: string, enc: string) =>
      new CompactEncrypt(value).setProtectedHeader({ alg, enc }).encrypt(key);
    assertEquals(await unseal("secret", "one purpose", await sealAs("dir", "A256GCM")), { a: 1 });
    for (
      const [alg, enc] of [["A256KW", "A256GCM"], ["A256GCMKW", "A256GCM"], ["dir", "A128CBC-HS256"]] as const
    ) {
      assertEquals(await unseal("secret", "one purpose", await sealAs(alg, enc)), undefined, `${alg} ${enc}`);
    }
  });

  it("starts only with a configured token", () => {
    assertEquals(findToken([first, another], "another's token")?.name, "another");
    assertEquals(findToken([first, another], "nobody's token"), undefined);
    assertEquals(findToken([first, another], ""), undefined);
  });
});

describe("the limit on signing in", () => {
  it("allows five failures a minute and address", () => {
    let now = 0;
    const limit = createSignInLimit(() => now);
    for (let tries = 0; tries < 5; tries++) {
      assertEquals(limit.secondsToWait("10.0.0.1"), 0);
      limit.recordFailure("10.0.0.1");
      now += 1000;
    }
    assertEquals(limit.secondsToWait("10.0.0.1"), 55);
    assertEquals(limit.secondsToWait("10.0.0.2"), 0);
    now = 60_000;
    assertEquals(limit.secondsToWait("10.0.0.1"), 0);
    limit.recordFailure("10.0.0.1");
    assertEquals(limit.secondsToWait("10.0.0.1"), 1);
  });

  it("remembers the latest ten thousand addresses", () => {
    const limit = createSignInLimit(() => 0);
    for (let tries = 0; tries < 5; tries++) limit.recordFailure("first");
    for (let number = 0; number < 9_999; number++) limit.recordFailure(`address ${number}`);
    assertEquals(limit.secondsToWait("first") > 0, true);
    limit.recordFailure("one more");
    assertEquals(limit.secondsToWait("first"), 0);
  });
});

describe("the address after signing in", () => {
  it("is always one of our pages", () => {
    const home = "/admin/trainer-assignment";
    assertEquals(safeNext(`${home}/runs?cursor=x`), `${home}/runs?cursor=x`);
    for (
      const next of [
        undefined,
        "",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/v1/policy",
        "/admin/login",
      ]
    ) {
      assertEquals(safeNext(next), home);
    }
  });
});
