import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { getRun } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("the log of changes", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  /** Makes a change, and returns its answer and what was logged of it. */
  async function change(request: string, json?: unknown) {
    const requestId = crypto.randomUUID();
    const response = await service.call(request, {
      headers: {
        "X-Request-Id": requestId,
        ...(request.startsWith("PUT /v1/policy") && { "If-Match": "*" }),
      },
      ...(json === undefined ? {} : { json }),
    });
    const answer = response.status === 204 ? null : await response.json();
    const events = service.logged.filter((line) => line.requestId === requestId && line.event !== undefined)
      .map(({ time: _time, requestId: _requestId, ...event }): Record<string, unknown> => event);
    return { answer, events };
  }

  const by = { level: "info", actor: "ops" };

  it("names each step of steering a run, with who and which run", async () => {
    const { sql } = service;
    await addUnseenMembers(sql, 1);
    await refuseAssignments(sql, "true");
    const { answer: { id: runId }, events } = await change("POST /v1/backfills", {});
    assertEquals(events, [{ ...by, event: "backfill_start_requested", runId }]);
    for (const verb of ["pause", "resume"]) {
      const { events } = await change(`POST /v1/backfills/${runId}/${verb}`);
      assertEquals(events, [{ ...by, event: `backfill_${verb}_requested`, runId }]);
    }
    assertEquals((await driveToEnd(sql, await getRun(sql, runId))).failed, 1);
    const retry = await change(`POST /v1/backfills/${runId}/retry`);
    const retryId = retry.answer.id;
    assertEquals(retry.events, [{
      ...by,
      event: "backfill_retry_requested",
      runId: retryId,
      retryOf: runId,
    }]);
    const cancel = await change(`POST /v1/backfills/${retryId}/cancel`);
    assertEquals(cancel.events, [{ ...by, event: "backfill_cancel_requested", runId: retryId }]);
    await acceptAssignments(sql);
  });

  it("names what was changed by hand, with who and whom", async () => {
    const [memberId = ""] = await addMembers(service.sql, 1);
    const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`;
    const whom = { memberId, trainerId: DEFAULT_TRAINER_ID };
    assertEquals((await change(`DELETE ${path}`)).events, [{ ...by, event: "assignment_ended", ...whom }]);
    assertEquals((await change(`PUT ${path}`, {})).events, [{ ...by, event: "client_assigned", ...whom }]);
    assertEquals((await change(`PUT ${path}`, {})).events, [], "it stood already");
    const policy = { defaultTrainerId: memberId };
    assertEquals((await change("PUT /v1/policy", policy)).events, [
      { ...by, event: "policy_changed", version: 2 },
    ]);
    assertEquals((await change("PUT /v1/policy", policy)).events, [], "it was in force already");
  });

  it("has no line for refused changes", async () => {
    const { events } = await change("PUT /v1/policy", { defaultTrainerId: crypto.randomUUID() });
    assertEquals(events, []);
  });
});
