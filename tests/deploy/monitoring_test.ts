import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { startBackfill } from "../../src/runs/runs.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { openReadReplica } from "../../src/database/read_replica.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { changeEndpoint, createEndpoint } from "../../src/webhooks/endpoints.ts";
import { addressMessages } from "../../src/webhooks/queue.ts";
import { newId } from "../support/assignments.ts";
import { createCheckMetrics } from "../../src/operation/check_metrics.ts";
import { shareHealthChecks } from "../../src/operation/shared_health.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { createStateMetrics } from "../../src/operation/state_metrics.ts";
import { type TestService, testService } from "../http/test_service.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../deploy/${path}`, import.meta.url));
const alertsSchema = z.strictObject({
  groups: z.array(z.strictObject({
    name: z.string(),
    rules: z.array(z.strictObject({
      alert: z.string(),
      expr: z.string(),
      for: z.string().regex(/^\d+[mh]$/),
      labels: z.strictObject({ severity: z.enum(["critical", "warning", "info"]) }),
      annotations: z.strictObject({ summary: z.string(), description: z.string() }),
    })),
  })),
});
const dashboardSchema = z.looseObject({
  panels: z.array(z.looseObject({
    id: z.number(),
    title: z.string(),
    targets: z.array(z.looseObject({ expr: z.string() })).min(1),
  })),
});

describe("the files for monitoring", () => {
  let service: TestService;
  let served: Set<string>;
  beforeAll(async () => {
    service = await testService();
    const text = await (await service.call("GET /metrics", { as: "nobody" })).text();
    served = new Set(
      [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = "", type]) =>
        type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name]
      ),
    );
  });
  afterAll(() => service.stop());

  it("use only metrics that the service has", async () => {
    const asked = [...await alertExpressions(), ...await panelExpressions()].flatMap(metricNames);
    assert(asked.length > 20);
    assertEquals(asked.filter((name) => !served.has(name)), []);
  });

  it("show or watch every metric that the service has", async () => {
    const asked = new Set([...await alertExpressions(), ...await panelExpressions()].flatMap(metricNames));
    const unseen = [...served].filter((name) => !asked.has(name) && !/_(sum|count)$/.test(name));
    assertEquals(unseen, ["trainer_assignment_check_batch_members_bucket"]);
  });

  it("alert on everything that must not be overlooked", async () => {
    const { groups } = alertsSchema.parse(parseYaml(await read("prometheus/alerts.yaml")));
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    for (
      const needed of [
        ...["Away", "TriggerDisabled", "FailuresWaiting", "ReconciliationOverdue", "DatabaseAway"],
        ...["Degraded", "WebhookFailing", "WebhookBehind", "WebhookDisabled", "OutboxGaps"],
      ]
    ) {
      assert(names.includes(`TrainerAssignment${needed}`), needed);
    }
    assertEquals(new Set(names).size, names.length);
  });

  it("fire exactly when the database has that state", async () => {
    const { sql, database } = service;
    const pool = await database.newServicePool();
    const isRinging = async (alert: string) => {
      const checks = createCheckMetrics(shareHealthChecks({ sql: pool }));
      const text = `${await createStateMetrics(pool)()}\n${await checks.metrics()}`;
      return evaluate((await findRule(`TrainerAssignment${alert}`)).expr, text);
    };
    const around = async (alert: string, before: () => Promise<unknown>, after: () => Promise<unknown>) => {
      await before();
      assertEquals(await isRinging(alert), false, alert);
      await after();
      assertEquals(await isRinging(alert), true, alert);
    };
    const failedAgo = (minutes: number, sqlstate = "55P03") =>
      sql`
        insert into assignment.failures (member_id, sqlstate, message, source, first_failed_at)
        values (gen_random_uuid(), ${sqlstate}, 'a test', 'trigger', now() - ${minutes} * interval '1 minute')
      `;
    const reconciledAgo = (hours: number) =>
      sql`
        insert into assignment.reconciliations (slot, claimed_at)
        values (now(), now() - ${hours} * interval '1 hour')
        on conflict do nothing
      `;
    await failedAgo(6000, "TA011"); // a waiting list, which rings nothing
    await around("FailuresWaiting", () => failedAgo(9), () => failedAgo(11));
    await around("ReconciliationOverdue", () => reconciledAgo(25), async () => {
      await sql`delete from assignment.reconciliations`;
      await reconciledAgo(27);
    });
    const repaired = (seats: number) => sql`update assignment.reconciliations set repaired_seats = ${seats}`;
    await around("SeatsRepaired", () => repaired(0), () => repaired(3));
    await around("BackfillPaused", () => startBackfill(sql, { requestedBy: "ops" }), async () => {
      await sql`select assignment.change_backfill_status(id, 'paused', 'ops') from assignment.backfill_runs`;
    });
    const { id } = await createEndpoint(sql, {
      id: newId(),
      url: "https://crm.example.com",
      secret: "sealed",
      types: ["run.ended"],
    }, "ops");
    const failingFor = (minutes: number) =>
      sql`update assignment.webhook_endpoints set failing_since = now() - ${minutes} * interval '1 minute'`;
    await around("WebhookFailing", () => failingFor(59), () => failingFor(61));
    const waitingFor = (hours: number) =>
      sql`update assignment.outbox set at = now() - ${hours} * interval '1 hour'`;
    await sql`select assignment.send_test(${id}, 'ops')`;
    await addressMessages(sql);
    await around("WebhookBehind", () => waitingFor(5), () => waitingFor(7));
    await around(
      "WebhookDisabled",
      () => changeEndpoint(sql, id, { enabled: false }, "ops"),
      () => sql`update assignment.webhook_endpoints set disabled_because = 'gone'`,
    );
    await around("OutboxGaps", () => Promise.resolve(), async () => {
      await sql`insert into assignment.outbox_gaps (type, message) values ('run.ended', 'no room')`;
    });
    await around("TriggerDisabled", () => Promise.resolve(), async () => {
      await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    });
    await around("Degraded", () => Promise.resolve(), async () => {
      await sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    });
    await around("DatabaseAway", () => Promise.resolve(), () => pool.end());
    assertEquals(await isRinging("Away"), false);
    assertEquals(evaluate((await findRule("TrainerAssignmentAway")).expr, ""), true);
  });

  it("use labels that the series have", async () => {
    const calm = { size: 5, inUse: 0, waiting: 0, longestWaitMs: 0, refused: 0 };
    const replica = openReadReplica(service.database.url, {
      primary: service.sql,
      watch: service.sql,
      connections: 1,
      maxLagMs: 5000,
      log: silentLogger,
    });
    const metrics = createMetrics();
    const own = await testService({ pools: { api: () => calm }, replica, metrics });
    const { id } = await createEndpoint(own.sql, {
      id: newId(),
      url: "https://crm.example.com",
      secret: "sealed",
      types: ["run.ended"],
    }, "ops");
    metrics.countDeliveryAttempt(id, "delivered");
    await startBackfill(own.sql, { requestedBy: "ops" }); // whose series are there while it is
    await own.call("GET /v1/policy");
    const text = await (await own.call("GET /metrics", { as: "nobody" })).text();
    await own.stop();
    await replica.close();
    const asked = [...await alertExpressions(), ...await panelExpressions()].flatMap((expression) =>
      [...expression.matchAll(/by \(([\w, ]+)\) \((?:rate\()?(\w+)/g)].flatMap(([, labels = "", name = ""]) =>
        labels.split(", ").map((label) => ({ name, label }))
      )
    );
    assertGreater(asked.length, 10);
    const missing = asked.filter(({ name, label }) =>
      !text.split("\n").some((line) => line.startsWith(`${name}{`) && line.includes(`${label}="`))
    );
    assertEquals(missing, []);
  });

  it("hold what other programs measure too against a metric that is ours alone, not against a job's name", async () => {
    const shared = [...await alertExpressions(), ...await panelExpressions()].filter((expression) =>
      /\b(?:http|process)_/.test(expression)
    );
    assertGreater(shared.length, 6);
    for (const expression of shared) {
      const names = expression.match(/\b(?:http|process)_\w+/g) ?? [];
      const held = expression.match(/ and on \(job, instance\) trainer_assignment_database_up\b/g) ?? [];
      assertEquals(held.length, names.length, expression);
      assert(!/job=/.test(expression), expression);
    }
  });

  it("have a name for each alert in docs/operating.md", async () => {
    const guide = await Deno.readTextFile(new URL("../../docs/operating.md", import.meta.url));
    const { groups } = alertsSchema.parse(parseYaml(await read("prometheus/alerts.yaml")));
    for (const { alert } of groups.flatMap(({ rules }) => rules)) {
      assert(guide.includes(`\`${alert}\``), alert);
    }
    for (const name of served) {
      const plain = name.replace(/_(bucket|sum|count)$/, "");
      assert(guide.includes(`\`${plain}\``) || guide.includes(`\`${name}\``), name);
    }
  });

  it("number the panels of the dashboard once each", async () => {
    const { panels } = dashboardSchema.parse(JSON.parse(await read("grafana/trainer_assignment.json")));
    assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  });
});

