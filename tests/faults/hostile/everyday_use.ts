import { pause } from "../runs.ts";
import { type Service, TOKEN } from "../service.ts";
import type { Random } from "../random.ts";
import { signIn } from "./sign_in.ts";

/** What a service is asked for in a day, over and over until it is stopped. */
export interface Use {
  stop(): Promise<Answers>;
}

/** What was answered. */
export interface Answers {
  /** How often, by kind of request and status. */
  counts: Map<string, number>;
  /** What was cut off or answered 5xx: when, and how long it took. */
  wrong: string[];
}

interface Caller {
  service: Service;
  random: Random;
  trainerId: string;
  /** A trainer whose clients nobody moves. */
  planFor: string;
  memberIds: readonly string[];
  signal: AbortSignal;
  /** Asks, reads the answer to its end, and counts it. */
  ask(name: string, request: string, init?: RequestInit): Promise<Response | undefined>;
}

type Work = (caller: Caller) => Promise<void>;

const KINDS: readonly { pauseMs: number; work: Work }[] = [
  {
    pauseMs: 5,
    work: ({ ask, random, memberIds }) => only(ask("check", `GET ${checkOf(random.pick(memberIds))}`)),
  },
  { pauseMs: 5, work: ({ ask, random }) => only(ask("check of nobody", `GET ${checkOf(random.uuid())}`)) },
  { pauseMs: 50, work: checkMany },
  {
    pauseMs: 50,
    work: ({ ask, trainerId }) => only(ask("list", `GET /v1/trainers/${trainerId}/clients?limit=100`)),
  },
  { pauseMs: 500, work: exportAll },
  { pauseMs: 200, work: leaveExport },
  { pauseMs: 700, work: runBackfill },
  { pauseMs: 50, work: followRun },
  { pauseMs: 1_000, work: ({ ask }) => only(ask("retry failures", "POST /v1/failures/retry")) },
  { pauseMs: 300, work: visitPages },
  { pauseMs: 300, work: askForPolicy },
  { pauseMs: 3_000, work: previewPolicy },
  { pauseMs: 700, work: planTransfer },
  { pauseMs: 200, work: fetchMessages },
  { pauseMs: 100, work: watchOver },
  { pauseMs: 100, work: makeMistakes },
];

