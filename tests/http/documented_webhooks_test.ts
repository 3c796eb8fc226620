/** What docs/webhooks.md says of events out, held against the service: messages, receivers, retries, fetching. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createOutageLog } from "../../src/database/outage_log.ts";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { backfillExistingUsers, DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { MESSAGE_TYPES } from "../../src/webhooks/endpoints.ts";
import { MAX_ATTEMPTS, nextAttemptAt } from "../../src/webhooks/retry.ts";
import { createSender } from "../../src/webhooks/send.ts";
import { createSecret, signMessage } from "../../src/webhooks/sign.ts";
import { deliverMessages } from "../../src/webhooks/worker.ts";
import { isListening, requireProgram } from "../support/debian_program.ts";
import { withoutTrigger } from "../support/members.ts";
import { findOnPath } from "../support/programs_on_path.ts";
import { waitUntil } from "../support/wait_until.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const page = await Deno.readTextFile(join(ROOT, "docs/webhooks.md"));

/** The blocks of the page that begin with such a line. */
function blocksOf(info: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${info}\n([^]+?)^\`\`\``, "gm"))].map(([, text = ""]) => text);
}

describe("the messages of docs/webhooks.md", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  async function put(request: string, json: unknown, headers = {}): Promise<void> {
    const response = await service.call(request, { json, headers });
    const text = await response.text();
    assert(response.ok, text);
  }

  /** Without what differs from one to the next: ids and times. */
  function withoutChance(message: unknown): unknown {
    return JSON.parse(
      JSON.stringify(message)
        .replace(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"id"')
        .replace(/"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"/g, '"time"'),
    );
  }

  it("are those that the service makes, one of each type", async () => {
    await put("POST /v1/webhooks", { url: null, types: MESSAGE_TYPES });
    const [memberId] = await addMembers(service.sql, 1);
    await service.call(`DELETE /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`);
    await withoutTrigger(
      service.sql,
      (transaction) => transaction`insert into public.members (id) values (gen_random_uuid())`,
    );
    await backfillExistingUsers(service.sql, { requestedBy: "ops" });
    const policy = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: true, rules: [] };
    await put("PUT /v1/policy?comment=A%20rule%20for%20the%20north", policy, { "If-Match": "*" });
    await service.sql`
      alter table public.trainer_client_assignments add constraint none_more check (status <> 'active') not valid
    `;
    await addMembers(service.sql, 1);

    const { events } = await (await service.call("GET /v1/events")).json();
    const made = new Map<string, unknown>();
    for (const { id: _, ...message } of events) {
      if (!made.has(message.type)) made.set(message.type, withoutChance(message));
    }
    const shown = blocksOf("json message").map((text) => withoutChance(JSON.parse(text)));
    assertEquals(shown, MESSAGE_TYPES.map((type) => made.get(type)));
  });

  it("are tried again when the page says", () => {
    const section = page.split("### Retries")[1]?.split("###")[0] ?? "";
    const units = { s: 1, min: 60, h: 3600 };
    const shown = [...section.matchAll(/^\| (\d+) +\| (\d+) (s|min|h) /gm)].map((
      [, attempt, count, unit],
    ) => ({
      attempt: Number(attempt),
      seconds: Number(count) * units[unit as keyof typeof units],
    }));
    const start = new Date(0);
    const refused = { status: 500, tookMs: 1, answer: "", retryAfterSeconds: null };
    const made = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, index) => ({
      attempt: index + 2,
      seconds: (nextAttemptAt(index + 1, refused, start, () => 0)?.getTime() ?? 0) / 1000,
    }));
    assertEquals(shown, made);
  });
});

const RECEIVERS = [
  {
    language: "ts",
    file: "receiver.ts",
    async command() {
      const args = ["run", "-A", "--check", `--config=${join(ROOT, "deno.json")}`];
      return await Promise.resolve({ program: Deno.execPath(), args });
    },
  },
  {
    language: "python",
    file: "receiver.py",
    async command() {
      const found = await findOnPath("python3").catch(() => null);
      if (found === null) await requireProgram("/usr/bin/python3", "python3");
      return { program: found ?? "/usr/bin/python3", args: [] };
    },
  },
];

