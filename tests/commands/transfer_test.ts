/** `deno task transfer` as an operator or a script uses it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { userInfo } from "node:os";
import { getRun, listRuns, startTransfer } from "../../src/runs/runs.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { acceptAssignments, slowAssignments } from "../support/members.ts";
import { addTrainers, among, countClients, putRules, setCapacity } from "../support/policies.ts";
import { projectItself } from "../support/project.ts";
import { addClients } from "../support/transfers.ts";

const ACTOR = `cli:${userInfo().username}`;
const CLIENTS = 6000;

describe("deno task transfer", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let anna: string;
  let ben: string;
  let clients: string[];
  beforeEach(async () => {
    database = await testDatabase();
    environment = { DATABASE_URL: database.serviceUrl };
    [anna = "", ben = ""] = await addTrainers(database.sql, 2);
    clients = await addClients(database.sql, CLIENTS, anna);
  });
  afterEach(() => database.drop());

  const transfer = (args: string[], input?: string) => project.run("transfer", args, environment, input);

  it("moves all clients, prints plain lines and a summary, exits with 0, and says who did it", async () => {
    const { code, stdout, stderr } = await transfer([anna, ben, "--notes", "Anna leaves"]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^6,000 of 6,000 \(100 %\)$/m);
    assertMatch(
      stdout,
      new RegExp(`^from +${anna}\ntrainer +${ben}\nstatus +succeeded\nclients +6,000\nmoved +6,000$`, "m"),
    );
    assertEquals(await countClients(database.sql, [anna, ben]), [0, CLIENTS]);
    const rows = await database.sql`
      select distinct status, assigned_by, ended_by, ended_because, notes
      from public.trainer_client_assignments
      where client_id = ${clients[0] ?? ""}
      order by status
    `;
    assertEquals([...rows], [
      { status: "active", assignedBy: ACTOR, endedBy: null, endedBecause: null, notes: "Anna leaves" },
      { status: "inactive", assignedBy: "postgres", endedBy: ACTOR, endedBecause: "transfer", notes: "knee" },
    ]);

    const again = await transfer([anna, ben, "--json"]);
    const { total, requestedBy, status } = JSON.parse(again.stdout);
    assertEquals([again.code, total, requestedBy, status], [0, 0, ACTOR, "succeeded"]);
  });

  it("moves as the policy says, and shows in a dry run who would get whom", async () => {
    await putRules(database.sql, [{ name: "Coaches", assign: among("spread", [anna, ben]) }]);
    const { code, stdout } = await transfer([anna, "--dry-run"]);
    assertEquals(code, 0);
    assertMatch(stdout, /^run .*\(dry run: nobody was moved\)$/m);
    assertMatch(stdout, /^would be moved +6,000$/m);
    assertMatch(stdout, new RegExp(`^1\\. Coaches +${ben} +6,000$`, "m"));
    assertEquals(await countClients(database.sql, [anna, ben]), [CLIENTS, 0]);
    assertEquals((await transfer([anna])).code, 0);
    assertEquals(await countClients(database.sql, [anna, ben]), [0, CLIENTS]);
  });

  it("moves the members of a file or of standard input, and who matches a condition", async () => {
    const { sql } = database;
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, clients.slice(0, 3).join("\n") + "\n\n");
    assertEquals((await transfer([anna, ben, "--members", file])).code, 0);
    assertEquals(await countClients(sql, [anna, ben]), [CLIENTS - 3, 3]);
    await Deno.remove(file);

    const { code, stdout } = await transfer(
      [anna, ben, "--members", "-", "--json"],
      [...clients.slice(2, 5), clients[4]].join(","),
    );
    assertEquals([code, JSON.parse(stdout).successful, JSON.parse(stdout).skippedBecause.notSelected], [
      0,
      2,
      1,
    ]);

    await sql`update public.members set display_name = 'German' where id in ${sql(clients.slice(10, 17))}`;
    const condition = JSON.stringify({ field: "display_name", op: "eq", value: "German" });
    assertEquals((await transfer([anna, ben, "--condition", condition])).code, 0);
    assertEquals(await countClients(sql, [anna, ben]), [CLIENTS - 12, 12]);
  });

  it("exits with 1 and lists the clients who stay behind, with the reason", async () => {
    await setCapacity(database.sql, ben, 10);
    const { code, stdout } = await transfer([anna, ben]);
    assertEquals(code, 1);
    assertMatch(stdout, /^status +completed with errors$/m);
    assertMatch(stdout, /^first 20 of 5,990 failed:$/m);
    assertStringIncludes(stdout, `  TA011  "trainer ${ben} has no room"`);
    assertEquals(await countClients(database.sql, [anna, ben]), [CLIENTS - 10, 10]);
  });

  it("exits with 2 and the usage when called wrongly", async () => {
    for (
      const args of [
        [],
        ["x"],
        [anna, "x"],
        [anna, ben, ben],
        [anna, "--resume", newId()],
        ["--resume", newId(), "--notes", "more"],
        [anna, ben, "--condition", "{"],
        [anna, ben, "--condition", '{"field": "email", "op": "like"}'],
        [anna, ben, "--quick"],
      ]
    ) {
      const { code, stderr } = await transfer(args);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /^error: [^]*\n\nusage:\n {2}deno task transfer FROM \[TO\]/);
    }
  });

  it("says what is wrong with the trainers, the members or the condition, and exits with 1", async () => {
    const stranger = newId();
    const unknown = JSON.stringify({ any: [{ field: "no_such", op: "exists" }] });
    for (
      const [args, message, input] of [
        [[stranger, ben], `trainer ${stranger} is not a member`],
        [[anna, anna], `trainer ${anna} cannot take over from themselves: name who takes over as TO`],
        [[anna, ben, "--condition", unknown], "/condition/any/0/field: "],
        [[anna, ben, "--members", "/no/such/file"], "cannot read /no/such/file: "],
        [[anna, ben, "--members", "-"], "- has 0 members: a transfer takes 1 to 1000", " \n"],
        [[anna, ben, "--members", "-"], "- has ids of members only: id is not a UUID", "id\n" + newId()],
        [["--resume", stranger], `transfer ${stranger} does not exist`],
      ] as const
    ) {
      const { code, stderr } = await transfer([...args], input);
      assertEquals(code, 1, stderr);
      assertStringIncludes(stderr, `error: ${message}`);
    }
    assertEquals(await listRuns(database.sql, { limit: 1 }), []);
  });

  it("pauses at Ctrl-C, says how to go on, and goes on", async () => {
    const { sql } = database;
    const task = project.spawn("transfer", {
      ...environment,
      BACKFILL_LANES: "1",
      BACKFILL_REST_RATIO: "100",
    }, [
      anna,
      ben,
    ]);
    await task.line(/^2,000 of 6,000/m);
    const [{ id } = { id: "" }] = await listRuns(sql, { limit: 1 });
    task.kill("SIGINT");
    assertEquals(await task.ended, 1);
    assertStringIncludes(
      task.output(),
      `error: paused after 2,000 of 6,000; go on with: deno task transfer --resume ${id}\n`,
    );
    const paused = await getRun(sql, id);
    assertEquals([paused.status, paused.pauseReason], ["paused", "stopped at the terminal"]);
    assertEquals(paused.history.map(({ actor }) => actor), [ACTOR, ACTOR]);
    assertEquals(await countClients(sql, [anna, ben]), [4000, 2000]);

    assertEquals((await transfer(["--resume", id])).code, 0);
    assertEquals((await listRuns(sql, { limit: 10 })).map((run) => [run.id, run.status]), [[
      id,
      "succeeded",
    ]]);
    assertEquals(await countClients(sql, [anna, ben]), [0, CLIENTS]);
  });

  it("goes on after kill -9 when it is started again: each client is moved once, and none is lost", async () => {
    const { sql } = database;
    await slowAssignments(sql, 0.2);
    const task = project.spawn(
      "transfer",
      { ...environment, BACKFILL_LANES: "1", BACKFILL_REST_RATIO: "10" },
      [
        anna,
        ben,
      ],
    );
    await task.line(/^2,000 of 6,000/m);
    task.kill("SIGKILL");
    await task.ended;
    const [{ id, status } = { id: "", status: "" }] = await listRuns(sql, { limit: 1 });
    assertEquals(status, "running");
    await acceptAssignments(sql);

    const { code, stdout } = await transfer([anna, ben, "--json"]);
    const run = JSON.parse(stdout);
    assertEquals([code, run.id, run.status, run.total, run.successful], [
      0,
      id,
      "succeeded",
      CLIENTS,
      CLIENTS,
    ]);
    const [histories] = await sql`
      select
        count(*) filter (where trainer_ids = ${`{${anna},${ben}}`}::uuid[] and states = '{inactive,active}') as moved,
        count(*) as all
      from (
        select array_agg(trainer_id order by id) as trainer_ids, array_agg(status order by id) as states
        from public.trainer_client_assignments
        where client_id = any (${clients}::uuid[])
        group by client_id
      ) as h
    `;
    assertEquals(histories, { moved: CLIENTS, all: CLIENTS });
  });

  it("joins the same transfer that somebody else started, and no other", async () => {
    const { sql } = database;
    const memberIds = clients.slice(0, 4);
    const { id } = await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      memberIds,
      requestedBy: "ops",
    });
    for (const args of [[anna, ben], [anna], [anna, ben, "--members", "-"]]) {
      const { code, stderr } = await transfer(args, clients.slice(0, 3).join("\n"));
      assertEquals(code, 1);
      assertStringIncludes(stderr, `has not ended: follow it with --resume ${id}`);
    }
    const { code, stdout } = await transfer(
      [anna, ben.toUpperCase(), "--members", "-", "--json"],
      memberIds.toReversed().join("\n"),
    );
    assertEquals([code, JSON.parse(stdout).id, JSON.parse(stdout).successful], [0, id, 4]);
  });
});
