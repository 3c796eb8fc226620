import { Buffer } from "node:buffer";
import type net from "node:net";

export interface DeadConnectionOptions {
  /** After how long without anything of an answer a connection is suspected to be dead. */
  suspectAfterMs: number;
  /** After how long without the whole answer a connection is taken for dead in any case. */
  longestMs: number;
  /** Asked of a suspect: has the server been at work for us for so many milliseconds? A rejection: not known. */
  isAtWork: (forMs: number) => Promise<boolean>;
}

/** The longest wait while it is unknown whether the server is working. */
const LONGEST_UNKNOWN_MS = 10 * 60_000;

/** Once one connection was found dead, others are suspected after this part of the time. */
const SUSPICION = 0.2;

/** Between two questions whether the server is at work. */
const LONGEST_REST_MS = 30_000;

/**
 * What an answer ends with, but for the last byte, the transaction's state.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html (ReadyForQuery)
 */
const READY = Buffer.from([90, 0, 0, 0, 5]);

interface Connection {
  socket: net.Socket;
  /** The last bytes that came. */
  tail: Buffer;
  /** How much had been sent when the last answer ended. */
  answeredBytes: number;
  /** Since when something is sent whose answer has not come, or not all of it; Infinity where all has. */
  askedAt: number;
  /** When anything came last. */
  heardAt: number;
  /** When the server was first found not to be at work on it. */
  doubtedAt: number | undefined;
}

/**
 * Closes connections over which no answer comes any more, and those that have been idle
 * since. Mends a lack of the driver: TCP itself gives up a silent connection only after a quarter of an hour. One over which answers drip
 * is closed once it is too late.
 * @returns what takes a connection under watch
 */
export function watchForDeadConnections(
  { suspectAfterMs, longestMs, isAtWork }: DeadConnectionOptions,
): (socket: net.Socket) => void {
  const connections = new Set<Connection>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isAsking = false;
  let askAgainAt = 0;
  let lookedAt = 0;
  let lossFoundAt = -Infinity;

  return (socket) => {
    const connection: Connection = {
      socket,
      tail: Buffer.alloc(0),
      answeredBytes: 0,
      askedAt: Infinity,
      heardAt: performance.now(),
      doubtedAt: undefined,
    };
    connections.add(connection);
    socket.on("data", (data) => {
      if (typeof data !== "string") hear(connection, data); // strings come where an encoding is set
    });
    socket.once("close", () => {
      connections.delete(connection);
      if (connections.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    if (timer !== undefined) return;
    lookedAt = performance.now();
    timer = setInterval(look, suspectAfterMs / 10);
    Deno.unrefTimer(Number(timer));
  };

  /** A part of an answer, which may break off before its end, is a sign of life and no more. */
  function hear(connection: Connection, data: Buffer): void {
    const { socket, tail } = connection;
    connection.heardAt = performance.now();
    connection.doubtedAt = undefined;
    connection.tail = (data.length > READY.length ? data : Buffer.concat([tail, data]))
      .subarray(-READY.length - 1);
    if (connection.tail.indexOf(READY) === 0) {
      connection.answeredBytes = socket.bytesWritten;
      connection.askedAt = Infinity;
    }
  }

  async function look(): Promise<void> {
    const now = performance.now();
    const wasAway = now - lookedAt >= suspectAfterMs; // this process was: what came meanwhile is read next
    lookedAt = now;
    if (wasAway) return;
    for (const connection of connections) {
      const { socket, answeredBytes, askedAt } = connection;
      if (socket.bytesWritten > answeredBytes) connection.askedAt = Math.min(askedAt, now);
    }
    const waiting = [...connections].filter(({ askedAt }) => askedAt < Infinity);
    const late = waiting.filter(({ askedAt }) => now - askedAt >= longestMs);
    if (late.length > 0) return close(late);
    const silent = waiting.filter(({ askedAt, heardAt }) =>
      now - Math.max(askedAt, heardAt) >=
        (askedAt < lossFoundAt ? suspectAfterMs * SUSPICION : suspectAfterMs)
    );
    if (silent.length === 0) askAgainAt = 0;
    if (silent.length === 0 || isAsking || now < askAgainAt) return;
    isAsking = true;
    const waits = silent.map(({ askedAt }) => now - askedAt);
    const doubts = silent.flatMap(({ doubtedAt }) => doubtedAt === undefined ? [] : [now - doubtedAt]);
    const areStillSilent = () => silent.filter(({ heardAt }) => heardAt < now);
    try {
      // For half the time: what was sent may have taken the other half to arrive.
      if (await isAtWork(Math.min(...waits.map((ms) => ms / 2), ...doubts))) {
        for (const connection of silent) connection.doubtedAt = undefined;
        askAgainAt = now + Math.min(Math.max(...waits) / 2, LONGEST_REST_MS);
      } else {
        doubt(areStillSilent());
        askAgainAt = performance.now() + Math.min(...waits) / 4;
      }
    } catch {
      if (Math.max(...waits) >= LONGEST_UNKNOWN_MS) close(areStillSilent());
    } finally {
      isAsking = false;
    }
  }

  /**
   * Closes those that are doubted a second time. Once is not enough: behind a pooler a statement may have waited for its
   * turn until now, and is at work from now on.
   */
  function doubt(silent: Connection[]): void {
    const now = performance.now();
    close(silent.filter(({ doubtedAt }) => doubtedAt !== undefined));
    for (const connection of silent) connection.doubtedAt ??= now;
  }

  function close(lost: Connection[]): void {
    if (lost.length === 0) return;
    lossFoundAt = performance.now();
    const since = Math.min(...lost.map(({ askedAt }) => askedAt));
    const rested = [...connections].filter(({ askedAt, heardAt }) => askedAt === Infinity && heardAt < since);
    for (const { socket } of [...lost, ...rested]) socket.destroy();
  }
}
