import { hash } from "node:crypto";
import { backfillExistingUsers } from "../../../src/runs/existing_users.ts";
import { findFreePort } from "../../../src/database/embedded/postgres_server.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { projectItself } from "../../support/project.ts";
import { bytesOf, openRaw } from "../../support/raw_http.ts";
import type { Experiment, Report } from "../experiment.ts";
import { textFields } from "../hostile/fields.ts";
import { findControl, liftPoison, POISON, poisonDatabase, poisonMigrations } from "../hostile/poison.ts";
import { render } from "../hostile/request.ts";
import { signIn } from "../hostile/sign_in.ts";
import { startOnTerminal } from "../hostile/terminal.ts";
import { giveMembers } from "../load.ts";
import { eventually } from "../runs.ts";
import { type Service, TOKEN } from "../service.ts";
import { PROJECT_FOLDER } from "../service_copy.ts";
import { inWorld, type World } from "../world.ts";

/** Line breaks and terminal escapes in whatever is logged or printed, from callers and from the database. */
export const poisonedLogs: Experiment = {
  name: "poisoned_logs",
  summary: "CRLF and ANSI in every logged value: one JSON line an event, and nothing that a terminal obeys",
  async run(options) {
    await inWorld(options, {}, async (world) => {
      await intoJson(world, options.report);
      if (options.report.hasNoticedBug) return;
      await ontoTerminal(world, options.report);
      await intoCommands(world, options.report);
      await liftPoison(world.sql);
      await makeGood(world);
      await world.judge({ drained: true });
    });
  },
};

/** As containers run it: standard output is no terminal. */
async function intoJson(world: World, report: Report): Promise<void> {
  const service = await world.startService({ environment: { LOG_LEVEL: "debug", OTEL_DENO: "false" } });
  const requests = await provoke(world, service);
  await eventually(
    report,
    "every poisoned event is logged",
    60_000,
    () => Promise.resolve(hasAllEvents(service.output())),
  );
  await service.stop("SIGTERM");

  const lines = service.output().split("\n").filter((line) => line !== "");
  const forged = lines.filter((line) => !isEvent(line));
  report.expect(forged.length === 0, "each log event is one JSON line", forged[0] ?? "");
  const control = findControl(service.output());
  report.expect(control === undefined, "no control character reaches the log", control ?? "");
  report.figure("poisoned requests", requests);
  report.figure(
    "log lines",
    `${lines.length}, ${lines.filter((line) => line.includes("poison")).length} with poison in a value`,
  );
}

/** As a person runs it. */
async function ontoTerminal(world: World, report: Report): Promise<void> {
  await liftPoison(world.sql);
  const port = findFreePort();
  const terminal = startOnTerminal({
    folder: PROJECT_FOLDER,
    databaseUrl: world.server.url,
    environment: {
      PORT: String(port),
      LOG_LEVEL: "debug",
      RECONCILE_CRON: "off",
      ADMIN_TOKENS: `faults=${hash("sha256", TOKEN)}`,
    },
  });
  world.atEnd(terminal.stop);
  const url = `http://127.0.0.1:${port}`;
  await eventually(report, "it starts on a terminal", 60_000, async () => (await fetch(`${url}/livez`)).ok);
  await provoke(world, { url, call: (request, json) => call(url, request, json) });
  await eventually(
    report,
    "every poisoned event is logged",
    60_000,
    () => Promise.resolve(hasAllEvents(terminal.output())),
  );
  await terminal.stop();

  const control = findControl(terminal.output());
  report.expect(control === undefined, "no control character reaches a terminal", control ?? "");
  const lines = terminal.output().split("\n").filter((line) => line !== "");
  const forged = lines.filter((line) =>
    !/^\d\d:\d\d:\d\d\.\d{3} (debug|info|warn|error) |^ {4}at /.test(line)
  );
  report.expect(
    forged.length === 0,
    "a readable event is one line, and the frames of its stack",
    forged[0] ?? "",
  );
  report.figure("lines on a terminal", lines.length);
}

/** What the database says through the command line. */
async function intoCommands(world: World, report: Report): Promise<void> {
  const { run } = projectItself();
  const environment = { DATABASE_URL: world.server.url };
  await giveMembers(world.sql, world.journal, world.random, 3);
  const outputs = [await run("backfill", [], environment), await run("backfill", ["--json"], environment)];
  await poisonMigrations(world.sql);
  outputs.push(await run("migrate", ["down"], environment));
  for (const { code, stdout, stderr } of outputs) {
    const control = findControl(stdout + stderr);
    report.expect(control === undefined, "no control character is printed", control ?? "");
    report.expect(
      code === 1 && (stdout + stderr).includes("poison"),
      "a command tells what the database says",
      stderr,
    );
  }
}

/** Poison in all that a caller and the database can say. Returns how many requests it took. */
async function provoke(world: World, service: Pick<Service, "url" | "call">): Promise<number> {
  const { sql, trainerId } = world;
  const fields = textFields({ authorization: `Bearer ${TOKEN}`, cookie: await signIn(service), trainerId });
  const port = Number(new URL(service.url).port);
  const raw = `GET /v1/${POISON} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${POISON}\r\n\r\n`;
  for (
    const bytes of [
      ...fields.map(({ put }) => render(put(POISON))),
      bytesOf(raw.replaceAll(/[^\0-\xff]/g, "?")),
    ]
  ) {
    const connection = await openRaw(port);
    await connection.exchange(bytes, { half: true });
    connection.close();
  }
  await giveMembers(sql, world.journal, world.random, 3);
  await poisonDatabase(sql);
  const id = world.random.uuid();
  await world.journal.record("signup", [id], async () => {
    await sql`insert into public.members (id) values (${id})`;
  });
  await sql`update assignment.failures set next_attempt_at = now()`; // the service retries each five seconds
  await sql`select assignment.start_backfill(p_requested_by => ${POISON})`;
  for (
    const [request, json] of [
      [`PATCH /v1/trainers/${trainerId}`, { note: "refused by the database" }],
      [`PUT /v1/trainers/${trainerId}/clients/${id}`, { notes: POISON }],
    ] as const
  ) {
    await (await service.call(request, json)).body?.cancel();
  }
  return fields.length + 3;
}

/** Each of the ways in which the poison comes into the log. */
function hasAllEvents(output: string): boolean {
  const lines = output.split("\n").filter((line) => line.includes("poison"));
  return ["backfill_driving", "backfill_finished", "request failed"].every((event) =>
    lines.some((line) => line.includes(event))
  ) &&
    ["retry", "backfill"].every((source) =>
      lines.some((line) => line.includes("assignment_failed") && line.includes(`"${source}"`))
    );
}

function isEvent(line: string): boolean {
  try {
    const { level, time, msg } = JSON.parse(line);
    return typeof level === "string" && typeof time === "string" && msg !== "forged";
  } catch {
    return false;
  }
}

function call(url: string, request: string, json?: unknown): Promise<Response> {
  const [method = "GET", path = "/"] = request.split(" ");
  return fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(json),
  });
}

/** Assigns whoever could not be, as the schedule and the retries would. */
async function makeGood({ sql }: World): Promise<void> {
  await backfillExistingUsers(sql);
  await retryFailures(sql);
}
