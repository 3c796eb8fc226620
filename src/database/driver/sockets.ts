/**
 * Replaces the driver's own sockets, over which a query sent during a reset never ends or loses its rows, and
 * its connection may be lost to the pool (https://github.com/porsager/postgres/issues/1130).
 * @module
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { startDeadline } from "../../deadline.ts";
import { socketFolder } from "./hosts.ts";
import { NO_TLS, type Tls } from "./tls.ts";

export interface SocketOptions {
  /** The longest wait until the server accepts the connection, including TLS. */
  connectTimeoutMs: number;
  tls: Tls | null;
  /** Called with each connection once it is established. */
  watch: (socket: net.Socket) => void;
  /** Does something once the driver holds nothing back to write. */
  whenNothingWaits: (work: () => void) => void;
}

/** Asks for TLS. https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest) */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The bytes of SSLRequest and CancelRequest, after which the server closes the connection. A sign-in takes more. */
const MOST_CANCEL_BYTES = 24;

/**
 * Makes the function that postgres.js calls for each new connection; it returns a connected socket.
 * @param findUrl finds the server's URL; called for each connection
 */
export function socketMaker(
  findUrl: () => Promise<string>,
  options: SocketOptions,
): () => Promise<Duplex> {
  return async () => {
    try {
      return await connect(addressOf(await findUrl()), options);
    } catch (error) {
      // The driver replaces a connection whose socket breaks; a rejection here would lose it for good.
      return brokenSocket(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** Connects a socket before the driver gets it, for the driver cannot cope with one that fails to connect later. */
async function connect(
  address: net.NetConnectOpts,
  { connectTimeoutMs, tls, watch, whenNothingWaits }: SocketOptions,
): Promise<net.Socket> {
  let socket = emitErrorsOnClose(new net.Socket(), whenNothingWaits);
  const establish = async () => {
    connectSocket(socket, address);
    await hear(socket, "connect");
    if (tls === null || !("host" in address)) return;
    const { isRequired, ...options } = tls;
    if (!await offersTls(socket, isRequired)) return;
    socket = emitErrorsOnClose(wrapInTls(socket, address.host ?? "", options), whenNothingWaits);
    await hear(socket, "secureConnect");
  };
  const deadline = startDeadline(
    connectTimeoutMs,
    () => failure("CONNECT_TIMEOUT", "the server does not answer"),
  );
  try {
    await Promise.race([establish(), deadline.over]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    deadline.lift();
  }
  watch(socket);
  return socket;
}

/** Resolves at the event; rejects when the connection ends before it. */
function hear(socket: net.Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(failure("ECONNRESET", "the server hung up")));
  });
}

/** Asks the server for TLS. @throws when it is required and not offered, or when the answer is not a single byte */
async function offersTls(socket: net.Socket, isRequired: boolean): Promise<boolean> {
  socket.write(SSL_REQUEST);
  const answer = String(await hear(socket, "data"));
  if (answer === "S") return true;
  if (answer === "N" && !isRequired) return false;
  throw failure(NO_TLS, "the server offers no TLS");
}

function wrapInTls(socket: net.Socket, host: string, options: tls.ConnectionOptions): tls.TLSSocket {
  // SNI takes a name, never an address.
  return tls.connect({ host, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...options, socket });
}

/**
 * Emits an error only together with `close`, and with every `close`. The driver rejects queries at `error` and
 * drops the connection at `close`: in between it would use it again. A `close` without an error during the
 * sign-in makes it retry at once, without end, and rejects no query.
 *
 * Emits both only when the driver holds nothing back to write. It writes in the next turn of the event loop; where a
 * `close` comes first, it cancels that and then believes for ever that it is still to come (src/connection.js,
 * `nextWriteTimer`), so that whatever takes the connection's place is silent until its time-out.
 */
function emitErrorsOnClose<Socket extends net.Socket>(
  socket: Socket,
  whenNothingWaits: SocketOptions["whenNothingWaits"],
): Socket {
  const emit = socket.emit.bind(socket);
  let error: unknown;
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === "error") {
      error ??= values[0];
      socket.destroy();
      return true;
    }
    if (event !== "close") return emit(event, ...values);
    if (socket.bytesWritten > MOST_CANCEL_BYTES) {
      error ??= failure("CONNECTION_CLOSED", "the connection was closed");
    }
    whenNothingWaits(() => {
      if (error !== undefined && socket.listenerCount("error") > 0) emit("error", error);
      emit(event, ...values);
    });
    return true;
  };
  return socket;
}

function addressOf(databaseUrl: string): net.NetConnectOpts {
  const { hostname, port } = new URL(databaseUrl);
  const folder = socketFolder(databaseUrl);
  if (folder !== null) return { path: `${folder}/.s.PGSQL.${port || 5432}` };
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 5432) };
}

/** Deno needs permission to read and to write a socket file. */
function connectSocket(socket: net.Socket, address: net.NetConnectOpts): void {
  try {
    socket.connect(address);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable) || !("path" in address)) throw error;
    throw failure(
      "CONNECT_NOT_ALLOWED",
      `the service may not use the socket ${address.path}: add --allow-write=${address.path} before main.ts, and in a container --allow-read=.,${address.path}`,
    );
  }
}

function brokenSocket(error: Error): Duplex {
  return new Duplex({ read() {}, write: (_chunk: Buffer, _encoding, done) => done(error) });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (${code})`), { code });
}
