import { delay } from "../deadline.ts";
import { ApiError, toApiError } from "./api_error.ts";

/** Where the service is and how to ask it. */
export interface ClientOptions {
  /** Such as `https://trainers.example`, or with the path below which a proxy serves it. */
  baseUrl: string;
  token: string;
  /** How often something idempotent is tried; 4 where nothing is said. */
  maxTries?: number;
  /** How long an answer may take, each try; of a stream its beginning. 10,000 where nothing is said. */
  timeoutMs?: number;
  /** A `Retry-After` beyond this is not waited for: the error is thrown at once. 30,000 where nothing is said. */
  maxWaitMs?: number;
  /** Takes the place of `fetch`. */
  fetch?: typeof fetch;
}

/** Of one call. */
export interface CallOptions {
  /** Ends the call, its repetitions and its stream; it throws the signal's reason. */
  signal?: AbortSignal;
}

/** One request, which may be sent more than once. */
export interface ApiRequest<Answer> {
  method: string;
  path: string;
  /** The media type to ask for; a success in another is none of the service's. */
  type: string;
  /** The statuses that are no errors. */
  answers: readonly number[];
  headers?: Record<string, string>;
  body?: string | undefined;
  isIdempotent: boolean;
  /** Reads an answer, within the time that it may take. */
  read(response: Response): Promise<Answer>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
const TRANSIENT = [429, 502, 503, 504];

/**
 * Sends a request; what is idempotent again while the service, or the way to it, fails for a moment: after what
 * `Retry-After` says and ever longer, by chance, so that many clients do not come back at once.
 * @throws {ApiError} when the service refuses; the signal's reason; and what `fetch` throws when nobody answers.
 */
export async function send<Answer>(
  options: ClientOptions,
  request: ApiRequest<Answer>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Answer> {
  const { maxTries = 4 } = options;
  for (let tries = 1;; tries++) {
    try {
      return await sendOnce(options, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      const leastMs = error instanceof ApiError ? error.retryAfterSeconds * 1000 : 0;
      if (!request.isIdempotent || !isTransient(error, options) || tries >= maxTries) throw error;
      await delay(leastMs + backoffMs(tries), signal);
      signal.throwIfAborted();
    }
  }
}

/** Whether it may be gone after a wait that is not too long. */
export function isTransient(error: unknown, { maxWaitMs = 30_000 }: ClientOptions): boolean {
  if (!(error instanceof ApiError)) return true;
  return TRANSIENT.includes(error.status) && error.retryAfterSeconds * 1000 <= maxWaitMs;
}

/** Twice as long each time, by chance up to half less. */
export function backoffMs(tries: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);
}

async function sendOnce<Answer>(
  { baseUrl, token, timeoutMs = 10_000, fetch: given = fetch }: ClientOptions,
  { method, path, type, answers, headers, body, read }: ApiRequest<Answer>,
  signal: AbortSignal,
): Promise<Answer> {
  const silence = new AbortController();
  const late = new DOMException(`there was no answer within ${timeoutMs} ms`, "TimeoutError");
  const timer = setTimeout(() => silence.abort(late), timeoutMs);
  try {
    const response = await given(baseUrl.replace(/\/+$/, "") + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: type,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, silence.signal]),
    });
    const isOurs = response.status === 204 || response.headers.get("Content-Type")?.startsWith(type);
    if (!isOurs || !answers.includes(response.status)) throw await toApiError(response);
    return await read(response);
  } finally {
    clearTimeout(timer);
  }
}
