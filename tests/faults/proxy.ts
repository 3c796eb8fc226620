import { Buffer } from "node:buffer";
import net from "node:net";
import { Conversation } from "./conversation.ts";

/**
 * What the proxy does to connections:
 * - `pass`: nothing.
 * - `black_hole`: nothing goes either way, nothing is closed, and new connections find nobody; what waited goes on afterwards.
 * - `lost_path`: what is open passes nothing either way, and neither side is told, not even afterwards; new connections pass.
 * - `half_open`: the server's side is gone and the client's is never told, not even afterwards; new connections pass.
 * - `abandon`: the client's side is gone (reset) and the server's is never told, until the proxy closes; new connections pass.
 * - `drip`: answers come a byte a second.
 * - `reset`: every connection is reset, new ones too.
 */
export type Mode = "pass" | "black_hole" | "lost_path" | "half_open" | "abandon" | "drip" | "reset";

export interface Proxy {
  /** The same database, through the proxy. */
  url(databaseUrl: string): string;
  setMode(mode: Mode): void;
  /** Connections that clients have opened since it started. */
  accepted(): number;
  /** Connections to the server that are open now. */
  open(): number;
  /** Those that the server still has, though their clients are gone. */
  abandoned(): number;
  /** Replies that were dropped after their statement had committed. */
  dropped(): number;
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** The server's port. */
  to: number;
  /** Asked for each statement, by its text: shall its reply be dropped, once the server has committed it? */
  dropReply?: (statement: string) => boolean;
}

const dripEveryMs = 1000;

interface Pair {
  client: net.Socket;
  server: net.Socket | undefined;
  /** Nothing passes any more, and the client is never to know; the server may be gone. */
  forsaken: boolean;
  /** The client is gone, and the server is never to know. */
  abandoned: boolean;
  /** What has come and waits to be passed on. */
  toClient: Uint8Array[];
  toServer: Uint8Array[];
}

/** Starts a TCP proxy in front of a PostgreSQL server on this machine. */
export async function startProxy({ to, dropReply }: ProxyOptions): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let mode: Mode = "pass";
  let accepted = 0;
  let dropped = 0;

  const listener = net.createServer((client) => {
    accepted += 1;
    const pair: Pair = {
      client,
      server: undefined,
      forsaken: false,
      abandoned: false,
      toClient: [],
      toServer: [],
    };
    pairs.add(pair);
    client.on("error", () => {});
    client.on("close", () => {
      if (pair.abandoned) return;
      pair.server?.destroy();
      pairs.delete(pair);
    });
    if (mode === "reset") return void client.resetAndDestroy();
    if (mode !== "black_hole") connect(pair);
  });
  const dripping = setInterval(() => {
    if (mode !== "drip") return;
    for (const pair of pairs) {
      const [first, ...others] = pair.toClient;
      if (!first) continue;
      pair.client.write(first.subarray(0, 1));
      pair.toClient = first.length > 1 ? [first.subarray(1), ...others] : others;
    }
  }, dripEveryMs);

  function connect(pair: Pair): void {
    const server = pair.server = net.connect(to, "127.0.0.1");
    const conversation = dropReply && new Conversation(dropReply);
    server.on("error", () => {});
    server.on("close", () => {
      if (!pair.forsaken) pair.client.destroy();
      if (pair.abandoned) pairs.delete(pair);
    });
    pair.client.on("data", (data) => {
      const bytes = Buffer.from(data);
      pair.toServer.push(bytes);
      conversation?.heardClient(bytes);
      flush(pair);
    });
    server.on("data", (data) => {
      const bytes = Buffer.from(data);
      if (!conversation) {
        pair.toClient.push(bytes);
        return flush(pair);
      }
      const { pass, hasDropped } = conversation.heardServer(bytes);
      pair.toClient.push(pass);
      flush(pair);
      if (hasDropped) {
        dropped += 1;
        pair.client.resetAndDestroy();
      }
    });
  }

  function flush(pair: Pair): void {
    if (mode === "black_hole" || pair.forsaken || pair.abandoned) return;
    for (const bytes of pair.toServer.splice(0)) pair.server?.write(bytes);
    if (mode === "drip") return;
    for (const bytes of pair.toClient.splice(0)) pair.client.write(bytes);
  }

  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  return {
    url: (databaseUrl) => Object.assign(new URL(databaseUrl), { port: String(port) }).href,
    setMode(next) {
      mode = next;
      for (const pair of pairs) {
        if (mode === "reset") {
          pair.client.resetAndDestroy();
          pair.server?.destroy();
        } else if (mode === "lost_path") {
          pair.forsaken = true;
          pair.server?.pause();
        } else if (mode === "half_open") {
          pair.forsaken = true;
          pair.server?.destroy();
        } else if (mode === "abandon") {
          pair.abandoned = pair.server !== undefined;
          pair.client.resetAndDestroy();
        } else if (mode === "pass" && !pair.server && !pair.forsaken) {
          connect(pair);
        }
        flush(pair);
      }
    },
    accepted: () => accepted,
    open: () =>
      [...pairs].filter(({ server, forsaken, abandoned }) => server && !forsaken && !abandoned).length,
    abandoned: () => [...pairs].filter(({ abandoned }) => abandoned).length,
    dropped: () => dropped,
    async close() {
      clearInterval(dripping);
      for (const { client, server } of pairs) {
        client.destroy();
        server?.destroy();
      }
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
