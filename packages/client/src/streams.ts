import { delay, inTime } from "./deadline.ts";
import { readEvents } from "./events.ts";
import type { Operations, Run } from "./operations.ts";
import { backoffMs, type CallOptions, type ClientOptions, isTransient, send } from "./request.ts";
import { type Input, toRequest } from "./routes.ts";

/** A stream that is silent for longer is dead: a run sends a heartbeat every 15 s, a download its rows at once. */
const SILENCE_MS = 60_000;

/** The lists that can be downloaded. */
export type Downloadable = {
  [Id in keyof Operations]: Operations[Id] extends { row: unknown } ? Id : never;
}[keyof Operations];

/** The input of a download, which is always the whole list. */
export type DownloadInput<Id extends Downloadable> = Omit<Input<Id>, "limit" | "cursor">;

/** The operations that follow a run. */
export type Follow = "followBackfill" | "followTransfer";

/** Opens a download of any length. The reader must read it to its end, or cancel it. */
export async function openDownload<Id extends Downloadable>(
  options: ClientOptions,
  type: "text/csv" | "application/x-ndjson",
  id: Id,
  input: DownloadInput<Id>,
  { signal }: CallOptions = {},
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return await send(options, { ...toRequest(id, input, bodyOf), type }, signal);
}

/** Reads a download row by row. Throws if it breaks off midway; it is not retried, because rows were already read. */
export async function* readRows<Id extends Downloadable>(
  options: ClientOptions,
  id: Id,
  input: DownloadInput<Id>,
  call?: CallOptions,
): AsyncGenerator<Operations[Id]["row"]> {
  let begun = "";
  for await (const text of readText(await openDownload(options, "application/x-ndjson", id, input, call))) {
    const lines = (begun + text).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
  if (begun !== "") throw new Error("the download broke off"); // what ends as it should ends with a line
}

/**
 * Follows a run until it ends: yields each state that it sees, the last one included. Reconnects a stream that
 * breaks off and continues after the last state; gives up after `maxTries` consecutive tries without a new
 * state.
 */
export async function* followRun(
  options: ClientOptions,
  operation: Follow,
  { id }: Input<Follow>,
  { signal = new AbortController().signal }: CallOptions = {},
): AsyncGenerator<Run> {
  const { maxTries = 4 } = options;
  const request = toRequest(operation, { id }, bodyOf);
  let headers: Record<string, string> = {};
  for (let tries = 1;; tries++) {
    try {
      const body = await send(options, { ...request, headers }, signal);
      for await (const event of readEvents(readText(body))) {
        if (event.event === "finished") return;
        yield JSON.parse(event.data);
        headers = { "Last-Event-ID": event.id ?? "" };
        tries = 0;
      }
      if (tries >= maxTries) throw new Error("the events of the run broke off");
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error, options) || tries >= maxTries) throw error;
    }
    await delay(backoffMs(tries), signal);
    signal.throwIfAborted();
  }
}

/** Reads a stream that may be silent for a limited time; cancels it when nobody reads on. */
async function* readText(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(
        reader.read(),
        SILENCE_MS,
        () => new Error(`the stream was silent for ${SILENCE_MS} ms`),
      );
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // one that broke off cannot be cancelled
  }
}

function bodyOf(response: Response): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  return Promise.resolve(response.body ?? new Blob().stream());
}
