/** Receivers of webhooks on this machine, over bare sockets: they answer whatever a test wants. */

/** A connection that a receiver has accepted, after the request on it was read. */
export interface ReceivedRequest {
  /** The request as it came. */
  text: string;
  /** Sends bytes or text as they are; false when the sender has gone. */
  send(bytes: string | Uint8Array<ArrayBuffer>): Promise<boolean>;
  /** Resolves when the sender has closed the connection. */
  ended: Promise<void>;
  close(): void;
}

export interface Receiver {
  port: number;
  /** All requests so far. */
  requests: ReceivedRequest[];
  /** How many connections were accepted. */
  readonly connections: number;
  /** Stops listening and closes all connections. */
  close(): void;
}

/**
 * Starts a receiver on a free port.
 * @param answer called for each request
 * @param options.certificate speaks TLS with it
 */
export function startReceiver(
  answer: (request: ReceivedRequest, count: number) => unknown,
  options: { hostname?: string; port?: number; certificate?: { certificate: string; key: string } } = {},
): Receiver {
  const { hostname = "127.0.0.1", port = 0, certificate } = options;
  const listener = certificate === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, cert: certificate.certificate, key: certificate.key });
  const open = new Set<Deno.Conn>();
  const requests: ReceivedRequest[] = [];
  let connections = 0;

  accept();
  return {
    port: listener.addr.port,
    requests,
    get connections() {
      return connections;
    },
    close() {
      closeQuietly(listener);
      for (const connection of open) closeQuietly(connection);
    },
  };

  async function accept(): Promise<void> {
    try {
      for (;;) {
        const connection = await listener.accept();
        connections++;
        open.add(connection);
        serve(connection).finally(() => open.delete(connection));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
  }

  async function serve(connection: Deno.Conn): Promise<void> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    let text = "";
    for (;;) {
      const count = await connection.read(buffer).catch(() => null);
      if (count === null) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
      if (!isWhole(text)) continue;
      const request = {
        text,
        ended,
        send: (bytes: string | Uint8Array<ArrayBuffer>) => write(connection, bytes),
        close: () => closeQuietly(connection),
      };
      requests.push(request);
      text = "";
      answer(request, requests.length);
    }
    end();
    closeQuietly(connection);
  }
}

/** An answer with a body of text. */
export function okAnswer(body = "ok", head = "HTTP/1.1 200 OK"): string {
  return `${head}\r\ncontent-length: ${new TextEncoder().encode(body).length}\r\n\r\n${body}`;
}

function isWhole(text: string): boolean {
  const [head = "", body] = text.split(/\r\n\r\n(.*)/s);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? "0");
  return body !== undefined && new TextEncoder().encode(body).length >= length;
}

async function write(connection: Deno.Conn, bytes: string | Uint8Array<ArrayBuffer>): Promise<boolean> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  try {
    for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at));
    return true;
  } catch {
    return false;
  }
}

function closeQuietly(resource: Deno.Conn | Deno.Listener): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
  }
}
