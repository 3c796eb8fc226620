import type { Logger } from "../telemetry/log.ts";

/** A server that listens until it is told to stop. */
export interface Listener {
  addr: Deno.NetAddr;
  /** Takes no new connections, and returns once the requests under way are answered. */
  shutdown(): Promise<void>;
}

const REOPEN_AFTER_MS = 500;
/** Failed servers that may still have connections; a shutdown waits for them. */
const MAX_SERVERS = 20;

/**
 * Listens, and reopens the listener when the runtime closes it. The runtime does so at the first connection
 * that it cannot accept, for example without free file handles. Open connections stay; new ones are refused
 * until the listener is back.
 * @throws what `Deno.serve` throws if the address cannot be used at the start.
 */
export function keepListening(
  { hostname, port }: { hostname: string; port: number },
  handler: Deno.ServeHandler<Deno.NetAddr>,
  log: Logger,
): Listener {
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  let isStopping = false;
  const { addr } = open(port);
  return {
    addr,
    async shutdown() {
      isStopping = true;
      await Promise.allSettled(servers.map((server) => server.shutdown()));
    },
  };

  function open(port: number): Deno.HttpServer<Deno.NetAddr> {
    const server = Deno.serve({ hostname, port, onListen: () => {} }, handler);
    servers.push(server);
    if (servers.length > MAX_SERVERS) servers.shift();
    server.finished.catch((error) => {
      log.error({ event: "listener_lost", reason: String(error) });
      reopen();
    });
    return server;
  }

  function reopen(): void {
    setTimeout(() => {
      if (isStopping) return;
      try {
        open(addr.port);
        log.info({ event: "listening_again" });
      } catch {
        reopen(); // out of handles still, or the lost one has not let go of the port yet
      }
    }, REOPEN_AFTER_MS);
  }
}
