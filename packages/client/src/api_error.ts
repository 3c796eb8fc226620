import type { Problem, ProblemCode } from "./operations.ts";

/** The codes of this version, and any code of a later service. `unknown`: the answer is not the service's. */
export type ApiErrorCode = ProblemCode | "unknown" | (string & Record<never, never>);

/** An answer that is not a success, from the service or from a proxy in between. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    /** Stable: branch on it. */
    readonly code: ApiErrorCode,
    message: string,
    /** Finds the reason in the service's log. */
    readonly requestId: string | null,
    /** Seconds until a retry makes sense; 0 if the answer did not say. */
    readonly retryAfterSeconds: number,
    /** The whole problem: the errors of the input (`errors`), the `runId` of a `backfill_active` or `transfer_active`, … */
    readonly problem: Problem | null,
  ) {
    super(message);
  }
}

/** Reads the error from an answer. */
export async function toApiError(response: Response): Promise<ApiError> {
  const problem = readProblem(await response.text());
  return new ApiError(
    response.status,
    problem?.code ?? "unknown",
    problem?.detail ?? `the answer was ${response.status}`,
    problem?.requestId ?? response.headers.get("X-Request-Id"),
    readRetryAfter(response.headers.get("Retry-After")),
    problem,
  );
}

function readProblem(text: string): Problem | null {
  try {
    const value: unknown = JSON.parse(text);
    return isProblem(value) ? value : null;
  } catch {
    return null;
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null &&
    "code" in value && typeof value.code === "string" &&
    "detail" in value && typeof value.detail === "string" &&
    "requestId" in value && typeof value.requestId === "string";
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function readRetryAfter(value: string | null): number {
  if (value === null) return 0;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Math.max(0, seconds || 0);
}
