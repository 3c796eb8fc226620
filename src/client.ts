/**
 * Asks the service over HTTP, for programs in TypeScript. What may be repeated without harm is repeated when the
 * service, or the way to it, fails for a moment. Needs nothing but `fetch` and zod; the other routes are in
 * `/openapi.json`, from which clients in any language can be made.
 * @module
 */
import { z } from "zod";

/** Where the service is and how to ask it. */
export interface ClientOptions {
  /** Such as `https://trainers.example`. */
  baseUrl: string;
  token: string;
  /** How often something idempotent is tried; 4 where nothing is said. */
  maxTries?: number;
  /** How long an answer may take, each try; 10,000 where nothing is said. */
  timeoutMs?: number;
  /** Takes the place of `fetch`. */
  fetch?: typeof fetch;
}

/** The service's refusal, by its stable code (`member_not_found`, …). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  /** @param requestId finds the reason in the service's log */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null,
  ) {
    super(message);
  }
}

const firstWaitMs = 100;
const longestWaitMs = 5000;
const time = z.iso.datetime().transform((text) => new Date(text));
const id = z.guid();

const assignmentSchema = z.object({
  id,
  assignmentDate: time,
  source: z.string(),
  notes: z.string().nullable(),
});
const memberAssignmentSchema = z.object({
  memberId: id,
  trainerId: id,
  assigned: z.boolean(),
  assignment: assignmentSchema.nullable(),
});
const checkSchema = z.object({
  trainerId: id,
  results: z.array(z.object({ memberId: id, assigned: z.boolean() })),
});
const clientsSchema = z.object({
  clients: z.array(z.object({
    clientId: id,
    assignmentId: id,
    assignmentDate: time,
    status: z.enum(["active", "inactive"]),
    notes: z.string().nullable(),
  })),
  next: z.string().nullable(),
});
const runSchema = z.object({
  id,
  trainerId: id,
  status: z.enum(["running", "paused", "cancelled", "succeeded", "completed_with_errors"]),
  dryRun: z.boolean(),
  total: z.number(),
  processed: z.number(),
  successful: z.number(),
  skipped: z.number(),
  failed: z.number(),
  remaining: z.number().nullable(),
  etaSeconds: z.number().nullable(),
});
const problemSchema = z.object({ code: z.string(), detail: z.string(), requestId: z.string() });

export type MemberAssignment = z.infer<typeof memberAssignmentSchema>;
export type Client = z.infer<typeof clientsSchema>["clients"][number];
export type Backfill = z.infer<typeof runSchema>;

/** Makes a client. Every call throws {@link ApiError} when the service refuses, and what `fetch` throws when it is away. */
export function createClient(options: ClientOptions) {
  const { baseUrl, token, maxTries = 4, timeoutMs = 10_000 } = options;
  const send = options.fetch ?? fetch;

  return {
    /** Tells how a member stands with a trainer, the default one where none is named. */
    async getAssignment(memberId: string, trainerId?: string): Promise<MemberAssignment> {
      const query = trainerId === undefined ? "" : `?trainerId=${encodeURIComponent(trainerId)}`;
      return memberAssignmentSchema.parse(
        await ask("GET", `/v1/members/${encodeURIComponent(memberId)}/assignment${query}`),
      );
    },
    /** Tells for up to 1,000 members whether each is assigned, in the order asked. */
    async checkAssignments(memberIds: string[], trainerId?: string): Promise<z.infer<typeof checkSchema>> {
      return checkSchema.parse(await ask("POST", "/v1/assignments/check", { memberIds, trainerId }, true));
    },
    /** Lists all of a trainer's clients, oldest assignment first, page by page. */
    async *listClients(trainerId: string, status: Client["status"] = "active"): AsyncGenerator<Client> {
      let next: string | null = "";
      while (next !== null) {
        const cursor: string = next === "" ? "" : `&cursor=${encodeURIComponent(next)}`;
        const page: z.infer<typeof clientsSchema> = clientsSchema.parse(
          await ask("GET", `${clientsPath(trainerId)}?status=${status}&limit=1000${cursor}`),
        );
        yield* page.clients;
        next = page.next;
      }
    },
    /** Assigns a member to a trainer; a second call changes nothing. */
    async assign(trainerId: string, memberId: string, notes?: string): Promise<void> {
      await ask("PUT", `${clientsPath(trainerId)}/${encodeURIComponent(memberId)}`, { notes });
    },
    /** Ends an assignment. Not repeated: the second try would not find what the first has ended. */
    async end(trainerId: string, memberId: string): Promise<void> {
      await ask("DELETE", `${clientsPath(trainerId)}/${encodeURIComponent(memberId)}`, undefined, false);
    },
    /** Starts a backfill run. Not repeated: while one is under way the service refuses another, with `backfill_active`. */
    async startBackfill(request: { trainerId?: string; dryRun?: boolean } = {}): Promise<Backfill> {
      return runSchema.parse(await ask("POST", "/v1/backfills", request));
    },
    /** Tells how a run stands. */
    async getBackfill(runId: string): Promise<Backfill> {
      return runSchema.parse(await ask("GET", `/v1/backfills/${encodeURIComponent(runId)}`));
    },
  };

  async function ask(
    method: string,
    path: string,
    body?: unknown,
    isIdempotent = method === "GET" || method === "PUT",
  ): Promise<unknown> {
    for (let tries = 1;; tries++) {
      const mayRepeat = isIdempotent && tries < maxTries;
      try {
        const response = await send(new URL(path, baseUrl), {
          method,
          headers: {
            Authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (response.ok) return response.status === 204 ? undefined : await response.json();
        const error = await toError(response);
        if (!mayRepeat || ![429, 502, 503, 504].includes(response.status)) throw error;
        await wait(tries, (Number(response.headers.get("Retry-After")) || 0) * 1000);
      } catch (error) {
        if (error instanceof ApiError || !mayRepeat) throw error;
        await wait(tries, 0);
      }
    }
  }
}

function clientsPath(trainerId: string): string {
  return `/v1/trainers/${encodeURIComponent(trainerId)}/clients`;
}

/** A proxy in between may answer with something else than our problem details. */
async function toError(response: Response): Promise<ApiError> {
  const text = await response.text();
  const problem = problemSchema.safeParse(parseJson(text)).data;
  return new ApiError(
    response.status,
    problem?.code ?? "unknown",
    problem?.detail ?? `the answer was ${response.status}`,
    problem?.requestId ?? response.headers.get("X-Request-Id"),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Twice as long each time, by chance up to half less, so that many clients do not come back at once. */
async function wait(tries: number, leastMs: number): Promise<void> {
  const backoffMs = firstWaitMs * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
  const ms = Math.min(longestWaitMs, Math.max(leastMs, backoffMs));
  await new Promise((resolve) => setTimeout(resolve, ms));
}
