/** Messages by TLS, with an authority of the test's own. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Outcome } from "../../../src/webhooks/outcome.ts";
import { createSender } from "../../../src/webhooks/send.ts";
import { createAuthority, type TestAuthority } from "../../support/certificates.ts";
import { okAnswer, type Receiver, startReceiver } from "../../support/receivers.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LOOPBACK = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
const never = new AbortController().signal;
const statusOf = (outcome: Outcome) => "status" in outcome ? outcome.status : outcome.failed;

describe("messages by TLS", () => {
  let folder: string;
  let authority: TestAuthority;
  let ca: string;
  let receiver: Receiver;

  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    authority = await createAuthority(folder, "receivers");
    ca = await Deno.readTextFile(authority.caFile);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));
  afterEach(() => receiver.close());

  async function receiveAs(names: string): Promise<void> {
    receiver = startReceiver((request) => request.send(okAnswer()), {
      certificate: await authority.issue(names),
    });
  }

  async function post(options: { ca?: string; limitMs?: number }, host = "hooks.example"): Promise<Outcome> {
    const sender = createSender({ allowPrivate: true, resolve: LOOPBACK, ...options });
    const url = `https://${host}:${receiver.port}/`;
    try {
      const first = await sender.post({ url, headers: {}, body: "{}" }, never);
      if ("failed" in first) return first;
      return await sender.post({ url, headers: {}, body: "{}" }, never);
    } finally {
      sender.close();
    }
  }

  it("arrive where the certificate has the URL's name, over one connection", async () => {
    await receiveAs("DNS:hooks.example,IP:127.0.0.1");
    assertEquals(statusOf(await post({ ca })), 200);
    assertMatch(receiver.requests[0]?.text ?? "", /^host: hooks\.example:\d+\r$/im);
    assertEquals([receiver.requests.length, receiver.connections], [2, 1]);
    assertEquals(statusOf(await post({ ca }, "127.0.0.1")), 200);
  });

  it("are not sent to a certificate for another name, or for the address alone", async () => {
    for (const names of ["DNS:other.example", "IP:127.0.0.1", "DNS:*.hooks.example"]) {
      await receiveAs(names);
      const outcome = await post({ ca });
      assertEquals(statusOf(outcome), "tls", names);
      assertMatch(
        "message" in outcome ? outcome.message : "",
        /for other names.+\(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
      );
      assertEquals(receiver.requests.length, 0);
      receiver.close();
    }
  });

  it("are not sent to a certificate of an unknown authority", async () => {
    await receiveAs("DNS:hooks.example");
    const outcome = await post({});
    assert("failed" in outcome && outcome.failed === "tls", JSON.stringify(outcome));
    assertMatch(outcome.message, /unknown authority.+NODE_EXTRA_CA_CERTS/);
    assertEquals(receiver.requests.length, 0);
  });

  it("are not sent where no TLS is spoken, or its handshake does not end", async () => {
    receiver = startReceiver((request) => request.send(okAnswer()));
    const { port } = receiver;
    const plain = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("ok"));
    receiver.port = plain.addr.port;
    assertEquals(statusOf(await post({ ca })), "tls");
    await plain.shutdown();
    receiver.port = port;
    assertEquals(statusOf(await post({ ca, limitMs: 200 })), "timeout");
  });

  it("are held to this in a process of their own, whatever its environment asks for", async () => {
    await receiveAs("DNS:localhost");
    const url = `https://localhost:${receiver.port}/`;
    const nowhere = "http://127.0.0.1:1";
    const lax = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const throughProxy = { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: nowhere, https_proxy: nowhere };
    const trusting = { NODE_EXTRA_CA_CERTS: authority.caFile };
    for (const permissions of ["-P=service", "-A"]) {
      assertEquals(statusOf(await postInProcess(permissions, url, lax)), "tls");
      assertEquals(statusOf(await postInProcess(permissions, url, { ...trusting, ...throughProxy })), 200);
    }
  });
});

const outcomeSchema = z.union([
  z.object({ status: z.number(), tookMs: z.number(), answer: z.string(), retryAfterSeconds: z.null() }),
  z.object({ failed: z.enum(["tls", "connect", "dns", "reset"]), tookMs: z.number(), message: z.string() }),
]);

/** Sends a message in a process with these permissions. */
async function postInProcess(
  permissions: string,
  url: string,
  env: Record<string, string>,
): Promise<Outcome> {
  const args = ["run", "-q", "--no-prompt", permissions, "tests/support/post_once.ts", url];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return outcomeSchema.parse(JSON.parse(decoder.decode(stdout)));
}
