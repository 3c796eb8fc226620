/** What a running service writes to its log: looked at from outside the process. */
import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { hash } from "node:crypto";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { withoutTrigger } from "../support/members.ts";
import { projectItself, type RunningTask } from "../support/project.ts";

const TOKEN = "token-of-the-test";

describe("a running service", () => {
  let database: TestDatabase;
  let service: RunningTask;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(async () => {
    service.kill("SIGKILL");
    await service.ended;
    await database.drop();
  });

  async function start(environment: Record<string, string> = {}) {
    service = projectItself().spawn("start", {
      DATABASE_URL: database.url,
      ADMIN_TOKENS: `ops=${hash("sha256", TOKEN, "hex")}`,
      ...environment,
    });
    const [, address = ""] = await service.line(/"address":"(http[^"]+)"/);
    return async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${TOKEN}`,
          "X-Request-Id": "request-of-the-test",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await response.json();
    };
  }

  /** Makes the database refuse a member. */
  async function addRefusedMember(): Promise<string> {
    const id = newId();
    await withoutTrigger(
      database.sql,
      (transaction) => transaction`insert into public.members (id) values (${id})`,
    );
    await database.sql.unsafe(
      `alter table public.trainer_client_assignments add constraint refused check (client_id <> '${id}')`,
    );
    return id;
  }

  const events = (name: string) =>
    service.output().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
      .filter(({ event }) => event === name);

  it("logs a backfill's start, each failed member and its end, with run id and caller", async () => {
    const refused = await addRefusedMember();
    const call = await start();
    const { id: runId } = await call("POST", "/v1/backfills", {});
    await service.line(/"event":"backfill_finished"/);

    const [asked] = events("backfill_start_requested");
    assertEquals([asked.runId, asked.actor, asked.requestId], [runId, "ops", "request-of-the-test"]);
    const [driving] = events("backfill_driving");
    assertEquals([driving.runId, driving.requestedBy, driving.total], [runId, "ops", 2]);
    const [failed] = events("assignment_failed");
    assertEquals([failed.level, failed.runId, failed.memberId, failed.code], [
      "warn",
      runId,
      refused,
      "23514",
    ]);
    const { time: _, ...end } = events("backfill_finished")[0];
    assertEquals(end, {
      level: "info",
      event: "backfill_finished",
      kind: "backfill",
      runId,
      requestedBy: "ops",
      status: "completed_with_errors",
      processed: 2,
      successful: 0,
      skipped: 1,
      failed: 1,
      remaining: 0,
    });
  });

  it("logs who steered which run", async () => {
    const [run] = await database.sql<{ id: string }[]>`select assignment.start_backfill('ops') as id`;
    await database.sql`select assignment.change_backfill_status(${run?.id ?? ""}, 'paused', 'ops')`;
    const call = await start();
    await call("POST", `/v1/backfills/${run?.id}/cancel`);
    await service.line(/"event":"backfill_cancel_requested"/);
    const [{ runId, actor, requestId }] = events("backfill_cancel_requested");
    assertEquals([runId, actor, requestId], [run?.id, "ops", "request-of-the-test"]);
  });

  it("logs who changed what on the admin page", async () => {
    const [run] = await database.sql<{ id: string }[]>`select assignment.start_backfill('ops') as id`;
    await database.sql`select assignment.change_backfill_status(${run?.id ?? ""}, 'paused', 'ops')`;
    const memberId = newId();
    await database.sql`insert into public.members (id) values (${memberId})`;
    await start();
    const [, address = ""] = await service.line(/"address":"(http[^"]+)"/);
    const post = async (path: string, form: Record<string, string>, cookie = "") => {
      const response = await fetch(`${address}/admin${path}`, {
        method: "POST",
        redirect: "manual",
        headers: { Origin: address, Cookie: cookie },
        body: new URLSearchParams(form),
      });
      await response.body?.cancel();
      assertEquals(response.status, 303, path);
      return response.headers.get("set-cookie")?.split(";")[0];
    };
    const cookie = await post("/login", { token: TOKEN });
    await post(`/trainer-assignment/runs/${run?.id}/cancel`, {}, cookie);
    await post(`/trainer-assignment/members/${memberId}/end`, { trainerId: DEFAULT_TRAINER_ID }, cookie);
    await post("/trainer-assignment/failures/retry", {}, cookie);

    await service.line(/"event":"failures_retry_requested"/);
    const told = ["backfill_cancel_requested", "assignment_ended", "failures_retry_requested"].map((name) => {
      const [event] = events(name);
      return [event.actor, event.runId ?? event.memberId];
    });
    assertEquals(told, [["ops", run?.id], ["ops", memberId], ["ops", undefined]]);
  });

  it("logs each failed assignment at signup once", async () => {
    const refused = await addRefusedMember();
    await start();
    await database.sql`delete from public.members where id = ${refused}`;
    await database.sql`insert into public.members (id) values (${refused})`;
    await service.line(/"event":"assignment_failed"/);
    const { time: _, reason, ...failed } = events("assignment_failed")[0];
    assertEquals(failed, {
      level: "warn",
      event: "assignment_failed",
      source: "trigger",
      memberId: refused,
      trainerId: DEFAULT_TRAINER_ID,
      code: "23514",
      attempts: 1,
    });
    assertMatch(reason, /violates check constraint "refused"/);
  });

  it("logs retries, and each member that failed again", async () => {
    const refused = await addRefusedMember();
    await database.sql`
      insert into assignment.failures (member_id, sqlstate, message, source, next_attempt_at)
      values (${refused}, '55P03', 'locked', 'trigger', now())
    `;
    await start();
    await service.line(/"event":"failures_retried"/);
    const [retried] = events("failures_retried");
    assertEquals([retried.retried, retried.succeeded, retried.failed], [1, 0, 1]);
    const told = events("assignment_failed").map((
      { source, memberId, attempts },
    ) => [source, memberId, attempts]);
    assertEquals(told, [["trigger", refused, 1], ["retry", refused, 2]]);
  });
});
