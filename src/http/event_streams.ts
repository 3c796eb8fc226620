import type { OutageLog } from "../database/outage_log.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../telemetry/log.ts";
import { type EventPage, isAfter, type Place, START } from "../webhooks/events.ts";
import { writeEventCursor } from "./event_cursor.ts";
import { createSlots, type TakeSlot } from "./slots.ts";

/** Follows messages. */
export interface EventStreamsOptions {
  /** Finds the newest message of any type, after one that is known. */
  readNewest: (after: Place) => Promise<Place>;
  log: Logger;
  outageLog?: OutageLog | undefined;
  /** Ends all streams, so that the server can drain. */
  shutdown: AbortSignal;
  maxStreams?: number;
  pollMs?: number;
  heartbeatMs?: number;
}

/** Reads messages of the wanted types after a place; null: from the first one kept. */
export type ReadEventPage = (after: Place | null) => Promise<EventPage>;

/** Opens a stream of messages after a place. Throws what the first page throws, and `too_many_streams`. */
export type OpenEventStream = (
  read: ReadEventPage,
  after: Place | null,
) => Promise<ReadableStream<Uint8Array>>;

/**
 * Makes the streams of messages of one replica. One timer asks the database for all of them whether there is anything new; each
 * then reads its own pages, as fast as its reader takes them, so memory does not grow.
 */
export function createEventStreams(options: EventStreamsOptions): OpenEventStream {
  const { readNewest, log, outageLog, shutdown, maxStreams = 100, pollMs = 500, heartbeatMs = 15_000 } =
    options;
  const takeSlot: TakeSlot = createSlots(maxStreams);
  const watchers = new Set<() => void>();
  let newest = START;
  let generation = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wakeAll = () => watchers.forEach((wake) => wake());
  shutdown.addEventListener("abort", wakeAll);

  function schedulePoll(): void {
    timer ??= setTimeout(async () => {
      try {
        newest = await readNewest(newest);
      } catch (error) {
        if (error instanceof AppError) endAll(error);
        else warn(error);
      }
      timer = undefined;
      wakeAll();
      if (watchers.size > 0 && !shutdown.aborted) schedulePoll();
    }, pollMs);
  }

  /** The database was restored from before what these streams know. Their readers come back, and are told so. */
  function endAll(error: AppError): void {
    log.warn({ err: error }, "event streams ended");
    newest = START;
    generation++;
  }

  function warn(error: unknown): void {
    if (!outageLog?.covers(error)) log.warn({ err: error }, "event streams wait for the database");
  }

  return async (read, after) => {
    const giveBackSlot = takeSlot();
    let page: EventPage | undefined; // what to send next
    try {
      page = await read(after);
    } catch (error) {
      giveBackSlot();
      throw error;
    }
    let place = after ?? START;
    let lookedAt: Place | undefined;
    let isBehind = true;
    const ownGeneration = generation;
    let hasEnded = false;
    let isCancelled = false;
    let wakeMe = () => {};
    const wake = () => wakeMe();
    watchers.add(wake);
    schedulePoll();

    function end(): void {
      hasEnded = true;
      watchers.delete(wake);
      giveBackSlot();
      wakeMe();
    }

    function wait(ms: number): Promise<void> {
      return new Promise((resolve) => {
        const over = setTimeout(resolve, ms);
        wakeMe = () => {
          clearTimeout(over);
          resolve();
        };
      });
    }

    /** The next events; a heartbeat when there are none for as long as a proxy may close the connection. */
    async function nextText(): Promise<string> {
      const heartbeatAt = performance.now() + heartbeatMs;
      while (!hasEnded && !shutdown.aborted && generation === ownGeneration) {
        const leftMs = heartbeatAt - performance.now();
        if (page !== undefined) {
          const { events, next } = page;
          isBehind = isAfter(next, place);
          place = next;
          page = undefined;
          if (events.length > 0) return events.map(toText).join("") + toPlaceText(place);
        } else if (leftMs <= 0) {
          return `: heartbeat\n${toPlaceText(place)}`;
        } else if (isBehind || (newest !== lookedAt && isAfter(newest, place))) {
          lookedAt = newest;
          page = await tryToRead();
        } else {
          await wait(leftMs);
        }
      }
      return "";
    }

    async function tryToRead(): Promise<EventPage | undefined> {
      try {
        return await read(place);
      } catch (error) {
        if (error instanceof AppError) throw error;
        warn(error);
        isBehind = true;
        await wait(heartbeatMs);
        return undefined;
      }
    }

    return new ReadableStream({
      async pull(controller) {
        const text = await nextText().catch((error) => {
          log.warn({ err: error }, "event stream ended"); // its reader comes back, and is told why
          end();
          return "";
        });
        if (isCancelled) return;
        if (text !== "") return controller.enqueue(new TextEncoder().encode(text));
        controller.close();
        end();
      },
      cancel() {
        isCancelled = true;
        end();
      },
    }, { highWaterMark: 0 });
  };
}

function toText({ place, ...message }: EventPage["events"][number]): string {
  return `id: ${writeEventCursor(place)}\ndata: ${JSON.stringify(message)}\n\n`;
}

/** Moves the reader's `Last-Event-ID` past messages that it does not get; an event without data is none. */
function toPlaceText(place: Place): string {
  return `id: ${writeEventCursor(place)}\n\n`;
}
