import fc from "fast-check";
import { hash } from "node:crypto";
import { z } from "zod";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { putPolicy } from "../../../src/policy/policies.ts";
import { Contract } from "../../http/contract.ts";
import { openRaw, type RawAnswer, type RawConnection } from "../../support/raw_http.ts";
import { keepDeparted } from "../departures.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { signIn } from "../hostile/sign_in.ts";
import { judgeAnswer } from "../hostile/judge_answer.ts";
import { documentedCodes, documentedOperations, pageOperations } from "../hostile/operations.ts";
import { type HostileRequest, isClean, render } from "../hostile/request.ts";
import { hostileRequests, type Possessions } from "../hostile/requests.ts";
import { giveMembers } from "../load.ts";
import { bringRules, ROOM_FOR_ALL } from "../policy.ts";
import { resourcesOf } from "../processes.ts";
import { awaitEnd, eventually } from "../runs.ts";
import { type Service, TOKEN } from "../service.ts";
import { grows, mib, thirds } from "../trend.ts";
import { startMove } from "../transfers.ts";
import { bringWebhooks, WEBHOOK_ENVIRONMENT } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

const CONNECTIONS = 16;
const BATCH = 500;
/** The service opens up to 17 connections to the database as it needs them; a few of this process's own stay open too. */
const KEPT_CONNECTIONS = 17 + 5;
const longestAnswerMs = 30_000;
const SERVICE_TOKEN = "ta_canary_service_token_9b2e71";

const runSchema = z.object({ id: z.string() });
const pageSchema = z.object({ next: z.string() });

/** Requests made from our own OpenAPI document, wrong in every way that we could think of, over bare sockets. */
export const malformed: Experiment = {
  name: "malformed",
  summary: "malformed requests from the OpenAPI document and by mutation: no 500, known codes, memory flat",
  async run(options) {
    await inWorld(options, { ownServer: false }, (world) => send(world, options));
  },
};

async function send(world: World, options: ExperimentOptions): Promise<void> {
  const { scale, seed, report } = options;
  const total = sized(scale, { short: 3_000, full: 100_000, long: 1_000_000 });
  await keepDeparted(world.sql);
  const webhooks = await bringWebhooks(world, options);
  const service = await world.startService({
    environment: {
      LOG_LEVEL: "warn",
      SERVICE_TOKENS: `other=${hash("sha256", SERVICE_TOKEN)}`,
      ...WEBHOOK_ENVIRONMENT,
    },
  });
  const trainers = await bringRules(world, { limited: 300, waiting: ROOM_FOR_ALL });
  const has = await possess(world, service, report);
  const [fromTrainerId = "", trainerId = ""] = trainers.leaving;
  await awaitEnd(() => world.sql, await startMove(world, { fromTrainerId, trainerId }), report);
  const document = await (await service.call("GET /openapi.json")).json();
  const contract = new Contract(document);
  const codes = documentedCodes(document);
  const requests = hostileRequests([...documentedOperations(document), ...pageOperations], has);
  const longestPauseMs = sized(scale, { short: 100, full: 100, long: 1_000 }); // or each request costs more and more
  const load = world.startLoad({ sessions: 1, steering: 0, longestPauseMs });

  const answered = new Map<string, number>();
  const count = (name: string) => answered.set(name, (answered.get(name) ?? 0) + 1);
  const rssBytes: number[] = [];
  let queue: HostileRequest[] = [];
  let made = 0;
  let sent = 0;
  const next = (): HostileRequest | undefined => {
    if (queue.length === 0 && made < total) {
      const numRuns = Math.min(BATCH, total - made);
      queue = fc.sample(requests, { seed: seed + made, numRuns });
      made += numRuns;
    }
    return queue.pop();
  };

  const port = Number(new URL(service.url).port);
  const before = await resourcesOf(service.pid());
  const began = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    let connection: RawConnection | undefined;
    for (let request = next(); request !== undefined; request = next()) {
      if (connection?.ended !== false) {
        connection?.close(); // who announces a body and neither sends it nor hangs up is waited for
        connection = await openRaw(port);
      }
      const clean = isClean(request);
      const answer = await within(
        connection.exchange(render(request), { half: !clean, isHead: request.method === "HEAD" }),
      );
      sent += 1;
      const verdict = answer === "late"
        ? { by: "nobody", wrong: `no answer within ${longestAnswerMs} ms` }
        : judgeAnswer(request, answer, { clean, codes });
      const deviation = sent % 10 === 0 && verdict.by === "service" && answer !== "late" && answer
        ? await deviationOf(contract, request, answer)
        : undefined;
      const wrong = verdict.wrong ?? deviation;
      if (wrong !== undefined) report.violate(wrong, JSON.stringify(request).slice(0, 2_000));
      count(verdict.by === "service" && answer !== "late" ? `${answer?.status}` : verdict.by);
      if (!clean) connection.close();
      if (sent % Math.ceil(total / 60) === 0) rssBytes.push((await resourcesOf(service.pid())).rssBytes);
    }
    connection?.close();
  }));
  const tookSeconds = (performance.now() - began) / 1000;
  await load.stop();

  report.figure("requests", `${sent}, ${Math.round(sent / tookSeconds)} a second`);
  report.figure(
    "answers by status",
    [...answered].filter(([name]) => /^\d+$/.test(name)).sort().map((entry) => entry.join(": ")).join(", "),
  );
  report.figure("refused by the runtime, before us", answered.get("runtime") ?? 0);
  report.figure("cut off without an answer", answered.get("nobody") ?? 0);
  const memory = thirds(rssBytes);
  report.figure(
    "resident memory",
    `${mib(before.rssBytes)} before; median of the middle third ${mib(memory.earlier)}, of the last ${
      mib(memory.later)
    }`,
  );
  report.expect(
    !grows(rssBytes, { ratio: 0.15, slack: sized(scale, { short: 100, full: 32, long: 32 }) * 1024 ** 2 }),
    "memory is flat",
    `${mib(memory.earlier)}, then ${mib(memory.later)}`,
  );
  await makeGood(world);
  await lookAfterwards(service, has, report);
  let files = 0;
  await eventually(report, "file handles are given back", 30_000, async () => {
    ({ files } = await resourcesOf(service.pid()));
    return files <= before.files + KEPT_CONNECTIONS;
  });
  report.figure("file handles", `${before.files} before, ${files} after`);
  const logged = service.output().split("\n").filter((line) => line.includes('"level":"error"'));
  report.expect(logged.length === 0, "nothing is logged as an error", logged[0] ?? "");
  await world.judge({ webhooks: await webhooks.settle() });
}

