import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackfill, startTransfer } from "../../src/runs/runs.ts";
import { reconcile } from "../../src/runs/schedule.ts";
import { createCheckMetrics } from "../../src/operation/check_metrics.ts";
import { shareHealthChecks } from "../../src/operation/shared_health.ts";
import { createStateMetrics } from "../../src/operation/state_metrics.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { countingSql } from "../support/counting_sql.ts";
import { setCapacity } from "../support/policies.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

describe("metrics", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const scrape = async (of = service) => await (await of.call("GET /metrics", { as: "nobody" })).text();
  /** The value of a series, written as Prometheus does. */
  const valueOf = (text: string, series: string) =>
    text.split("\n").find((line) => line.startsWith(`${series} `))?.split(" ")[1];

  it("are served without a token, in the text format", async () => {
    const response = await service.call("GET /metrics", { as: "nobody" });
    assertEquals(response.status, 200);
    assertMatch(response.headers.get("Content-Type") ?? "", /^text\/plain; version=0\.0\.4/);
    assertMatch(
      await response.text(),
      /^# HELP http_requests_total .+\n# TYPE http_requests_total counter$/m,
    );
  });

  it("count requests by the route's template, role and status, and contain no id", async () => {
    const [member = ""] = await addMembers(service.sql, 1);
    await service.call(`GET /v1/members/${member}/assignment`, { as: "service" });
    await service.call(`GET /v1/members/${crypto.randomUUID()}/assignment`);
    await service.call("GET /v1/policy", { as: "service" });
    await service.call("GET /v1/policy", { as: "nobody" });
    const text = await scrape();
    const count = (labels: string) => valueOf(text, `http_requests_total{${labels}}`);
    const route = "/v1/members/:memberId/assignment";
    assertEquals([
      count(`method="GET",route="${route}",role="service",status="200"`),
      count(`method="GET",route="${route}",role="admin",status="404"`),
      count(`method="GET",route="/v1/policy",role="none",status="401"`),
      valueOf(text, `http_request_duration_seconds_count{route="${route}"}`),
    ], ["1", "1", "1", "2"]);
    assert(!text.includes(member));
  });

  it("count the admin's pages by their templates as well", async () => {
    const run = "/admin/trainer-assignment/runs/018f0000-0000-7000-8000-000000000001";
    for (const path of [run, `${run}/errors.csv`, "/admin/nothing"]) {
      const response = await service.app.request(path);
      await response.body?.cancel();
    }
    const series = (await scrape()).split("\n").filter((line) => line.startsWith("http_requests_total{"));
    const routes = series.flatMap((line) => /route="(\/admin[^"]*)"/.exec(line)?.[1] ?? []);
    assertEquals(routes, [
      "/admin/trainer-assignment/runs/:id",
      "/admin/trainer-assignment/runs/:id/errors.csv",
      "/admin/*",
    ]);
  });

  it("stay few, whatever is requested", async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => service.call(`GET /nothing/${index}`, { as: "nobody" })),
    );
    await service.app.request("/v1/policy", { method: "BREW" });
    const series = (await scrape()).split("\n").filter((line) => line.startsWith("http_requests_total{"));
    assert(series.length < 15, series.join("\n"));
    assert(series.some((line) => line.includes('method="other"')));
  });

  it("count the fast path of checks too, and its shared queries", async () => {
    const own = await testService();
    const [member] = await addMembers(own.sql, 1);
    const server = await serveOnSocket(own.app);
    for (let asked = 0; asked < 3; asked++) {
      const response = await fetch(`${server.url}/v1/members/${member}/assignment`, {
        headers: { Authorization: `Bearer ${TOKENS.service}` },
      });
      await response.body?.cancel();
    }
    const text = await scrape(own);
    await server.stop();
    await own.stop();
    const labels = 'method="GET",route="/v1/members/:memberId/assignment",role="service",status="200"';
    assertEquals(valueOf(text, `http_requests_total{${labels}}`), "3");
    assertEquals(valueOf(text, "trainer_assignment_check_batch_members_sum"), "3");
  });

  it("tell of trigger, failures, runs, connections and the last reconciliation", async () => {
    const { database, sql } = await testService();
    const pool = await database.newServicePool();
    const read = () => createStateMetrics(pool)();
    const calm = await read();
    assertEquals([
      valueOf(calm, "trainer_assignment_database_up"),
      valueOf(calm, "trainer_assignment_trigger_enabled"),
      valueOf(calm, 'trainer_assignment_failures_pending{reason="other"}'),
      valueOf(calm, "trainer_assignment_last_reconciliation_timestamp_seconds"),
      valueOf(calm, "trainer_assignment_repaired_seats"),
      valueOf(calm, 'trainer_assignment_backfill_runs{kind="backfill",status="running"}'),
    ], ["1", "1", "0", undefined, undefined, "0"]);
    assert(Number(valueOf(calm, 'trainer_assignment_database_connections{state="active"}')) >= 1);

    const [trainerId = ""] = await addMembers(sql, 1);
    await setCapacity(sql, trainerId, 3);
    await sql`delete from assignment.seats`;
    await reconcile(sql, new Date("2026-01-01T00:00:00Z"));
    await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await sql`
      insert into assignment.failures (member_id, sqlstate, message, source, first_failed_at)
      values
        (gen_random_uuid(), '55P03', 'locked', 'trigger', now() - interval '1 hour'),
        (gen_random_uuid(), 'TA011', 'no room', 'trigger', now() - interval '1 day'),
        (gen_random_uuid(), 'TA023', 'no seat here', 'trigger', now() - interval '1 minute')
    `;
    await sql`
      update assignment.backfill_lanes set successful = 4, already_assigned = 2, failed = 1
    `;
    const amiss = await read();
    assertEquals([
      valueOf(amiss, "trainer_assignment_trigger_enabled"),
      valueOf(amiss, 'trainer_assignment_failures_pending{reason="other"}'),
      valueOf(amiss, 'trainer_assignment_failures_pending{reason="no_room"}'),
      valueOf(amiss, "trainer_assignment_repaired_seats"),
      valueOf(amiss, 'trainer_assignment_backfill_runs{kind="backfill",status="running"}'),
      valueOf(
        amiss,
        `trainer_assignment_backfill_members{kind="backfill",trainer_id="${DEFAULT_TRAINER_ID}"}`,
      ),
    ], ["0", "2", "1", "3", "1", "7"]);
    assertEquals(
      ["successful", "skipped", "failed"].map((outcome) =>
        valueOf(
          amiss,
          `trainer_assignment_backfill_members_processed{kind="backfill",trainer_id="${DEFAULT_TRAINER_ID}",outcome="${outcome}"}`,
        )
      ),
      ["4", "2", "1"],
    );
    const oldest = (reason: string) =>
      Number(valueOf(amiss, `trainer_assignment_oldest_failure_age_seconds{reason="${reason}"}`));
    assert(oldest("other") >= 3600 && oldest("other") < 86_400);
    assert(oldest("no_room") >= 86_400);
    const reconciledAt = Number(valueOf(amiss, "trainer_assignment_last_reconciliation_timestamp_seconds"));
    assert(Math.abs(reconciledAt - Date.now() / 1000) < 60);
    await setCapacity(sql, DEFAULT_TRAINER_ID, 3);
    await startBackfill(sql, { requestedBy: "test" });
    await startTransfer(sql, {
      fromTrainerId: trainerId,
      trainerId: DEFAULT_TRAINER_ID,
      requestedBy: "test",
    });
    const withPolicy = await read();
    assertEquals([
      valueOf(withPolicy, 'trainer_assignment_backfill_runs{kind="transfer",status="running"}'),
      valueOf(withPolicy, `trainer_assignment_backfill_members{kind="transfer",trainer_id="${trainerId}"}`),
    ], ["1", "0"]);
    assertEquals(
      valueOf(withPolicy, 'trainer_assignment_backfill_members{kind="backfill",trainer_id="policy"}'),
      "2",
    );
    await database.drop();
  });

  it("say that the database is away, and nothing else about it", async () => {
    const own = await testService();
    await startBackfill(own.sql, { requestedBy: "ops" });
    const pool = await own.database.newServicePool();
    await pool.end();
    const text = await createStateMetrics(pool)();
    await own.stop();
    assertEquals(valueOf(text, "trainer_assignment_database_up"), "0");
    assertEquals(text.split("\n").filter((line) => /^trainer_assignment/.test(line)), [
      "trainer_assignment_database_up 0",
    ]);
  });

  it("say of each check of /readyz whether it is ok", async () => {
    const own = await testService();
    const checks = async () =>
      (await scrape(own)).split("\n").flatMap((line) =>
        /^trainer_assignment_check\{check="(\w+)"\} (.+)$/.exec(line)?.slice(1).join(" ") ?? []
      );
    await own.sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    const { checks: shown } = await (await own.call("GET /readyz", { as: "nobody" })).json();
    assertEquals(
      await checks(),
      Object.keys(shown).map((check) => `${check} ${check === "defaultTrainer" ? 0 : 1}`),
    );
    await own.stop();
  });

  it("say of the checks only that of the database while it is away", async () => {
    const own = await testService();
    const pool = await own.database.newServicePool();
    await pool.end();
    const text = await createCheckMetrics(shareHealthChecks({ sql: pool })).metrics();
    await own.stop();
    assertEquals(text.split("\n").filter((line) => /^trainer_assignment/.test(line)), [
      'trainer_assignment_check{check="database"} 0',
    ]);
  });

  it("take the checks from the last probe, for fifteen seconds", async () => {
    const own = await testService();
    let looks = 0;
    const checkHealth = shareHealthChecks({
      sql: await own.database.newServicePool(),
      pools: { api: () => ({ size: 5, inUse: 0, waiting: 0, longestWaitMs: 0, refused: looks++ }) },
    });
    const metrics = createCheckMetrics(checkHealth);
    await checkHealth();
    const looksOfProbe = looks;
    await metrics.metrics();
    await metrics.metrics();
    assertEquals(looks, looksOfProbe);
    await checkHealth(0);
    assertEquals(looks, looksOfProbe + 1);
    await own.stop();
  });

  it("ask the database once in five seconds, however many scrapers there are", async () => {
    const counting = countingSql(service.sql);
    const own = await testService({ sql: counting.sql });
    await own.call("GET /readyz", { as: "nobody" }); // whose checks the scrapes take
    const before = counting.queries();
    const began = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => scrape(own)));
    await scrape(own);
    assertLessOrEqual(counting.queries() - before, 1 + Math.floor((performance.now() - began) / 5000));
    await own.stop();
  });
});
