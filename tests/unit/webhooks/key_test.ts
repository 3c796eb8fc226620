/** Secrets of webhook endpoints, sealed under WEBHOOK_KEY. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseConfig } from "../../../src/config.ts";
import { OperatorError } from "../../../src/errors.ts";
import { createKey, isSealedUnderFirst, open, seal } from "../../../src/webhooks/key.ts";
import { createSecret } from "../../../src/webhooks/sign.ts";

const ENDPOINT = "0199c0de-0000-7000-8000-000000000001";
const OTHER_ENDPOINT = "0199c0de-0000-7000-8000-000000000002";
const keysOf = (text: string) => parseConfig({ WEBHOOK_KEY: text }).webhookKeys;

describe("sealed secrets", () => {
  const [former, current] = [createKey(), createKey()];
  const secret = createSecret();

  it("open again, and say nothing of themselves", async () => {
    const sealed = await seal(keysOf(current), ENDPOINT, secret);
    assertEquals(await open(keysOf(current), ENDPOINT, sealed), secret);
    assertFalse(sealed.includes(secret.slice(6, 12)) || sealed.includes(current.slice(0, 6)));
    assertNotEquals(sealed, await seal(keysOf(current), ENDPOINT, secret));
  });

  it("survive the change of the key: the former one behind the new one, then none of it", async () => {
    const old = await seal(keysOf(former), ENDPOINT, secret);
    const both = keysOf(`${current},${former}`);
    assert(isSealedUnderFirst(keysOf(former), old));
    assertFalse(isSealedUnderFirst(both, old));
    const anew = await seal(both, ENDPOINT, await open(both, ENDPOINT, old));
    assert(isSealedUnderFirst(both, anew));
    assertEquals(await open(keysOf(current), ENDPOINT, anew), secret);
  });

  it("do not open without their key, which the error says how to bring back", async () => {
    const sealed = await seal(keysOf(former), ENDPOINT, secret);
    const [id = ""] = sealed.split(".");
    for (
      const [keys, words] of [[current, "WEBHOOK_KEY lacks a key"], ["", "WEBHOOK_KEY is not set"]] as const
    ) {
      const error = await assertRejects(() => open(keysOf(keys), ENDPOINT, sealed), OperatorError, words);
      assert(error.message.includes(ENDPOINT) && error.message.includes(id), error.message);
      assertFalse([former, current, secret].some((value) => error.message.includes(value)), error.message);
    }
    assertFalse(isSealedUnderFirst([], sealed));
  });

  it("are not made without a key, and the error says how to make one", async () => {
    await assertRejects(() => seal([], ENDPOINT, secret), OperatorError, "deno task token --webhook-key");
  });

  it("do not open for another endpoint, nor when a bit of them is changed", async () => {
    const keys = keysOf(current);
    const sealed = await seal(keys, ENDPOINT, secret);
    await assertRejects(() => open(keys, OTHER_ENDPOINT, sealed), OperatorError, OTHER_ENDPOINT);
    const [id = "", text = ""] = sealed.split(".");
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    for (const position of [0, 12, bytes.length - 1]) {
      const changed = bytes.with(position, (bytes[position] ?? 0) ^ 1);
      const altered = `${id}.${changed.toBase64({ alphabet: "base64url", omitPadding: true })}`;
      await assertRejects(() => open(keys, ENDPOINT, altered), OperatorError, "was altered");
    }
    for (const altered of [id, `${id}.`, `${id}.*`, `${id}.AAAA`]) {
      await assertRejects(() => open(keys, ENDPOINT, altered), OperatorError, "was altered");
    }
    await assertRejects(() => open(keys, ENDPOINT, ""), OperatorError, "lacks a key");
  });
});
