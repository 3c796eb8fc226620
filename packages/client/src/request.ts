import { delay } from "./deadline.ts";
import { ApiError, toApiError } from "./api_error.ts";

/** Where the service is and how to call it. */
export interface ClientOptions {
  /** For example `https://trainers.example`, with a path if a proxy serves it below one. */
  baseUrl: string;
  token: string;
  /** The most tries of an idempotent request; 4 by default. */
  maxTries?: number;
  /** The time for an answer, per try; for a stream until it begins. 10,000 by default. */
  timeoutMs?: number;
  /** If `Retry-After` is longer than this, the error is thrown at once. 30,000 by default. */
  maxWaitMs?: number;
  /** Replaces `fetch`. */
  fetch?: typeof fetch;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call, its retries and its stream; the call throws the signal's reason. */
  signal?: AbortSignal;
}

/** One request, which may be sent more than once. */
export interface ApiRequest<Answer> {
  method: string;
  path: string;
  /** The media type to ask for. A success of another type did not come from the service. */
  type: string;
  /** The statuses that are not errors. */
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
 * Sends a request. Retries an idempotent one after a transient failure of the service or the network: after
 * `Retry-After`, plus an exponential backoff with jitter, so that many clients do not return at once.
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

/** Whether the error may disappear within a wait of at most `maxWaitMs`. */
export function isTransient(error: unknown, { maxWaitMs = 30_000 }: ClientOptions): boolean {
  if (!(error instanceof ApiError)) return true;
  return TRANSIENT.includes(error.status) && error.retryAfterSeconds * 1000 <= maxWaitMs;
}

/** Exponential backoff: doubles each time; jitter takes off up to half. */
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
