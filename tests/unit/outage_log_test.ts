import { assertEquals } from "@std/assert";
import { beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { createOutageLog, type OutageLog } from "../../src/database/outage_log.ts";
import { recordingLogger } from "../support/logs.ts";

const refused = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
const noRight = Object.assign(new postgres.PostgresError("permission denied"), { code: "42501" });

describe("the log of an outage", () => {
  let logged: Record<string, unknown>[];
  let outageLog: OutageLog;
  let now: number;
  beforeEach(() => {
    now = 0;
    const recording = recordingLogger();
    logged = recording.logged;
    outageLog = createOutageLog(recording.log, () => now);
  });

  const lines = () => logged.map(({ event, seconds, failures }) => [event, seconds, failures]);

  it("has a line when the database is lost, one per minute, and one when it is back, however many statements fail", () => {
    for (now = 0; now <= 150_000; now += 1000) {
      assertEquals(outageLog.covers(refused), true);
      outageLog.failed(refused, { event: "poll_failed" });
    }
    now = 151_000;
    outageLog.succeeded({ event: "poll_failed" });
    outageLog.succeeded({ event: "poll_failed" });
    assertEquals(lines(), [
      ["database_lost", undefined, undefined],
      ["database_away", 60, 121],
      ["database_away", 120, 241],
      ["database_back", 151, 302],
    ]);
  });

  it("does not count statements that fail shortly after its end as a new outage", () => {
    outageLog.covers(refused);
    now = 1000;
    outageLog.succeeded();
    now = 3000;
    assertEquals(outageLog.covers(refused), true);
    assertEquals(outageLog.isAway(), false);
    now = 10_000;
    outageLog.covers(refused);
    assertEquals(logged.map(({ event }) => event), ["database_lost", "database_back", "database_lost"]);
  });

  it("does not take a statement that was under way when the database was lost for its return", () => {
    outageLog.covers(refused);
    now = 200;
    outageLog.succeeded();
    assertEquals(outageLog.isAway(), true);
    now = 1000;
    outageLog.succeeded();
    assertEquals(outageLog.isAway(), false);
    assertEquals(logged.map(({ event }) => event), ["database_lost", "database_back"]);
  });

  it("has a line when a loop fails for another reason, one per minute, and one when it works again", () => {
    for (now = 0; now <= 61_000; now += 1000) outageLog.failed(noRight, { event: "poll_failed" });
    outageLog.succeeded({ event: "poll_failed" });
    outageLog.succeeded({ event: "poll_failed" });
    assertEquals(logged.map(({ event }) => event), ["poll_failed", "poll_failed", "works_again"]);
    assertEquals(outageLog.covers(noRight), false);
  });

  it("keeps apart lines of one event that are about different things", () => {
    const line = (webhookId: string) => ({ event: "delivery_failed", webhookId });
    outageLog.failed(noRight, line("one"));
    outageLog.failed(noRight, line("other"));
    outageLog.failed(noRight, line("one"));
    outageLog.succeeded(line("other"));
    outageLog.failed(noRight, line("one"));
    assertEquals(logged.map(({ event, webhookId, after }) => [event, webhookId, after]), [
      ["delivery_failed", "one", undefined],
      ["delivery_failed", "other", undefined],
      ["works_again", "other", "delivery_failed"],
    ]);
  });

  it("ignores a busy database, unless there is an outage", () => {
    const busy = Object.assign(new Error("late"), { code: "57014" });
    assertEquals(outageLog.covers(busy), false);
    outageLog.covers(refused);
    assertEquals(outageLog.covers(busy), true);
  });
});
