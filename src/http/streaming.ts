import type { Context } from "hono";
import type { Logger } from "../telemetry/log.ts";
import type { AppEnv } from "./env.ts";
import type { ExportFormat } from "./formats.ts";
import type { TakeSlot } from "./slots.ts";
import { liftTimeLimit } from "./time_limit.ts";

/**
 * The most exports that a replica writes at once: each keeps a chunk of rows in memory and makes the database
 * read.
 */
export const MAX_EXPORTS = 8;
/** Closes an export whose reader takes nothing for this long, which frees its slot. */
const STALL_TIMEOUT_MS = 60_000;

/** What to stream, and how. */
export interface RowStream<Chunk = object[]> {
  chunks: AsyncIterable<Chunk>;
  format: ExportFormat<Chunk>;
  /** Without its extension. */
  filename: string;
  takeSlot: TakeSlot;
  log: Logger;
  stallTimeoutMs?: number;
}

/**
 * Streams all rows in constant memory: a chunk is read from the database when the reader has taken the one before.
 * When the reader goes away or stalls, or the database fails midway, the source is told to stop; in the latter two
 * cases the connection is cut without the closing chunk, so that a part cannot pass for the whole. What fails before
 * the first row is still an ordinary error.
 */
export async function streamRows<Chunk>(c: Context<AppEnv>, stream: RowStream<Chunk>): Promise<Response> {
  const { chunks, format, filename, takeSlot } = stream;
  const headers = {
    "Content-Type": format.contentType,
    "Content-Disposition": `attachment; filename="${filename}.${format.extension}"`,
  };
  // A HEAD request has no reader: nothing may be opened that only a reader would close.
  if (c.req.method === "HEAD") return c.body(null, 200, headers);

  liftTimeLimit(c);
  const giveBackSlot = takeSlot();
  try {
    const iterator = chunks[Symbol.asyncIterator]();
    return c.body(
      toBody(iterator, await iterator.next(), stream, c.var.requestId, giveBackSlot),
      200,
      headers,
    );
  } catch (error) {
    giveBackSlot();
    throw error;
  }
}

function toBody<Chunk>(
  iterator: AsyncIterator<Chunk>,
  first: IteratorResult<Chunk>,
  { format, log, stallTimeoutMs = STALL_TIMEOUT_MS }: RowStream<Chunk>,
  requestId: string,
  giveBackSlot: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pending: IteratorResult<Chunk> | undefined = first;
  let head = format.head;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const stop = async () => {
    stopped = true;
    clearTimeout(stalled);
    giveBackSlot();
    await iterator.return?.();
  };
  const cut = async (controller: ReadableStreamDefaultController, error: unknown) => {
    log.warn({ event: "download_cut_off", requestId, err: error });
    controller.error(new Error("the export was cut off")); // the runtime prints it: no particulars
    await stop();
  };
  const awaitReader = (controller: ReadableStreamDefaultController) => {
    stalled = setTimeout(() => cut(controller, new Error("the reader takes nothing")), stallTimeoutMs);
  };

  return new ReadableStream({
    start: awaitReader,
    async pull(controller) {
      clearTimeout(stalled);
      try {
        // The runtime pulls again only after bytes: a chunk without rows is passed over here.
        for (let hasBytes = false; !hasBytes;) {
          const { done, value } = pending ?? await iterator.next();
          pending = undefined;
          if (stopped) return;
          for (const part of [head, done ? "" : format.write(value)]) {
            const bytes = typeof part === "string" ? encoder.encode(part) : part;
            if (bytes.length === 0) continue;
            controller.enqueue(bytes);
            hasBytes = true;
          }
          head = "";
          if (done) {
            controller.close();
            return await stop();
          }
        }
        awaitReader(controller);
      } catch (error) {
        if (!stopped) await cut(controller, error);
      }
    },
    cancel: stop,
  }, { highWaterMark: 0 });
}
