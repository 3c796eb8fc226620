/** `deno task backfill` as an operator or a script uses it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { userInfo } from "node:os";
import { getRun, listRuns, startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { countAssigned } from "../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { addTrainers, countClients, putRules } from "../support/policies.ts";
import { projectItself } from "../support/project.ts";

describe("deno task backfill", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  beforeEach(async () => {
    database = await testDatabase();
    environment = { DATABASE_URL: database.serviceUrl };
    await addUnseenMembers(database.sql, 2000);
  });
  afterEach(() => database.drop());

  it("assigns everybody, prints plain lines and a summary where there is no terminal, and exits with 0", async () => {
    const { code, stdout, stderr } = await project.run("backfill", [], environment);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^2,001 of 2,001 \(100 %\)$/m);
    assertMatch(stdout, /^status +succeeded$/m);
    assertMatch(stdout, /^assigned +2,000$/m);
    assertMatch(stdout, /^remaining +0$/m);
    assertEquals(await countAssigned(database.sql), 2000);
  });

  it("exits with 1 and lists the members when some failed", async () => {
    const [poison] = await database.sql<{ id: string }[]>`select id from public.members order by id limit 1`;
    await refuseAssignments(database.sql, `new.client_id = '${poison?.id}'`);
    const { code, stdout } = await project.run("backfill", [], environment);
    assertEquals(code, 1);
    assertMatch(stdout, /^status +completed with errors$/m);
    assertStringIncludes(stdout, `${poison?.id}  P0001  "member ${poison?.id} is refused"`);
  });

  it("prints one JSON object for scripts", async () => {
    const { code, stdout } = await project.run("backfill", ["--json", "--dry-run"], environment);
    const run = JSON.parse(stdout);
    assertEquals(code, 0);
    assertEquals([run.status, run.dryRun, run.successful, run.errors], ["succeeded", true, 2000, []]);
    assertEquals(await countAssigned(database.sql), 0);
  });

  it("applies the policy to what it chose before with --reassign, in the name of who works at the terminal", async () => {
    const { sql } = database;
    assertEquals((await project.run("backfill", [], environment)).code, 0);
    const [anna = ""] = await addTrainers(sql, 1);
    await putRules(sql, [], { defaultTrainerId: anna });
    const { code, stdout } = await project.run("backfill", ["--reassign"], environment);
    assertEquals(code, 0);
    assertMatch(stdout, /^trainer +by the policy, version 2, reassigning$/m);
    assertMatch(stdout, /^assigned +2,001$/m);
    assertEquals(await countClients(sql, [anna, DEFAULT_TRAINER_ID]), [2001, 1]); // Anna cannot train herself
    const [run] = await listRuns(sql, { limit: 1 });
    assertEquals([run?.reassign, run?.requestedBy], [true, `cli:${userInfo().username}`]);
  });

  it("exits with 2 and the usage when called wrongly", async () => {
    for (
      const args of [
        ["--trainer", "x"],
        ["--reassign", "--trainer", crypto.randomUUID()],
        ["--resume", "1"],
        ["--quick"],
        ["now"],
        [
          "--dry-run",
          "--resume",
          crypto.randomUUID(),
        ],
      ]
    ) {
      const { code, stderr } = await project.run("backfill", args, environment);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /^error: .*\n\nusage:\n {2}deno task backfill \[--trainer ID \| --reassign\]/);
    }
  });

  it("says what is wrong with the trainer or the run, and exits with 1", async () => {
    const unknown = crypto.randomUUID();
    const trainer = await project.run("backfill", ["--trainer", unknown], environment);
    assertEquals(trainer.code, 1);
    assertStringIncludes(
      trainer.stderr,
      `error: trainer ${unknown} is not a member: name another with --trainer`,
    );
    const run = await project.run("backfill", ["--resume", unknown], environment);
    assertEquals([run.code, run.stderr], [1, `error: backfill ${unknown} does not exist\n`]);
  });

  it("pauses its run at Ctrl-C and says how to resume it; resumed, it continues to the end", async () => {
    const { sql } = database;
    // After its first batch of 2,000 it rests, as a good neighbour, far longer than the test takes.
    const task = project.spawn("backfill", {
      ...environment,
      BACKFILL_LANES: "1",
      BACKFILL_REST_RATIO: "100",
    });
    await task.line(/^2,000 of 2,001/m);
    const [{ id } = { id: "" }] = await listRuns(sql, { limit: 1 });
    task.kill("SIGINT");
    assertEquals(await task.ended, 1);
    assertStringIncludes(
      task.output(),
      `error: paused after 2,000 of 2,001; go on with: deno task backfill --resume ${id}\n`,
    );
    const paused = await getRun(sql, id);
    assertEquals([paused.status, paused.pauseReason], ["paused", "stopped at the terminal"]);

    const { code } = await project.run("backfill", ["--resume", id], environment);
    assertEquals(code, 0);
    assertEquals((await listRuns(sql, { limit: 10 })).map((run) => [run.id, run.status]), [[
      id,
      "succeeded",
    ]]);
    assertEquals(await countAssigned(sql), 2000);
  });

  it("leaves another caller's run alone at Ctrl-C, and says how to pause it", async () => {
    const { sql } = database;
    const { id } = await startBackfill(sql, { requestedBy: "ops", batchRows: 1 });
    const task = project.spawn("backfill", environment);
    while ((await getRun(sql, id)).processed < 20);
    task.kill("SIGINT");
    assertEquals(await task.ended, 1);
    assertMatch(task.output(), /error: no longer at it; the run, which ops started, stays running/);
    assertStringIncludes(task.output(), `Pause it: POST /v1/backfills/${id}/pause`);
    const left = await getRun(sql, id);
    assertEquals([left.status, left.history.length], ["running", 1]);
    await sql`select assignment.change_backfill_status(${id}, 'paused', 'me')`; // as it says
  });
});
