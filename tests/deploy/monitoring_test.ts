import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
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

  it("ask for metrics that the service has, alone", async () => {
    const asked = [...await alertExpressions(), ...await panelExpressions()].flatMap(metricNames);
    assert(asked.length > 20);
    assertEquals(asked.filter((name) => !served.has(name)), []);
  });

  it("show or watch every metric that the service has", async () => {
    const asked = new Set([...await alertExpressions(), ...await panelExpressions()].flatMap(metricNames));
    const unseen = [...served].filter((name) => !asked.has(name) && !/_(sum|count)$/.test(name));
    assertEquals(unseen, ["trainer_assignment_check_batch_members_bucket"]);
  });

  it("alert about what must not be overlooked", async () => {
    const { groups } = alertsSchema.parse(parseYaml(await read("prometheus/alerts.yaml")));
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    for (const needed of ["TriggerDisabled", "FailuresWaiting", "ReconciliationOverdue", "DatabaseAway"]) {
      assert(names.includes(`TrainerAssignment${needed}`), needed);
    }
    assertEquals(new Set(names).size, names.length);
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