/** Starts to use a service in every way at once. */
export function useEveryday(
  service: Service,
  { random, trainerId, planFor, memberIds }: Pick<Caller, "random" | "trainerId" | "planFor" | "memberIds">,
): Use {
  const stopping = new AbortController();
  const { signal } = stopping;
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  const began = performance.now();
  const work = KINDS.map(async ({ pauseMs, work }) => {
    const caller: Caller = {
      service,
      random: random.fork(),
      trainerId,
      planFor,
      memberIds,
      signal,
      async ask(name, request, init = {}) {
        const asked = performance.now();
        const response = await send(service, request, init).catch(() => undefined);
        const text = await response?.clone().text().catch(() => undefined);
        const status = text === undefined ? undefined : response?.status;
        const kind = `${name}: ${status ?? "broken"}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        if (status === undefined || status >= 500) {
          const tookMs = Math.round(performance.now() - asked);
          wrong.push(`${kind} after ${tookMs} ms, ${Math.round((asked - began) / 1000)} s into it`);
        }
        return response;
      },
    };
    while (!signal.aborted) {
      await work(caller);
      await pause(caller.random.integer(0, 2 * pauseMs));
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(work);
      return { counts, wrong };
    },
  };
}

function send(service: Service, request: string, init: RequestInit): Promise<Response> {
  const [method = "GET", path = "/"] = request.split(" ");
  const headers = { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" };
  return fetch(service.url + path, { redirect: "manual", headers, ...init, method });
}

function checkOf(memberId: string): string {
  return `/v1/members/${memberId}/assignment`;
}

/** For what comes of it nobody asks. */
async function only(work: Promise<unknown>): Promise<void> {
  await work;
}

async function checkMany({ ask, random, memberIds }: Caller): Promise<void> {
  const asked = Array.from({ length: 200 }, () => random.pick(memberIds));
  await ask("check of many", "POST /v1/assignments/check", { body: JSON.stringify({ memberIds: asked }) });
}

async function exportAll({ ask, random, trainerId }: Caller): Promise<void> {
  const headers = {
    Authorization: `Bearer ${TOKEN}`,
    Accept: random.pick(["text/csv", "application/x-ndjson"]),
  };
  await ask("export", `GET /v1/trainers/${trainerId}/clients`, { headers });
}

/** A reader who goes away midway. */
async function leaveExport({ service, trainerId }: Caller): Promise<void> {
  const leaving = new AbortController();
  const headers = { Authorization: `Bearer ${TOKEN}`, Accept: "text/csv" };
  try {
    const response = await send(service, `GET /v1/trainers/${trainerId}/clients`, {
      headers,
      signal: leaving.signal,
    });
    await response.body?.getReader().read();
  } finally {
    leaving.abort();
  }
}

async function runBackfill({ ask, random }: Caller): Promise<void> {
  const body = JSON.stringify({ dryRun: random.chance(0.3), batchRows: random.pick([100, 1_000]) });
  const started = await ask("start a run", "POST /v1/backfills", { body });
  const { id, runId } = started === undefined ? {} : await started.json();
  const path = `/v1/backfills/${id ?? runId}`;
  if (random.chance(0.3)) {
    await ask("pause", `POST ${path}/pause`);
    await ask("resume", `POST ${path}/resume`);
  }
  await ask("run", `GET ${path}`);
  await ask("errors of a run", `GET ${path}/errors`);
}

/** Follows the newest run, some to its end, some only for a moment. */
async function followRun({ service, ask, random, signal }: Caller): Promise<void> {
  const newest = await ask("runs", "GET /v1/backfills?limit=1");
  const { runs: [run] = [] } = newest === undefined ? {} : await newest.json();
  if (run === undefined) return;
  const leaving = AbortSignal.any([signal, AbortSignal.timeout(random.integer(10, 500))]);
  try {
    const response = await send(service, `GET /v1/backfills/${run.id}/events`, { signal: leaving });
    await response.text();
  } catch {
    // left
  }
}

async function visitPages({ service, ask, random, memberIds }: Caller): Promise<void> {
  const init = { headers: { Cookie: await signIn(service), "Sec-Fetch-Site": "same-origin" } };
  const pages = "/admin/trainer-assignment";
  for (const page of ["", "/runs", "/failures", `/members?q=${random.pick(memberIds)}`, "/trainers"]) {
    await ask("page", `GET ${pages}${page}`, init);
  }
}

async function askForPolicy({ ask, random, memberIds }: Caller): Promise<void> {
  await ask("policy", "GET /v1/policy");
  await ask("versions", "GET /v1/policy/versions?limit=10");
  await ask("decision", `GET /v1/members/${random.pick(memberIds)}/decision`);
}

/** What a policy would change: it looks at up to 100,000 members. */
async function previewPolicy({ ask }: Caller): Promise<void> {
  const response = await ask("policy", "GET /v1/policy");
  const { policy } = response === undefined ? {} : await response.json();
  await ask("preview", "POST /v1/policy/preview", { body: JSON.stringify({ policy }) });
}

/** What would become of a trainer's clients. */
async function planTransfer({ ask, planFor }: Caller): Promise<void> {
  const body = JSON.stringify({ fromTrainerId: planFor, dryRun: true });
  await ask("start a dry transfer", "POST /v1/transfers", { body });
  await ask("transfers", "GET /v1/transfers?limit=10");
  await ask("trainers", "GET /v1/trainers?limit=100");
}

/** A consumer who fetches, from the beginning, and one who looks at what was delivered. */
async function fetchMessages({ ask, random }: Caller): Promise<void> {
  const page = await ask("messages", `GET /v1/events?limit=${random.integer(1, 100)}`);
  const { next } = page === undefined ? {} : await page.json();
  await ask("messages after", `GET /v1/events?after=${next}`);
  const list = await ask("webhooks", "GET /v1/webhooks");
  const { webhooks: [{ id } = { id: "" }] = [] } = list === undefined ? {} : await list.json();
  await ask("deliveries", `GET /v1/webhooks/${id}/deliveries?limit=20`);
}

async function watchOver({ ask }: Caller): Promise<void> {
  for (const path of ["/livez", "/readyz", "/metrics"]) await ask(path, `GET ${path}`);
}

async function makeMistakes({ ask }: Caller): Promise<void> {
  await ask("without a token", "GET /v1/policy", { headers: {} });
  await ask("no id", "GET /v1/members/42/assignment");
  await ask("no JSON", "POST /v1/assignments/check", { body: "{" });
  await ask("nothing there", "GET /v1/nothing");
}
