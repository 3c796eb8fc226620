import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { type Canary, findCanaries } from "../faults/hostile/canaries.ts";

const SECRET: Canary = { name: "a password", value: "p/w+%:@ü \"'", user: "somebody" };

describe("the search for secrets", () => {
  const findings = (text: string) => findCanaries([SECRET], [{ where: "a log", text }]).length;

  it("finds one in any encoding, within other text too", () => {
    const { value, user = "" } = SECRET;
    for (
      const written of [
        value,
        JSON.stringify({ password: value }),
        `postgres://somebody:${encodeURIComponent(value)}@host/database`,
        new URLSearchParams({ token: value }).toString(),
        Buffer.from(value).toString("base64"),
        Buffer.from(value).toString("base64url"),
        Buffer.from(value).toString("hex"),
        `Authorization: Basic ${Buffer.from(`${user}:${value}`).toString("base64")}`,
      ]
    ) {
      assertEquals(findings(`before ${written} after`) > 0, true, written);
    }
  });

  it("finds the digest of one", async () => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET.value));
    assertEquals(findings(`sha256 ${new Uint8Array(digest).toHex()}`), 1);
  });

  it("finds nothing where there is nothing", () => {
    assertEquals(findings('password authentication failed for user "somebody"'), 0);
  });
});
