import { hash } from "node:crypto";
import { hasEnded, type Run } from "../runs/progress.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import { createSlots } from "./slots.ts";

/** The id of every stream's last event. A client that returns with it has seen everything. */
export const FINISHED_EVENT_ID = "finished";

/** Follows runs. */
export interface RunEventsOptions {
  readRun: (id: string) => Promise<Run>;
  log: Logger;
  outageLog?: OutageLog | undefined;
  /** Ends all streams, so that the server can drain. */
  shutdown: AbortSignal;
  maxStreams?: number;
  pollMs?: number;
  heartbeatMs?: number;
}

/** Opens a stream of one run's events; throws {@link Problem} `too_many_streams` when as many as allowed are open. */
export type OpenRunEvents = (run: Run, lastEventId: string | undefined) => ReadableStream<Uint8Array>;

/**
 * One state of a run, ready to be sent. Its id is made from its content: all replicas give the same state the
 * same id.
 */
interface Snapshot {
  id: string;
  data: string;
  ended: boolean;
}

/** A run with followers. One timer asks the database for all of them. */
interface Feed {
  latest: Snapshot;
  wakeWatchers: Set<() => void>;
  timer?: ReturnType<typeof setTimeout>;
}

/**
 * Makes the feeds of run events of one replica.
 *
 * Every `progress` event has the whole run, so following, resuming and catching up are the same: the latest
 * state is sent, unless the client names it as its last. A slow reader skips states, so memory does not
 * grow. When the run has ended, `finished` follows and the stream closes.
 */
export function createRunEvents(options: RunEventsOptions): OpenRunEvents {
  const { readRun, log, outageLog, shutdown, maxStreams = 100, pollMs = 1_000, heartbeatMs = 15_000 } =
    options;
  const feeds = new Map<string, Feed>();
  const takeSlot = createSlots(maxStreams);
  shutdown.addEventListener("abort", () => feeds.forEach(wake));

  function scheduleRead(id: string, feed: Feed): void {
    feed.timer = setTimeout(async () => {
      try {
        update(feed, toSnapshot(await readRun(id)));
      } catch (error) {
        // The database may be away for a while: streams stay open, and go on when it is back.
        if (!outageLog?.covers(error)) {
          log.warn({ runId: id, err: error }, "run events wait for the database");
        }
      }
      if (feed.wakeWatchers.size > 0 && !feed.latest.ended && !shutdown.aborted) scheduleRead(id, feed);
    }, pollMs);
  }

  function join(id: string, snapshot: Snapshot, wakeMe: () => void): Feed {
    const feed = feeds.get(id) ?? { latest: snapshot, wakeWatchers: new Set() };
    update(feed, snapshot);
    feed.wakeWatchers.add(wakeMe);
    if (!feeds.has(id)) {
      feeds.set(id, feed);
      if (!snapshot.ended) scheduleRead(id, feed);
    }
    return feed;
  }

  function leave(id: string, feed: Feed, wakeMe: () => void): void {
    feed.wakeWatchers.delete(wakeMe);
    if (feed.wakeWatchers.size > 0 || feeds.get(id) !== feed) return;
    clearTimeout(feed.timer);
    feeds.delete(id);
  }

  return (run, lastEventId) => {
    const snapshot = toSnapshot(run);
    const giveBackSlot = takeSlot();
    let wakeMe = () => {};
    const wakeUp = () => wakeMe();
    const feed = join(run.id, snapshot, wakeUp);
    let sentId = lastEventId;
    let cancelled = false;
    const end = () => {
      leave(run.id, feed, wakeUp);
      giveBackSlot();
    };

    /**
     * Waits for a change; the text to send when nothing has changed for as long as a proxy may close the
     * connection.
     */
    const waitForChange = () =>
      new Promise<string>((resolve) => {
        const heartbeat = setTimeout(() => resolve(": heartbeat\n\n"), heartbeatMs);
        wakeMe = () => {
          clearTimeout(heartbeat);
          resolve("");
        };
      });
    const nextText = async (): Promise<string> => {
      let text = "";
      while (
        text === "" && feed.latest.id === sentId && !feed.latest.ended && !cancelled && !shutdown.aborted
      ) {
        text = await waitForChange();
      }
      if (text !== "" || feed.latest.id === sentId || shutdown.aborted) return text;
      sentId = feed.latest.id;
      return toEvent("progress", sentId, feed.latest.data);
    };

    return new ReadableStream({
      async pull(controller) {
        const text = await nextText();
        if (cancelled) return;
        const ended = feed.latest.ended && feed.latest.id === sentId;
        const closing = ended ? toEvent("finished", FINISHED_EVENT_ID, feed.latest.data) : "";
        if (text + closing !== "") controller.enqueue(new TextEncoder().encode(text + closing));
        if (ended || shutdown.aborted) {
          controller.close();
          end();
        }
      },
      cancel() {
        cancelled = true;
        wakeMe();
        end();
      },
    }, { highWaterMark: 0 });
  };
}

function update(feed: Feed, snapshot: Snapshot): void {
  // What has ended stays so: an answer that was read before and arrives after must not bring it back.
  if (feed.latest.ended || feed.latest.id === snapshot.id) return;
  feed.latest = snapshot;
  wake(feed);
}

function wake(feed: Feed): void {
  feed.wakeWatchers.forEach((wakeWatcher) => wakeWatcher());
}

function toSnapshot(run: Run): Snapshot {
  const data = JSON.stringify(run);
  return { id: hash("sha256", data, "base64url").slice(0, 16), data, ended: hasEnded(run) };
}

function toEvent(event: string, id: string, data: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;
}
