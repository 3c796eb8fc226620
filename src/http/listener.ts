import type { Logger } from "../telemetry/log.ts";

/** A server that listens until it is told to stop. */
export interface Listener {
  addr: Deno.NetAddr;
  /** Takes no new connections, and returns once the requests under way are answered. */
  shutdown(): Promise<void>;
}

const REOPEN_AFTER_MS = 500;
/** Lost ones that may have connections still, which a shutdown waits for. */
const MAX_SERVERS = 20;

/**
 * Listens, and listens again when the runtime gives up: it does so for good at the first connection that it cannot accept,
 * as when the process is out of file handles. Connections that are open live on meanwhile; newcomers are refused until
 * then.
 * @throws what `Deno.serve` throws where the address cannot be listened on in the first place.
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