async function findRule(alert: string) {
  const { groups } = alertsSchema.parse(parseYaml(await read("prometheus/alerts.yaml")));
  const rule = groups.flatMap(({ rules }) => rules).find((rule) => rule.alert === alert);
  assert(rule, alert);
  return rule;
}

/** Whether an expression holds of what was scraped; of several joined by `or`, the first one alone. */
function evaluate(expression: string, text: string): boolean {
  const [, wanted] = /^absent\((\w+)\)$/.exec(expression) ?? [];
  if (wanted !== undefined) return !text.split("\n").some((line) => line.startsWith(`${wanted} `));
  const [, minus, of, name, labels = "", operator, limit] =
    /^(time\(\) - )?(min|max)(?: by \(\w+\) )?\((\w+)(?:\{([^)]+)\})?\) (==|>) (\d+)/.exec(expression) ?? [];
  const [, label = "", others] = /^(\w+)!~"(.+)"$/.exec(labels) ?? [];
  const isMeant = (line: string) =>
    others === undefined ? line.includes(labels) : !new RegExp(`${label}="(?:${others})"`).test(line);
  const values = text.split("\n").filter((line) => line.split(/[{ ]/)[0] === name && isMeant(line))
    .map((line) => Number(line.split(" ")[1]));
  if (values.length === 0 || operator === undefined) throw new Error(`${expression} in ${text}`);
  const value = of === "min" ? Math.min(...values) : Math.max(...values);
  const found = minus === undefined ? value : Date.now() / 1000 - value;
  return operator === "==" ? found === Number(limit) : found > Number(limit);
}

async function alertExpressions(): Promise<string[]> {
  const { groups } = alertsSchema.parse(parseYaml(await read("prometheus/alerts.yaml")));
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

async function panelExpressions(): Promise<string[]> {
  const { panels } = dashboardSchema.parse(JSON.parse(await read("grafana/trainer_assignment.json")));
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** Ours all begin with one of these; functions and labels do not. */
function metricNames(expression: string): string[] {
  return expression.match(/\b(?:http_|process_|trainer_assignment_)\w+/g) ?? [];
}