/** Members to ask for, a run that has ended, a session, cursors of a list. */
async function possess(world: World, service: Service, report: Report): Promise<Possessions> {
  const given = await giveMembers(world.sql, world.journal, world.random, 1_600);
  const members = given.filter((id) => /^[de]/.test(id)); // who fall to the default trainer, of whom checks ask
  const { id: runId } = runSchema.parse(await (await service.call("POST /v1/backfills", {})).json());
  await awaitEnd(() => world.sql, runId, report);
  const list = `/v1/trainers/${world.trainerId}/clients`;
  const cursors = await Promise.all(
    ["limit=1", "limit=100"].map(async (query) =>
      pageSchema.parse(await (await service.call(`GET ${list}?${query}`)).json()).next
    ),
  );
  return {
    admin: `Bearer ${TOKEN}`,
    service: `Bearer ${SERVICE_TOKEN}`,
    cookie: await signIn(service),
    leavingCookie: await signIn(service),
    ids: [world.trainerId, runId, world.random.uuid()],
    members,
    cursors,
  };
}

/** Some of the requests were taken: they changed the policy, or what trainers take, and members wait for room. */
async function makeGood({ sql, trainerId }: World): Promise<void> {
  await sql`select assignment.change_trainer(trainer_id, jsonb_build_object('capacity', null::integer, 'acceptsClients', true::boolean), 'experiment') from assignment.trainers where trainer_id = ${trainerId}`;
  await putPolicy(
    sql,
    { defaultTrainerId: trainerId, respectsOtherTrainers: false, rules: [] },
    "experiment",
  );
  await sql`update assignment.failures set next_attempt_at = now()`;
  await retryFailures(sql);
}

/** Alive, ready, and right about whom it is asked for. */
async function lookAfterwards(
  service: Service,
  { members, ids, cookie }: Possessions,
  report: Report,
): Promise<void> {
  const statusOf = async (request: string) => {
    const response = await service.call(request);
    await response.body?.cancel();
    return response.status;
  };
  const unknown = ids.at(-1) ?? "";
  report.expect(await statusOf("GET /livez") === 200, "it is alive afterwards", "/livez");
  const page = await fetch(`${service.url}/admin/trainer-assignment`, {
    headers: { Cookie: cookie },
    redirect: "manual",
  });
  await page.body?.cancel();
  report.expect(page.status === 200, "nobody else is signed out", `status ${page.status}`);
  const health = await (await service.call("GET /readyz")).json();
  report.expect(health.status === "ready", "it is ready afterwards", JSON.stringify(health));
  const { results } =
    await (await service.call("POST /v1/assignments/check", { memberIds: [...members, unknown] }))
      .json();
  const wrong = results.filter(({ memberId, assigned }: { memberId: string; assigned: boolean }) =>
    assigned !== (memberId !== unknown)
  );
  report.expect(wrong.length === 0, "it is right afterwards", JSON.stringify(wrong.slice(0, 3)));
  report.expect(
    await statusOf(`GET /v1/members/${unknown}/assignment`) === 404,
    "it is right afterwards",
    unknown,
  );
}

/** In what an answer differs from its documentation; undefined where nothing is documented for such a request. */
async function deviationOf(
  contract: Contract,
  { method, target }: HostileRequest,
  { status, headers, body }: RawAnswer,
): Promise<string | undefined> {
  if (!/^[A-Z]+$/.test(method) || !target.startsWith("/") || !URL.canParse(target, "http://localhost")) {
    return undefined;
  }
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const response = new Response(hasBody ? body : null, { status, headers: [...headers] });
  return await contract.deviation(method, target, response);
}

async function within<T>(work: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), longestAnswerMs));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