describe("the receivers of docs/webhooks.md", () => {
  it("have at most 20 lines each", () => {
    for (const { language } of RECEIVERS) {
      const [program = ""] = blocksOf(`${language} receiver`);
      const lines = program.split("\n").filter((line) => line.trim() !== "");
      assert(lines.length > 10 && lines.length <= 20, `${language}: ${lines.length} lines`);
    }
  });
});

for (const { language, file, command } of RECEIVERS) {
  describe(`the receiver in ${language} of docs/webhooks.md`, () => {
    let service: TestService;
    let folder: string;
    let url: string;
    let secret: string;
    let webhookId: string;
    let child: Deno.ChildProcess;
    let stopDelivery: () => Promise<void>;
    const keys = [crypto.getRandomValues(new Uint8Array(32))];

    beforeEach(async () => {
      service = await testService({ webhooks: { keys, allowPrivate: true } });
      folder = await Deno.makeTempDir({ prefix: "trainer-assignment-receiver-" });
      await Deno.writeTextFile(join(folder, file), blocksOf(`${language} receiver`)[0] ?? "");
      const port = findFreePort();
      url = `http://127.0.0.1:${port}/hooks`;
      const created = await service.call("POST /v1/webhooks", {
        json: { url, types: ["assignments.created"] },
      });
      ({ secret, id: webhookId } = await created.json());

      const { program, args } = await command();
      child = new Deno.Command(program, {
        args: [...args, file],
        cwd: folder,
        env: { WEBHOOK_SECRET: secret, PORT: String(port) },
        stdout: "null",
        stderr: "null",
      }).spawn();
      await isListening(port, child, file);

      const stopping = new AbortController();
      const sender = createSender({ allowPrivate: true });
      const work = deliverMessages(await service.database.newServicePool(), {
        keys,
        sender,
        log: silentLogger,
        outageLog: createOutageLog(silentLogger),
        signal: stopping.signal,
      });
      stopDelivery = async () => {
        stopping.abort();
        await work;
        sender.close();
      };
    });
    afterEach(async () => {
      await stopDelivery();
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
      await service.stop();
    });

    /** The members of the messages that it stored. */
    function readInbox(): string[] {
      const inbox = new DatabaseSync(join(folder, "inbox.db"), { readOnly: true });
      const rows = inbox.prepare("select body from messages").all();
      inbox.close();
      return rows.flatMap(({ body }) =>
        JSON.parse(String(body)).data.assignments.map(({ memberId }: { memberId: string }) => memberId)
      ).toSorted();
    }

    async function readWebhook(): Promise<{ pending: number; failed: number; failingSince: string | null }> {
      return await (await service.call(`GET /v1/webhooks/${webhookId}`)).json();
    }

    it("stores each message once, also one that is sent again, and refuses what is forged, unsigned or old", async () => {
      const ids = (await Promise.all(Array.from({ length: 40 }, () => addMembers(service.sql, 1)))).flat();
      const isDone = async () => readInbox().length >= 40 && (await readWebhook()).pending === 0;
      await waitUntil("all messages are delivered", isDone);
      assertEquals(readInbox(), ids.toSorted());
      assertEquals((await readWebhook()).failingSince, null);

      const { deliveries } = await (await service.call(`GET /v1/webhooks/${webhookId}/deliveries?limit=1`))
        .json();
      const [{ messageId }] = deliveries;
      await service.call(`POST /v1/webhooks/${webhookId}/deliveries/${messageId}/redeliver`);
      const path = `GET /v1/webhooks/${webhookId}/deliveries/${messageId}`;
      await waitUntil("it is delivered again", async () => {
        const { status, lastStatus } = await (await service.call(path)).json();
        return status === "delivered" && lastStatus === 204;
      });
      assertEquals(readInbox(), ids.toSorted());

      const body = '{"data": {"assignments": []}}';
      const sign = (by: string, sentAt: Date) => signMessage({ id: "replayed", body }, [by], sentAt);
      const refused = [
        {},
        sign(createSecret(), new Date()),
        sign(secret, new Date(Date.now() - 600_000)),
      ];
      for (const headers of refused) {
        const response = await fetch(url, { method: "POST", headers: { ...headers }, body });
        await response.body?.cancel();
        assertEquals(response.status, 401);
      }
      assertEquals(readInbox().length, 40);
    });
  });
}
