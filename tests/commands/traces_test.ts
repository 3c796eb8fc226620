/** What a running service sends to an OpenTelemetry collector, with OTEL_DENO=true and nothing else installed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { hash } from "node:crypto";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/collector.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { withoutTrigger } from "../support/members.ts";
import { projectItself, type RunningTask } from "../support/project.ts";
import { waitUntil } from "../support/wait_until.ts";

const TOKEN = "token-of-the-test";
const CHECK = "GET /v1/members/:memberId/assignment";

interface Running {
  task: RunningTask;
  url: string;
}

describe("the spans of a running service", () => {
  let collector: Collector;
  let database: TestDatabase;
  let service: Running;
  const services: RunningTask[] = [];
  beforeAll(async () => {
    collector = startCollector();
    database = await testDatabase();
    service = await start({ LOG_LEVEL: "debug" });
  });
  afterAll(async () => {
    for (const service of services) service.kill("SIGKILL");
    await Promise.all(services.map(({ ended }) => ended));
    await collector.stop();
    await database.drop();
  });

  async function start(environment: Record<string, string> = {}): Promise<Running> {
    const task = projectItself().spawn("start", {
      DATABASE_URL: database.url,
      ADMIN_TOKENS: `ops=${hash("sha256", TOKEN, "hex")}`,
      ...collector.environment,
      ...environment,
    });
    services.push(task);
    const [, url = ""] = await task.line(/"address":"(http[^"]+)"/);
    return { task, url };
  }

  /** Asks in a trace of the caller's; returns that trace's id, and the answer. */
  async function ask(url: string, request: string, json?: unknown) {
    const traceId = crypto.randomUUID().replaceAll("-", "");
    const [method = "", path = ""] = request.split(" ");
    const response = await fetch(url + path, {
      method,
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return { traceId, answer: await response.json() };
  }

  /** Waits until a span has come. */
  async function find(what: string, is: (span: CollectedSpan) => boolean): Promise<CollectedSpan> {
    await waitUntil(what, () => collector.spans().some(is));
    const [span] = collector.spans().filter(is);
    assert(span);
    return span;
  }

  const findRequest = (traceId: string) =>
    find(
      `the request's span of ${traceId}`,
      (span) => span.traceId === traceId && "http.route" in span.attributes,
    );

  /** Those below a span, at whatever depth. */
  function below({ spanId }: CollectedSpan): CollectedSpan[] {
    return collector.spans().filter(({ parentSpanId }) => parentSpanId === spanId)
      .flatMap((child) => [child, ...below(child)]);
  }

  it("name a request by its route's template, with its statements below it", async () => {
    const { url, task } = service;
    const { traceId } = await ask(url, `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`);
    const request = await findRequest(traceId);
    assertEquals([request.name, request.parentSpanId], [
      "GET /v1/trainers/:trainerId/clients",
      "00f067aa0ba902b7",
    ]);
    assertEquals(request.attributes["enduser.id"], "ops");
    const statement = below(request).find(({ name }) => name === "select public.trainer_client_assignments");
    assertEquals(statement?.parentSpanId, request.spanId);
    assertMatch(
      String(statement?.attributes["db.query.text"]),
      /where \(trainer_id, status\) >= \(\(select \$/,
    );
    const [, line = ""] = await task.line(new RegExp(`(.*"traceId":"${traceId}".*)`));
    assertEquals(JSON.parse(line).spanId, request.spanId);
  });

  it("have a transaction's statements below it", async () => {
    const { url } = service;
    const member = newId();
    await database.sql`insert into public.members (id, email) values (${member}, 'one@example.com')`;
    const signedIn = await fetch(`${url}/admin/login`, {
      method: "POST",
      redirect: "manual",
      headers: { Origin: url },
      body: new URLSearchParams({ token: TOKEN }),
    });
    await signedIn.body?.cancel();
    const page = await fetch(`${url}/admin/trainer-assignment/members?q=one@example.com`, {
      headers: { Cookie: signedIn.headers.get("set-cookie")?.split(";")[0] ?? "" },
    });
    assert((await page.text()).includes(member));

    const transaction = await find("a transaction", ({ name }) => name === "transaction");
    const request = await find("its request", ({ spanId }) => spanId === transaction.parentSpanId);
    assertEquals(request.name, "GET /admin/trainer-assignment/members");
    assertEquals(
      new Set(below(transaction).map(({ name }) => name)),
      new Set(["select", "select public.members"]),
    );
    assert(below(transaction).every(({ parentSpanId }) => parentSpanId === transaction.spanId));
  });

  it("link a query that checks share with each of their requests", async () => {
    const { url } = service;
    const path = `GET /v1/members/${DEFAULT_TRAINER_ID}/assignment`;
    let shared: CollectedSpan | undefined;
    await waitUntil("checks share a query", async () => {
      await Promise.all(Array.from({ length: 20 }, () => ask(url, path)));
      shared = collector.spans().find(({ name }) => name === "batched checks");
      return shared !== undefined;
    });
    assert(shared);
    const { traceId, spanId, parentSpanId, links, attributes } = shared;
    assertEquals([parentSpanId, links.length], ["", attributes["trainer_assignment.sharers"]]);
    assertEquals(below(shared).map(({ name }) => name), ["select public.members"]);
    for (const link of links) {
      const request = await find("a request that shared it", (span) => span.spanId === link.spanId);
      assertEquals([request.name, request.traceId], [CHECK, link.traceId]);
      assertEquals(request.links, [{ traceId, spanId }]);
    }
  });

  it("link the steps of a run to the requests that started and resumed it, on any replica", async () => {
    await withoutTrigger(
      database.sql,
      (transaction) =>
        transaction`insert into public.members (id) select gen_random_uuid() from generate_series(1, 300)`,
    );
    const started = await ask(service.url, "POST /v1/backfills", { batchRows: 1 });
    const runId = String(started.answer.id);
    await ask(service.url, `POST /v1/backfills/${runId}/pause`);
    service.task.kill("SIGTERM");
    await service.task.ended;

    const second = await start();
    const resumed = await ask(second.url, `POST /v1/backfills/${runId}/resume`);
    await second.task.line(/"event":"backfill_finished"/);
    const last = await find(
      "the run's last step",
      ({ name, attributes }) =>
        name === "backfill step" && attributes["trainer_assignment.step.work"] === "finished",
    );
    assertEquals(last.attributes["trainer_assignment.run_id"], runId);
    const requests = [await findRequest(started.traceId), await findRequest(resumed.traceId)];
    assertEquals(last.links, requests.map(({ traceId, spanId }) => ({ traceId, spanId })));
    assertEquals(last.parentSpanId, "", "the request is over long before the run");
    assertEquals(below(last).map(({ name }) => name), ["select assignment.backfill_step"]);
  });

  it("link the steps of a scheduled run to its reconciliation", async () => {
    const { task } = await start({ RECONCILE_CRON: "* * * * * *" });
    const [, runId = ""] = await task.line(/"event":"reconciliation_started","runId":"([^"]+)"/);
    const step = await find(
      "a step of its run",
      ({ name, attributes }) => name === "backfill step" && attributes["trainer_assignment.run_id"] === runId,
    );
    const [link] = step.links;
    const { name } = await find("what started it", ({ spanId }) => spanId === link?.spanId);
    assertEquals(name, "reconciliation");
  });
});
