import type net from "node:net";

export interface SilenceOptions {
  /** How long an answer may keep its connection waiting. */
  longestMs: number;
  /**
   * Asked where statements may take longer than that: is the server at work for us, for so many milliseconds? A rejection
   * means that nobody knows.
   */
  isAtWork?: ((forMs: number) => Promise<boolean>) | undefined;
}

/** Where nobody knows whether the server is still at work, what takes longer than this is taken for lost. */
const LONGEST_UNKNOWN_MS = 10 * 60_000;

interface Connection {
  socket: net.Socket;
  /** How much had been sent when the last answer came. */
  answeredBytes: number;
  /** Since when something is sent that is not answered; Infinity when all is. */
  askedAt: number;
  heardAt: number;
}

/**
 * Watches connections and closes those over which an answer no longer comes, and with them those that have rested
 * since. Where packets vanish, nothing else does: TCP itself tries for a quarter of an hour. It takes up to a tenth
 * longer than it should.
 * @returns what takes a connection under watch
 */
export function watchSilence({ longestMs, isAtWork }: SilenceOptions): (socket: net.Socket) => void {
  const connections = new Set<Connection>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isAsking = false;

  return (socket) => {
    const connection = { socket, answeredBytes: 0, askedAt: Infinity, heardAt: performance.now() };
    connections.add(connection);
    socket.on("data", () => {
      connection.answeredBytes = socket.bytesWritten;
      connection.askedAt = Infinity;
      connection.heardAt = performance.now();
    });
    socket.once("close", () => {
      connections.delete(connection);
      if (connections.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    if (timer !== undefined) return;
    timer = setInterval(look, longestMs / 10);
    Deno.unrefTimer(Number(timer));
  };

  async function look(): Promise<void> {
    const now = performance.now();
    for (const connection of connections) {
      const { socket, answeredBytes, askedAt } = connection;
      if (socket.bytesWritten > answeredBytes) connection.askedAt = Math.min(askedAt, now);
    }
    const overdue = [...connections].map(({ askedAt }) => askedAt).filter((at) => now - at >= longestMs);
    if (overdue.length === 0 || isAsking) return;
    const [first, last] = [Math.min(...overdue), Math.max(...overdue)];
    isAsking = true;
    const areLost = await areOverdueLost(now - first, now - last);
    isAsking = false;
    if (!areLost) return;
    for (const { socket, askedAt, heardAt } of connections) {
      const hasRested = askedAt === Infinity && heardAt < first;
      if (askedAt <= last || hasRested) socket.destroy();
    }
  }

  async function areOverdueLost(longestWaitMs: number, shortestWaitMs: number): Promise<boolean> {
    if (isAtWork === undefined) return true;
    try {
      return !await isAtWork(shortestWaitMs / 2); // what was sent may have taken its time to arrive
    } catch {
      return longestWaitMs > LONGEST_UNKNOWN_MS;
    }
  }
}
