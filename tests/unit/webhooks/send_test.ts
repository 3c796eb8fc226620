/** One message to one receiver, over real sockets. */
import {
  assert,
  assertEquals,
  assertFalse,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { Answer, Failure, Outcome } from "../../../src/webhooks/outcome.ts";
import { createSender, type Sender } from "../../../src/webhooks/send.ts";
import { okAnswer, type ReceivedRequest, type Receiver, startReceiver } from "../../support/receivers.ts";

const LIMIT_MS = 400;
const never = new AbortController().signal;
const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

describe("a sender", () => {
  let receiver: Receiver;
  let sender: Sender;
  let started: { close(): void }[] = [];

  afterEach(() => {
    for (const each of started) each.close();
    started = [];
  });

  /** Starts a receiver that answers like this, and a sender. */
  function start(answer: (request: ReceivedRequest) => unknown, limitMs?: number): void {
    receiver = startReceiver(answer);
    sender = createSender({ allowPrivate: true, ...(limitMs === undefined ? {} : { limitMs }) });
    started.push(receiver, sender);
  }

  /** Sends one message to a receiver that answers like this. */
  async function postTo(answer: (request: ReceivedRequest) => unknown, limitMs?: number): Promise<Outcome> {
    start(answer, limitMs);
    return await post();
  }

  function post(signal = never, body = "{}"): Promise<Outcome> {
    const url = `http://127.0.0.1:${receiver.port}/hidden/path?token=hidden`;
    return sender.post({ url, headers: { "webhook-id": "msg_1" }, body }, signal);
  }

  function answerOf(outcome: Outcome): Answer {
    assert("status" in outcome, JSON.stringify(outcome));
    return outcome;
  }

  function failureOf(outcome: Outcome): Failure {
    assert("failed" in outcome, JSON.stringify(outcome));
    assertFalse(outcome.message.includes("hidden"), outcome.message);
    assertStringIncludes(outcome.message, `127.0.0.1:${receiver.port}`);
    return outcome;
  }

  it("posts the body as it is, with the headers given and those of JSON", async () => {
    start((request) => request.send(okAnswer("thanks")));
    const { tookMs, ...answer } = answerOf(await post(never, '{"name":"Zoë"}'));
    assertEquals(answer, { status: 200, answer: "thanks", retryAfterSeconds: null });
    assert(Number.isInteger(tookMs));
    const [head = "", body] = receiver.requests[0]?.text.split("\r\n\r\n") ?? [];
    assertEquals(body, '{"name":"Zoë"}');
    const [line, ...headers] = head.split("\r\n");
    assertEquals(line, "POST /hidden/path?token=hidden HTTP/1.1");
    assertEquals(headers.map((header) => header.toLowerCase()).sort(), [
      "connection: keep-alive",
      "content-length: 15",
      "content-type: application/json",
      `host: 127.0.0.1:${receiver.port}`,
      "user-agent: trainer-assignment",
      "webhook-id: msg_1",
    ]);
  });

  it("returns whatever status was answered, and follows no redirect", async () => {
    for (const status of [204, 301, 302, 303, 307, 308, 404, 410, 429, 500, 503]) {
      const location = () => `http://127.0.0.1:${receiver.port}/elsewhere`;
      const outcome = await postTo((request) =>
        request.send(
          `HTTP/1.1 ${status} X\r\nlocation: ${location()}\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n`,
        )
      );
      const { status: answered, retryAfterSeconds } = answerOf(outcome);
      assertEquals([answered, retryAfterSeconds, receiver.requests.length], [status, 7, 1]);
    }
  });

  it("keeps the first 2,000 characters, well-formed and without NUL", async () => {
    const answers: [sent: Uint8Array<ArrayBuffer>, kept: string][] = [
      [new TextEncoder().encode("é".repeat(3000)), "é".repeat(2000)],
      [new TextEncoder().encode(`${"a".repeat(1999)}🏋`), `${"a".repeat(1999)}\uFFFD`],
      [new TextEncoder().encode("a\0b\0"), "ab"],
      [Uint8Array.of(0x61, 0xff, 0xc3), "a\uFFFD\uFFFD"],
    ];
    for (const [sent, kept] of answers) {
      const outcome = await postTo(async (request) => {
        await request.send(`HTTP/1.1 200 OK\r\ncontent-length: ${sent.length}\r\n\r\n`);
        await request.send(sent);
      });
      assertEquals(answerOf(outcome).answer, kept);
    }
  });

  it("takes the status of an answer that never ends, and reads no more than its start", async () => {
    const { promise: gaveUpAt, resolve } = Promise.withResolvers<number>();
    const outcome = await postTo(async (request) => {
      await request.send(chunked);
      let sent = 0;
      while (await request.send(`10000\r\n${"y".repeat(65_536)}\r\n`)) sent += 65_536;
      resolve(sent);
    });
    assertEquals(answerOf(outcome).status, 200);
    assertEquals(answerOf(outcome).answer.length, 2000);
    assertLess(await gaveUpAt, 64 * 1024 * 1024); // what the kernel takes in between
  });

  const silent: [what: string, answer: (request: ReceivedRequest) => unknown][] = [
    ["does not answer", () => {}],
    ["drips its headers", async (request) => {
      await request.send("HTTP/1.1 200 OK\r\nx: ");
      await drip(request, "x");
    }],
    ["drips its body", async (request) => {
      await request.send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
      await drip(request, "x");
    }],
    ["drips chunks", async (request) => {
      await request.send(chunked);
      await drip(request, "1\r\nx\r\n");
    }],
    [
      "says again and again that an answer will come",
      (request) => drip(request, "HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
  ];
  for (const [what, answer] of silent) {
    it(`gives up in time on a receiver that ${what}, and closes the connection`, async () => {
      const { failed, tookMs, message } = failureOf(await postTo(answer, LIMIT_MS));
      assertEquals(failed, "timeout");
      assert(tookMs >= LIMIT_MS - 1 && tookMs < 10 * LIMIT_MS, String(tookMs));
      assertStringIncludes(message, "within 0.4 s");
      await receiver.requests[0]?.ended;
    });
  }

  const broken: [what: string, failed: string, answer: (request: ReceivedRequest) => unknown][] = [
    ["hangs up", "reset", (request) => request.close()],
    ["hangs up within its body", "reset", async (request) => {
      await request.send("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok");
      request.close();
    }],
    ["hangs up within a chunk", "reset", async (request) => {
      await request.send(`${chunked}5\r\nab`);
      request.close();
    }],
    [
      "switches to another protocol",
      "reset",
      (request) =>
        request.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    ],
    ["speaks another protocol", "malformed", (request) => request.send("SSH-2.0-server\r\n")],
    [
      "gives two lengths",
      "malformed",
      (request) => request.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"),
    ],
    ["sends headers without end", "too_large", async (request) => {
      await request.send("HTTP/1.1 200 OK\r\n");
      while (await request.send(`x: ${"y".repeat(60_000)}\r\n`));
    }],
  ];
  for (const [what, failed, answer] of broken) {
    it(`says ${failed} of a receiver that ${what}`, async () => {
      assertEquals(failureOf(await postTo(answer)).failed, failed);
    });
  }

  it("says connect of a port that nobody listens on", async () => {
    start(() => {});
    receiver.close();
    const { failed, message } = failureOf(await post());
    assertEquals(failed, "connect");
    assertStringIncludes(message, "ECONNREFUSED");
  });

  it("rejects with the signal's reason, before or while it waits, and closes the connection", async () => {
    const stop = new AbortController();
    start(() => stop.abort(new Error("the service stops")));
    await assertRejects(() => post(stop.signal), Error, "the service stops");
    await receiver.requests[0]?.ended;
    await assertRejects(() => post(stop.signal), Error, "the service stops");
    assertEquals(receiver.requests.length, 1);
  });

  it("uses one connection for messages one after the other", async () => {
    await postTo((request) => request.send(okAnswer()));
    for (let count = 0; count < 20; count++) assertEquals(answerOf(await post()).status, 200);
    assertEquals([receiver.requests.length, receiver.connections], [21, 1]);
  });

  it("delivers although the receiver closes a kept connection in that moment", async () => {
    const seen = new Set<ReceivedRequest["ended"]>();
    await postTo((request) => {
      if (seen.has(request.ended)) request.close(); // a second request on this connection
      else request.send(okAnswer());
      seen.add(request.ended);
    });
    assertEquals(answerOf(await post()).status, 200);
    assertEquals([receiver.requests.length, receiver.connections], [3, 2]);
  });
});

/** Sends text every 20 ms until the sender has gone. */
async function drip(request: ReceivedRequest, text: string): Promise<void> {
  while (await request.send(text)) await new Promise((resolve) => setTimeout(resolve, 20));
}
