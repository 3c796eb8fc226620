import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Buffer } from "node:buffer";
import { findUrlProblem } from "./address.ts";
import { type ConnectOptions, createConnections } from "./connect.ts";
import { type Answer, describeFailure, describeTimeout, type Outcome } from "./outcome.ts";
import { parseRetryAfter } from "./retry.ts";

const LIMIT_MS = 15_000;
const MAX_READ_BYTES = 65_536;
const KEPT_CHARACTERS = 2000;

/** One message for one receiver. */
export interface Letter {
  url: string;
  /** Beside those that every message has, such as the signature. */
  headers: Readonly<Record<string, string>>;
  /** JSON, exactly as it was signed. */
  body: string;
}

/** Sends messages to receivers, over connections that it keeps. */
export interface Sender {
  /**
   * Sends one POST, once, and follows no redirect. Resolves to what came of it, within the time limit. Rejects with
   * the signal's reason, and then whether the message arrived is unknown; or before it sends, if no request can be made.
   */
  post(letter: Letter, signal: AbortSignal): Promise<Outcome>;
  /** Closes all connections. */
  close(): void;
}

/**
 * Creates a sender.
 * @param options.limitMs for the whole exchange: resolve, connect, headers and body
 */
export function createSender(options: ConnectOptions & { limitMs?: number }): Sender {
  const connections = createConnections(options);
  const limitMs = options.limitMs ?? LIMIT_MS;
  return { post, close };

  async function post({ url, headers, body }: Letter, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted();
    const problem = findUrlProblem(url, options.allowPrivate);
    if (problem !== null) {
      return { failed: "refused_address", tookMs: 0, message: `the URL ${problem}` };
    }
    const startedAt = performance.now();
    const tookMs = () => Math.round(performance.now() - startedAt);
    const target = new URL(url);
    const isTls = target.protocol === "https:";
    const request = (isTls ? requestHttps : requestHttp)(target, {
      method: "POST",
      agent: isTls ? connections.https : connections.http,
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "trainer-assignment",
      },
      signal,
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      request.destroy();
    }, limitMs);
    try {
      return { ...await exchange(request, body), tookMs: tookMs() };
    } catch (error) {
      signal.throwIfAborted();
      const failure = isLate ? describeTimeout(target.host, limitMs) : describeFailure(error, target.host);
      return { ...failure, tookMs: tookMs() };
    } finally {
      clearTimeout(timer);
    }
  }

  function close(): void {
    connections.http.destroy();
    connections.https.destroy();
  }
}

async function exchange(request: ClientRequest, body: string): Promise<Omit<Answer, "tookMs">> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.on("response", resolve);
  request.on("error", reject);
  // Without an error for example after "101 Switching Protocols".
  request.on("close", () => reject(new Error("the connection was closed")));
  request.end(body);
  const response = await promise;
  return {
    status: response.statusCode ?? 0,
    answer: await readStart(response),
    retryAfterSeconds: parseRetryAfter(response.headers["retry-after"], new Date()),
  };
}

/** Reads a body to its end, or closes the connection when it has read enough. */
async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_READ_BYTES) break;
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text.replaceAll("\0", "").slice(0, KEPT_CHARACTERS).toWellFormed();
}
