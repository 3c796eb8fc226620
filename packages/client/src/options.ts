/** Where the service is and how to call it. */
export interface ClientOptions {
  /** For example `https://trainers.example`, with a path if a proxy serves it below one. */
  baseUrl: string;
  token: string;
  /** The most tries of an idempotent request; 4 by default. */
  maxTries?: number;
  /** The time for an answer, per try; for a stream until it begins. 35,000 by default: the service gives up after 30,000. */
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
  /** Replaces the client's `timeoutMs`. */
  timeoutMs?: number;
}

const ADDRESS = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/i;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** @throws {TypeError} for a `baseUrl` or `token` with which no request can be made. */
export function checkOptions({ baseUrl, token }: ClientOptions): void {
  if (!ADDRESS.test(baseUrl) || !URL.canParse(baseUrl)) {
    throw new TypeError(
      "baseUrl must be an http or https address such as https://trainers.example, without credentials and query",
    );
  }
  if (!VISIBLE_ASCII.test(token)) {
    throw new TypeError("token must have visible ASCII characters only, and at least one");
  }
}
