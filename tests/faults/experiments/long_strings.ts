import { openRaw } from "../../support/raw_http.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { textFields } from "../hostile/fields.ts";
import { judgeAnswer } from "../hostile/judge_answer.ts";
import { inTime } from "../hostile/in_time.ts";
import { longString, PATTERNS } from "../hostile/long_strings.ts";
import { documentedCodes } from "../hostile/operations.ts";
import { type HostileRequest, render } from "../hostile/request.ts";
import { signIn } from "../hostile/sign_in.ts";
import { type Service, TOKEN } from "../service.ts";
import { quantile } from "../trend.ts";
import { inWorld, type World } from "../world.ts";

/** Longer than any of these takes on a busy machine; what grows with the square of its input takes longer. */
const longestMs = 1_000;
/** After this long the service counts as gone, and nothing more is sent. */
const givenUpMs = 10_000;
const NOTES_LENGTH = 10_000;

/** Very long texts, each hard on something, wherever a caller's text goes. */
export const longStrings: Experiment = {
  name: "long_strings",
  summary:
    "adversarial strings of up to 100 kB in every field: bounded answers in bounded time, notes kept to the letter",
  async run(options) {
    await inWorld(options, { ownServer: false }, async (world) => {
      const service = await world.startService({ environment: { LOG_LEVEL: "warn" } });
      await sendEverywhere(world, service, options);
      if (options.report.hasNoticedBug) return;
      await keepAsNotes(world, service, options.report);
      const errors = service.output().split("\n").filter((line) => line.includes('"level":"error"'));
      options.report.expect(errors.length === 0, "nothing is logged as an error", errors[0] ?? "");
      await world.judge();
    });
  },
};

async function sendEverywhere(
  world: World,
  service: Service,
  { scale, report, plant }: ExperimentOptions,
): Promise<void> {
  // 64 KiB is what the runtime takes as a head: the longer ones it refuses itself, the shorter ones reach us
  const lengths = sized(scale, {
    short: [20_000],
    full: [100, 20_000, 100_000],
    long: [100, 20_000, 60_000, 250_000],
  });
  const share = plant ? 1 : sized(scale, { short: 0.25, full: 1, long: 1 });
  const codes = documentedCodes(await (await service.call("GET /openapi.json")).json());
  const fields = textFields({
    authorization: `Bearer ${TOKEN}`,
    cookie: await signIn(service),
    trainerId: world.trainerId,
  });
  const times: { ms: number; what: string }[] = [];
  let mostBytes = 0;
  let refusedBefore = 0;

  for (const field of fields) {
    for (const [name, pattern] of Object.entries(PATTERNS)) {
      for (const length of lengths) {
        if (!world.random.chance(share)) continue;
        const request = field.put(longString(pattern, length));
        const what = `${length} of ${name} as ${field.name}`;
        const { answer, ms } = await timed(service, request);
        if (ms === Infinity) return report.violate("every answer comes in bounded time", what);
        const { by, wrong } = judgeAnswer(request, answer, { clean: render(request).length < 60_000, codes });
        if (wrong !== undefined) report.violate(wrong, what);
        if (report.hasNoticedBug) return;
        if (by === "runtime") refusedBefore += 1;
        mostBytes = Math.max(mostBytes, answer?.body.length ?? 0);
        times.push({ ms, what });
      }
    }
  }
  const slowest = times.toSorted((a, b) => b.ms - a.ms)[0];
  report.figure(
    "strings",
    `${times.length} in ${fields.length} fields, ${refusedBefore} refused by the runtime`,
  );
  report.figure(
    "an answer took",
    `${quantile(times.map(({ ms }) => ms), 0.5).toFixed(1)} ms at the median, ${
      slowest?.ms.toFixed(0)
    } ms at most`,
  );
  report.figure("the longest answer", `${mostBytes} bytes`);
  report.expect(
    (slowest?.ms ?? 0) < longestMs,
    "every answer comes in bounded time",
    JSON.stringify(slowest),
  );
}

/** Sends a request on a connection of its own; what is slow may have met a busy machine, and is tried twice more. */
async function timed(service: Service, request: HostileRequest) {
  let best = Infinity;
  for (let tries = 0;; tries++) {
    const connection = await openRaw(Number(new URL(service.url).port));
    const began = performance.now();
    const answer = await inTime(
      connection.exchange(render(request), { isHead: request.method === "HEAD" }),
      givenUpMs,
    );
    connection.close();
    if (answer === "late") return { answer: null, ms: Infinity };
    best = Math.min(best, performance.now() - began);
    if (best < longestMs || tries === 2) return { answer, ms: best };
  }
}

/** What may be kept comes back to the letter, in every format; what may not is refused. */
async function keepAsNotes(world: World, service: Service, report: Report): Promise<void> {
  const patterns = Object.entries(PATTERNS);
  const ids = Array.from({ length: patterns.length + 1 }, world.random.uuid);
  await world.journal.record("signup", ids, async () => {
    await world.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  const [trainer = "", ...members] = ids;
  const kept = new Map<string, string>();
  for (const [index, [name, pattern]] of patterns.entries()) {
    const notes = longString(pattern, NOTES_LENGTH);
    const member = members[index] ?? "";
    const path = `/v1/trainers/${trainer}/clients/${member}`;
    const response = await service.call(`PUT ${path}`, { notes });
    const mayBeKept = notes.isWellFormed() && !notes.includes("\0");
    report.expect(
      response.status === (mayBeKept ? 201 : 400),
      "notes are kept or refused",
      `${name}: ${response.status}`,
    );
    await response.body?.cancel();
    if (!mayBeKept) continue;
    kept.set(member, notes);
    const check = await (await service.call(`GET /v1/members/${member}/assignment?trainerId=${trainer}`))
      .json();
    report.expect(check.assignment?.notes === notes, "notes come back to the letter", name);
  }
  const list = await (await service.call(`GET /v1/trainers/${trainer}/clients?limit=1000`)).json();
  const download = await fetch(`${service.url}/v1/trainers/${trainer}/clients`, {
    headers: { Authorization: `Bearer ${TOKEN}`, Accept: "application/x-ndjson" },
  });
  const lines = (await download.text()).trimEnd().split("\n");
  for (const clients of [list.clients, lines.map((line) => JSON.parse(line))]) {
    report.expect(clients.length === kept.size, "every client is listed", String(clients.length));
    for (const { clientId, notes } of clients) {
      report.expect(kept.get(clientId) === notes, "notes come back to the letter", clientId);
    }
  }
  report.figure(
    "notes kept to the letter",
    `${kept.size} of ${patterns.length} patterns; the others refused`,
  );
}
