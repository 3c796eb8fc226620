import { toApiError } from "./api_error.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { isLate, waitToRetry } from "./retries.ts";

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
  /** Not repeated if it took too long: it would again. */
  isHeavy: boolean;
  /** Reads an answer, within the time that it may take. */
  read(response: Response): Promise<Answer>;
}

/**
 * Sends a request. Retries an idempotent one after a transient failure of the service or the network.
 * @throws {ApiError} when the service refuses; the signal's reason; and what `fetch` throws when nobody answers.
 */
export async function send<Answer>(
  options: ClientOptions,
  request: ApiRequest<Answer>,
  call: CallOptions = {},
): Promise<Answer> {
  const sendOnce = prepare(options, request, call);
  for (let tries = 1;; tries++) {
    try {
      return await sendOnce();
    } catch (error) {
      call.signal?.throwIfAborted();
      if (!request.isIdempotent || (request.isHeavy && isLate(error))) throw error;
      await waitToRetry(error, tries, options, call.signal);
    }
  }
}

/**
 * Prepares a request; what it returns sends it once. Throws if it cannot be sent as it is, so that whatever fails
 * in sending is the service's or the network's.
 */
export function prepare<Answer>(
  options: ClientOptions,
  { method, path, type, answers, headers, body, read }: ApiRequest<Answer>,
  { signal, timeoutMs = options.timeoutMs ?? 35_000 }: CallOptions,
): () => Promise<Answer> {
  const { baseUrl, token, fetch: given = fetch } = options;
  const url = baseUrl.replace(/\/+$/, "") + path;
  const init = {
    method,
    headers: new Headers({
      Authorization: `Bearer ${token}`,
      Accept: type,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    }),
    ...(body === undefined ? {} : { body }),
  };
  return async () => {
    const silence = new AbortController();
    const late = new DOMException(`there was no answer within ${timeoutMs} ms`, "TimeoutError");
    const timer = setTimeout(() => silence.abort(late), timeoutMs);
    const ends = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    try {
      const response = await given(url, { ...init, signal: ends });
      const isOurs = response.status === 204 || response.headers.get("Content-Type")?.startsWith(type);
      if (!isOurs || !answers.includes(response.status)) throw await toApiError(response);
      return await read(response);
    } finally {
      clearTimeout(timer);
    }
  };
}
