/** WEBHOOK_KEY, and the key that a service with its own database keeps. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { createToken } from "../../src/commands/token.ts";
import { createKey } from "../../src/webhooks/key.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { projectItself, type RunningTask } from "../support/project.ts";
import { type OwnDatabase, ownDatabase, ready, withSql } from "./own_database.ts";

/** A receiver that verifies what it gets. */
function startReceiver() {
  let secret = "";
  let arrived = Promise.withResolvers<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    try {
      const message = new Webhook(secret).verify(
        await request.text(),
        Object.fromEntries(request.headers),
      ) as { data: { assignments: { memberId: string }[] } };
      arrived.resolve(message.data.assignments[0]?.memberId ?? "");
    } catch (error) {
      arrived.reject(error);
    }
    return new Response();
  });
  return {
    /** Creates a webhook that leads here. */
    async register(address: string, token: string): Promise<void> {
      const response = await fetch(`${address}/v1/webhooks`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({
          url: `http://127.0.0.1:${server.addr.port}/`,
          types: ["assignments.created"],
        }),
      });
      assertEquals(response.status, 201);
      secret = (await response.json()).secret;
    },
    /** Returns the member of the next message. */
    async next(): Promise<string> {
      const memberId = await arrived.promise;
      arrived = Promise.withResolvers();
      return memberId;
    },
    stop: () => server.shutdown(),
  };
}

async function signUp(databaseUrl: string): Promise<string> {
  const memberId = crypto.randomUUID();
  await withSql(databaseUrl, (sql) => sql`insert into public.members (id) values (${memberId})`);
  return memberId;
}

describe("WEBHOOK_KEY", () => {
  const project = projectItself();
  const { secret: token, sha256 } = createToken();
  let database: TestDatabase;
  let receiver: ReturnType<typeof startReceiver>;
  let running: RunningTask | undefined;
  beforeEach(async () => {
    database = await testDatabase();
    receiver = startReceiver();
  });
  afterEach(async () => {
    running?.kill("SIGKILL");
    await running?.ended;
    await receiver.stop();
    await database.drop();
  });

  async function startWith(keys: string): Promise<{ service: RunningTask; address: string }> {
    const service = project.spawn("start", {
      DATABASE_URL: database.url,
      ADMIN_TOKENS: `ci=${sha256.toHex()}`,
      WEBHOOK_KEY: keys,
      WEBHOOK_ALLOW_PRIVATE: "true",
    });
    running = service;
    const [, address = ""] = await service.line(/"address":"(http[^"]+)"/);
    return { service, address };
  }

  it("is replaced without losing a webhook: before the former one, then alone", async () => {
    const [former, key] = [createKey(), createKey()];
    const first = await startWith(former);
    await receiver.register(first.address, token);
    assertEquals(await signUp(database.url), await receiver.next());
    first.service.kill("SIGTERM");
    await first.service.ended;

    const both = await startWith(`${key},${former}`);
    await both.service.line(/"event":"webhook_secrets_resealed","secrets":1/);
    assertEquals(await signUp(database.url), await receiver.next());
    both.service.kill("SIGTERM");
    await both.service.ended;

    await startWith(key);
    assertEquals(await signUp(database.url), await receiver.next());
  });

  it("that is lost is told of at the start, with what to do, and what it sealed waits", async () => {
    const first = await startWith(createKey());
    await receiver.register(first.address, token);
    first.service.kill("SIGTERM");
    await first.service.ended;

    const { service } = await startWith(createKey());
    const [line] = await service.line(/.*"event":"webhook_secret_unreadable".*/);
    assertMatch(JSON.parse(line).reason, /WEBHOOK_KEY lacks a key, .+ give the webhook a new secret/);
  });
});

describe("a service with its own database", () => {
  let own: OwnDatabase;
  let receiver: ReturnType<typeof startReceiver>;
  beforeAll(async () => {
    own = await ownDatabase();
    receiver = startReceiver();
  });
  afterEach(() => own.reset());
  afterAll(async () => {
    await receiver.stop();
    await own.remove();
  });

  it("makes a key for webhooks, and keeps it beside the data, from other accounts", async () => {
    const settings = { WEBHOOK_ALLOW_PRIVATE: "true" };
    const task = own.start(settings);
    const first = await ready(task);
    await receiver.register(first.address, first.token);
    task.kill("SIGTERM");
    await task.ended;

    const { databaseUrl } = await ready(own.start(settings));
    assertEquals(await signUp(databaseUrl), await receiver.next());
    const { mode } = await Deno.stat(join(own.project.folder, ".data/webhook_key"));
    assertEquals((mode ?? 0) & 0o777, 0o600);
  });

  it("goes on with its webhooks under a key that is configured later", async () => {
    const task = own.start({ WEBHOOK_ALLOW_PRIVATE: "true" });
    const first = await ready(task);
    await receiver.register(first.address, first.token);
    task.kill("SIGTERM");
    await task.ended;

    const { databaseUrl } = await ready(
      own.start({ WEBHOOK_ALLOW_PRIVATE: "true", WEBHOOK_KEY: createKey() }),
    );
    assertEquals(await signUp(databaseUrl), await receiver.next());
  });
});
