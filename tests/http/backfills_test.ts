import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { getRun } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const NO_RUN = "00000000-0000-0000-0000-00000000dead";

describe("backfills over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const start = async (json: Record<string, unknown> = {}) => {
    const response = await service.call("POST /v1/backfills", { json });
    const run = await response.json();
    assertEquals(
      [response.status, response.headers.get("Location")],
      [202, `/v1/backfills/${run.id}`],
      JSON.stringify(run),
    );
    return run;
  };
  const finish = async (id: string) => await driveToEnd(service.sql, await getRun(service.sql, id));
  const read = async (id: string) => await (await service.call(`GET /v1/backfills/${id}`)).json();

  beforeEach(async () => {
    const { runs } = await (await service.call("GET /v1/backfills")).json();
    for (const { id, finishedAt } of runs) {
      if (finishedAt === null) await service.call(`POST /v1/backfills/${id}/cancel`);
    }
  });

  it("start, and are read until they have assigned everybody", async () => {
    await addUnseenMembers(service.sql, 30);
    const started = await start();
    assertEquals([started.status, started.requestedBy, started.trainerId], [
      "running",
      "ops",
      DEFAULT_TRAINER_ID,
    ]);

    await finish(started.id);

    const run = await read(started.id);
    assertEquals([run.status, run.total, run.processed, run.successful, run.failed, run.remaining], [
      "succeeded",
      31,
      31,
      30,
      0,
      0,
    ]);
    assertMatch(run.finishedAt, /Z$/);
  });

  it("start without a body", async () => {
    const response = await service.call("POST /v1/backfills");
    assertEquals([response.status, (await response.json()).status], [202, "running"]);
  });

  it("start for another trainer, as a dry run, with a given batch size", async () => {
    const [trainer = ""] = await addMembers(service.sql, 1);
    const run = await start({ trainerId: trainer, dryRun: true, batchRows: 7 });
    assertEquals([run.trainerId, run.dryRun, run.batchRows], [trainer, true, 7]);
    await service.call(`POST /v1/backfills/${run.id}/cancel`);
  });

  it("start to reassign by the policy, and not together with a trainer", async () => {
    const run = await start({ reassign: true });
    assertEquals([run.reassign, run.trainerId, run.policyVersion], [true, null, 1]);
    const json = { reassign: true, trainerId: DEFAULT_TRAINER_ID };
    const response = await service.call("POST /v1/backfills", { json });
    const { code, errors } = await response.json();
    assertEquals([response.status, code, errors[0].pointer], [400, "invalid_request", "/body/reassign"]);
  });

  it("start once per trainer: the second caller is shown the active run", async () => {
    const active = await start();
    const response = await service.call("POST /v1/backfills");
    assertEquals([response.status, response.headers.get("Location")], [409, `/v1/backfills/${active.id}`]);
    const { code, runId } = await response.json();
    assertEquals({ code, runId }, { code: "backfill_active", runId: active.id });
  });

  it("do not start for a trainer who is not a member", async () => {
    const response = await service.call("POST /v1/backfills", { json: { trainerId: NO_RUN } });
    assertEquals([response.status, (await response.json()).code], [422, "trainer_not_found"]);
  });

  it("answer 404 for an unknown run", async () => {
    const requests = ["", "/errors", "/events"].map((path) => `GET /v1/backfills/${NO_RUN}${path}`)
      .concat(["pause", "resume", "cancel", "retry"].map((verb) => `POST /v1/backfills/${NO_RUN}/${verb}`));
    for (const request of requests) {
      const response = await service.call(request);
      assertEquals([response.status, (await response.json()).code], [404, "run_not_found"], request);
    }
  });

  it("pause, resume and cancel, recording who did it, or answer 409", async () => {
    const { id } = await start();
    const steer = async (verb: string) => {
      const response = await service.call(`POST /v1/backfills/${id}/${verb}`);
      const { status, code } = await response.json();
      return `${response.status} ${code ?? status}`;
    };
    assertEquals(await steer("resume"), "409 invalid_transition");
    assertEquals(await steer("pause"), "200 paused");
    assertEquals(await steer("pause"), "409 invalid_transition");
    assertEquals(await steer("resume"), "200 running");
    assertEquals(await steer("retry"), "409 invalid_transition");
    assertEquals(await steer("cancel"), "200 cancelled");
    assertEquals(await steer("cancel"), "409 invalid_transition");
    assertEquals(await steer("resume"), "409 invalid_transition");

    const { history } = await read(id);
    const changes = history.map(({ actor, from, to }: Record<string, string>) => `${actor}: ${from} → ${to}`);
    assertEquals(changes, [
      "ops: null → running",
      "ops: running → paused",
      "ops: paused → running",
      "ops: running → cancelled",
    ]);
  });

  it("report the members that they failed to assign, and retry only those", async () => {
    await addUnseenMembers(service.sql, 26);
    await refuseAssignments(service.sql, "true", "23514");
    const { id } = await start();
    await finish(id);
    const failed = await read(id);
    assertEquals([failed.status, failed.failed, failed.errors.length], ["completed_with_errors", 26, 20]);
    assertEquals(failed.errors[0].code, "23514");

    const first = await (await service.call(`GET /v1/backfills/${id}/errors?limit=20`)).json();
    const second = await (await service.call(`GET /v1/backfills/${id}/errors?limit=20&cursor=${first.next}`))
      .json();
    assertEquals(first.runId, id);
    assertEquals(first.errors, failed.errors);
    assertEquals([second.errors.length, second.next], [6, null]);
    const csv =
      await (await service.call(`GET /v1/backfills/${id}/errors`, { headers: { Accept: "text/csv" } }))
        .text();
    assertEquals(csv.split("\r\n")[0], "memberId,code,message");
    assertEquals(csv.split("\r\n").length, 1 + 26 + 1);

    await acceptAssignments(service.sql);
    const response = await service.call(`POST /v1/backfills/${id}/retry`);
    const retry = await response.json();
    assertEquals([response.status, response.headers.get("Location")], [202, `/v1/backfills/${retry.id}`]);
    assertEquals([retry.retryOf, retry.total], [id, 26]);
    await finish(retry.id);
    assertEquals((await read(retry.id)).status, "succeeded");
  });

  it("are listed newest first, in pages", async () => {
    const listed: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: { runs: { id: string }[]; next: string | null } = await (
        await service.call(`GET /v1/backfills?limit=2${next === "" ? "" : `&cursor=${next}`}`)
      ).json();
      listed.push(...page.runs.map(({ id }) => id));
      next = page.next;
    }
    assertEquals(listed.length > 4, true);
    assertEquals(listed, listed.toSorted().toReversed());
  });
});
