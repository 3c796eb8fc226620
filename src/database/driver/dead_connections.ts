import { Buffer } from "node:buffer";
import type net from "node:net";

export interface DeadConnectionOptions {
  /** Suspects a connection that has waited this long for an answer without receiving a byte. */
  suspectAfterMs: number;
  /** Closes a connection whose answer is still incomplete after this long. */
  longestMs: number;
  /**
   * Tells whether the server has worked for us this long. Called for suspects; rejects when the server cannot
   * say.
   */
  isAtWork: (forMs: number) => Promise<boolean>;
}

/** The longest wait while it is unknown whether the server is at work. */
const LONGEST_UNKNOWN_MS = 10 * 60_000;

/** After one connection was found dead, others are suspected after this fraction of the usual time. */
const EARLY_SUSPICION_RATIO = 0.2;

/** The longest pause between two questions whether the server is at work. */
const LONGEST_PAUSE_MS = 30_000;

/**
 * The end of every answer, without its last byte, the transaction's state.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html (ReadyForQuery)
 */
const READY = Buffer.from([90, 0, 0, 0, 5]);

interface Connection {
  socket: net.Socket;
  /** The last bytes received. */
  tail: Buffer;
  /** The bytes sent when the last answer ended. */
  answeredBytes: number;
  /** Since when a complete answer is missing; Infinity when everything is answered. */
  askedAt: number;
  /** When the last byte was received. */
  heardAt: number;
  /** When the server first said that it is not at work on it. */
  doubtedAt: number | undefined;
}

/**
 * Closes dead connections: those that wait in vain for an answer, and those that have been idle since. Mends a
 * defect of the driver: it waits without limit, and TCP gives up a silent connection only after a quarter of an
 * hour.
 * @returns a function that starts to watch a connection
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
      if (typeof data !== "string") hear(connection, data); // a string only if an encoding is set
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

  /** Every byte is a sign of life; only the end of an answer ends the wait for it. */
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
    const wasAway = now - lookedAt >= suspectAfterMs; // this process was suspended: what arrived meanwhile is read next
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
        (askedAt < lossFoundAt ? suspectAfterMs * EARLY_SUSPICION_RATIO : suspectAfterMs)
    );
    if (silent.length === 0) askAgainAt = 0;
    if (silent.length === 0 || isAsking || now < askAgainAt) return;
    isAsking = true;
    const waits = silent.map(({ askedAt }) => now - askedAt);
    const doubts = silent.flatMap(({ doubtedAt }) => doubtedAt === undefined ? [] : [now - doubtedAt]);
    const areStillSilent = () => silent.filter(({ heardAt }) => heardAt < now);
    try {
      // Half the wait: the statement may have needed the other half to arrive.
      if (await isAtWork(Math.min(...waits.map((ms) => ms / 2), ...doubts))) {
        for (const connection of silent) connection.doubtedAt = undefined;
        askAgainAt = now + Math.min(Math.max(...waits) / 2, LONGEST_PAUSE_MS);
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
   * Closes connections that are doubted for the second time. Once is not enough: behind a pooler, a statement
   * may have waited for its turn until now.
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
    const idle = [...connections].filter(({ askedAt, heardAt }) => askedAt === Infinity && heardAt < since);
    for (const { socket } of [...lost, ...idle]) socket.destroy();
  }
}
