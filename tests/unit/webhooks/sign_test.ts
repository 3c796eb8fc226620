/** Signatures by the Standard Webhooks specification, as receivers verify them. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Webhook } from "standardwebhooks";
import { Webhook as Svix } from "svix";
import { createSecret, isSecret, signMessage } from "../../../src/webhooks/sign.ts";

const ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const SENT_AT = new Date(1674087231_987);
/** The bytes 0 to 31, and 32 to 95. */
const SECRETS = [
  "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
  "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eXw==",
];

describe("signatures of webhooks", () => {
  it("are what `openssl dgst -sha256 -mac HMAC` makes of the specification's example", () => {
    const body =
      '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}';
    assertEquals(signMessage({ id: ID, body }, SECRETS.slice(0, 1), SENT_AT), {
      "webhook-id": ID,
      "webhook-timestamp": "1674087231",
      "webhook-signature": "v1,4PMU5Dl90B4kgwxDpwuMZ/cnZ5ztf+Y+kviYQD66rJg=",
    });
  });

  it("are one for each secret, over the body's UTF-8, equal to openssl's", () => {
    const signed = signMessage({ id: ID, body: '{"name":"Zoë 🏋"}' }, SECRETS, SENT_AT);
    assertEquals(
      signed["webhook-signature"],
      "v1,hqGVgD+i/nF8ncWq+9f1Eu9phLLHxaTtUbVFX1GiUs8= v1,JdqiRKVGDHeeOy0Ah69rUGhoWOIrdVT9EvGi5N8OQfY=",
    );
  });

  for (const [library, Receiver] of [["standardwebhooks", Webhook], ["svix", Svix]] as const) {
    it(`are accepted by ${library} with either of two secrets, and with no other`, () => {
      const secrets = [createSecret(), createSecret()];
      const body = '{"type":"assignments.created","data":{"name":"Zoë"}}';
      const headers = { ...signMessage({ id: ID, body }, secrets, new Date()) };
      for (const secret of secrets) new Receiver(secret).verify(body, headers);
      assertThrows(() => new Receiver(createSecret()).verify(body, headers), Error, "No matching signature");
    });

    it(`are refused by ${library} for another body, id or time, and when they are old`, () => {
      const receiver = new Receiver(SECRETS[0] ?? "");
      const now = new Date();
      const headers = { ...signMessage({ id: ID, body: "{}" }, SECRETS, now) };
      receiver.verify("{}", headers);
      const later = String(Number(headers["webhook-timestamp"]) + 1);
      for (
        const [body, changed] of [["{ }", {}], ["{}", { "webhook-id": "msg_other" }], ["{}", {
          "webhook-timestamp": later,
        }]] as const
      ) {
        assertThrows(() => receiver.verify(body, { ...headers, ...changed }), Error, "No matching signature");
      }
      const old = { ...signMessage({ id: ID, body: "{}" }, SECRETS, new Date(now.getTime() - 301_000)) };
      assertThrows(() => receiver.verify("{}", old), Error, "too old");
    });
  }

  it("are not made for an id with a dot, nor without a secret", () => {
    assertThrows(() => signMessage({ id: "msg.1", body: "" }, SECRETS, SENT_AT), TypeError, "dot");
    assertThrows(() => signMessage({ id: "msg", body: "" }, [], SENT_AT), TypeError, "secret");
  });
});

describe("secrets of webhooks", () => {
  it("are new each time, and 32 bytes", () => {
    const secret = createSecret();
    assertNotEquals(secret, createSecret());
    assertEquals(Uint8Array.fromBase64(secret.replace("whsec_", "")).length, 32);
  });

  it("have 24 to 64 bytes", () => {
    const ofBytes = (count: number) => `whsec_${new Uint8Array(count).toBase64()}`;
    for (const secret of [ofBytes(24), ofBytes(25), ofBytes(64), createSecret(), ...SECRETS]) {
      assert(isSecret(secret), secret);
    }
    const wrong = [
      ofBytes(23),
      ofBytes(65),
      ofBytes(32).slice(6),
      "",
      "whsec_",
      `${ofBytes(32)}=`,
      ofBytes(32).replace("=", ""),
      ofBytes(32).replace("AA", "A A"),
      ofBytes(32).replace("AAAA", "A-_A"),
    ];
    for (const secret of wrong) assertFalse(isSecret(secret), secret);
  });
});
