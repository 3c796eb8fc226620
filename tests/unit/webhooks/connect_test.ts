/** Which addresses a sender connects to, shown by who is connected to. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { ConnectOptions, ResolvedAddress } from "../../../src/webhooks/connect.ts";
import type { Outcome } from "../../../src/webhooks/outcome.ts";
import { createSender, type Sender } from "../../../src/webhooks/send.ts";
import { okAnswer, type ReceivedRequest, type Receiver, startReceiver } from "../../support/receivers.ts";

const never = new AbortController().signal;
const v4 = (address: string): ResolvedAddress => ({ address, family: 4 });
const v6 = (address: string): ResolvedAddress => ({ address, family: 6 });
const [HERE, THERE] = ["127.0.0.1", "127.0.0.2"];

describe("a sender's connections", () => {
  let started: { close(): void }[] = [];

  afterEach(() => {
    for (const each of started) each.close();
    started = [];
  });

  function receive(
    hostname: string,
    port = 0,
    answer = (request: ReceivedRequest): unknown => request.send(okAnswer()),
  ) {
    const receiver = startReceiver(answer, { hostname, port });
    started.push(receiver);
    return receiver;
  }

  function send(options: Partial<ConnectOptions>): Sender {
    const sender = createSender({ allowPrivate: true, ...options });
    started.push(sender);
    return sender;
  }

  const post = (sender: Sender, receiver: Receiver, host = "hooks.example") =>
    sender.post({ url: `http://${host}:${receiver.port}/`, headers: {}, body: "{}" }, never);

  const statusOf = (outcome: Outcome) => "status" in outcome ? outcome.status : outcome.failed;

  it("go to the address that was checked when the name leads elsewhere right after", async () => {
    const here = receive(HERE);
    const there = receive(THERE, here.port);
    const answers = [HERE, THERE, THERE];
    const asked: string[] = [];
    const sender = send({
      resolve: (name) => {
        asked.push(name);
        return Promise.resolve([v4(answers[asked.length - 1] ?? "")]);
      },
      isAllowedAddress: (address) => address === HERE,
    });
    assertEquals(statusOf(await post(sender, here)), 200);
    assertEquals([asked, here.connections, there.connections], [["hooks.example"], 1, 0]);
    // The connection is kept: nothing is resolved, and nothing new connected to.
    assertEquals(statusOf(await post(sender, here)), 200);
    assertEquals([asked.length, here.connections, there.connections], [1, 1, 0]);
    // It has ended: a new one is checked anew.
    for (const { close, ended } of here.requests) {
      close();
      await ended;
    }
    const outcome = await post(sender, here);
    assert("failed" in outcome && outcome.failed === "refused_address", JSON.stringify(outcome));
    assertStringIncludes(outcome.message, `hooks.example:${here.port} leads to ${THERE}`);
    assertEquals([asked.length, here.connections, there.connections], [2, 1, 0]);
  });

  it("are checked anew when a kept one is closed in the moment of use", async () => {
    const seen = new Set<unknown>();
    const here = receive(HERE, 0, (request) => {
      if (seen.has(request.ended)) request.close();
      else request.send(okAnswer());
      seen.add(request.ended);
    });
    const there = receive(THERE, here.port);
    const answers = [HERE, THERE];
    const sender = send({
      resolve: () => Promise.resolve([v4(answers.shift() ?? "")]),
      isAllowedAddress: (address) => address === HERE,
    });
    assertEquals(statusOf(await post(sender, here)), 200);
    assertEquals(statusOf(await post(sender, here)), "refused_address");
    assertEquals([here.connections, there.connections, answers], [1, 0, []]);
  });

  it("go nowhere when one of a name's addresses is refused", async () => {
    const here = receive(HERE);
    const private_ = [
      v4("10.0.0.1"),
      v4("169.254.169.254"),
      v6("::1"),
      v6("::ffff:127.0.0.1"),
      v6("64:ff9b::7f00:1"),
    ];
    for (const address of private_) {
      for (const addresses of [[address], [v4(HERE), address], [address, v4(HERE)]]) {
        const sender = createSender({
          allowPrivate: false,
          resolve: () => Promise.resolve(addresses),
          ...(addresses.length > 1 ? { isAllowedAddress: (each: string) => each === HERE } : {}),
        });
        const url = `https://hooks.example:${here.port}/`;
        const outcome = await sender.post({ url, headers: {}, body: "{}" }, never);
        assertEquals(statusOf(outcome), "refused_address");
        assert("message" in outcome && outcome.message.includes(`leads to ${address.address},`));
        sender.close();
      }
    }
    assertEquals(here.connections, 0);
  });

  it("go nowhere for a URL that is an odd spelling of this machine", async () => {
    const here = receive(HERE);
    const sender = send({ allowPrivate: false });
    for (
      const host of [
        HERE,
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "localhost",
        "app.localhost",
      ]
    ) {
      const outcome = await sender.post(
        { url: `https://${host}:${here.port}/`, headers: {}, body: "{}" },
        never,
      );
      assertEquals(statusOf(outcome), "refused_address", host);
    }
    assertEquals(
      statusOf(
        await send({ allowPrivate: false }).post(
          { url: `http://hooks.example:${here.port}/`, headers: {}, body: "{}" },
          never,
        ),
      ),
      "refused_address",
    );
    assertEquals(here.connections, 0);
  });

  it("go to the next address of a name when the first does not accept them", async () => {
    const there = receive(THERE);
    const sender = send({ resolve: () => Promise.resolve([v4(HERE), v4(THERE)]) });
    assertEquals(statusOf(await post(sender, there)), 200);
    const nobody = send({ resolve: () => Promise.resolve([v4(HERE), v4("127.0.0.3")]) });
    assertEquals(statusOf(await post(nobody, there)), "connect");
  });

  it("resolve names as the system does", async () => {
    const here = receive(HERE);
    assertEquals(statusOf(await post(send({}), here, "localhost")), 200);
    assertEquals(statusOf(await post(send({}), here, "no-such-name.invalid")), "dns");
  });

  it("are given up when a name does not resolve in time, also if it does later", async () => {
    const here = receive(HERE);
    const { promise, resolve } = Promise.withResolvers<ResolvedAddress[]>();
    const slow = createSender({ allowPrivate: true, resolve: () => promise, limitMs: 100 });
    started.push(slow);
    assertEquals(statusOf(await post(slow, here)), "timeout");
    resolve([v4(HERE)]);
    await promise;
    assertEquals(statusOf(await post(send({ resolve: () => Promise.resolve([v4(HERE)]) }), here)), 200);
    assertEquals(here.connections, 1);
  });

  it("say that a name has no address", async () => {
    const here = receive(HERE);
    assertEquals(statusOf(await post(send({ resolve: () => Promise.resolve([]) }), here)), "dns");
  });
});
