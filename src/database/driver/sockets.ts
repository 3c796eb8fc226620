import { Buffer } from "node:buffer";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { startDeadline } from "../../deadline.ts";
import { socketFolder } from "./hosts.ts";
import { NO_TLS, type Tls } from "./tls.ts";

export interface SocketOptions {
  /** How long it may take until the server accepts the connection, with TLS where that is wanted. */
  connectTimeoutMs: number;
  tls: Tls | null;
  /** Is given each connection once it stands. */
  watch: (socket: net.Socket) => void;
}

/** Asks for TLS. https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest) */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** SSLRequest and CancelRequest, which the server answers by hanging up; to sign in takes more. */
const MOST_CANCEL_BYTES = 24;

/**
 * Makes what postgres.js calls for each new connection: a socket that is connected to where the URL says. With those that
 * the driver makes itself, a query that is sent in the moment of a reset never ends, or ends without its rows, and the
 * connection may be lost to the pool for good (https://github.com/porsager/postgres/issues/1130).
 * @param findUrl asked each time
 */
export function socketMaker(
  findUrl: () => Promise<string>,
  options: SocketOptions,
): () => Promise<Duplex> {
  return async () => {
    try {
      return await connect(addressOf(await findUrl()), options);
    } catch (error) {
      // A socket that breaks costs the pool nothing; where none is made, it loses a connection for good.
      return brokenSocket(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** The driver writes to what it gets at once, and cannot cope with a socket that fails to connect after that. */
async function connect(
  address: net.NetConnectOpts,
  { connectTimeoutMs, tls, watch }: SocketOptions,
): Promise<net.Socket> {
  let socket = tellErrorsOnClose(new net.Socket());
  const establish = async () => {
    connectSocket(socket, address);
    await hear(socket, "connect");
    if (tls === null || !("host" in address)) return;
    const { isRequired, ...options } = tls;
    if (!await offersTls(socket, isRequired)) return;
    socket = tellErrorsOnClose(wrapInTls(socket, address.host ?? "", options));
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

/** @throws where it is required and the server has none, or where somebody has put in more than the server's answer */
async function offersTls(socket: net.Socket, isRequired: boolean): Promise<boolean> {
  socket.write(SSL_REQUEST);
  const answer = String(await hear(socket, "data"));
  if (answer === "S") return true;
  if (answer === "N" && !isRequired) return false;
  throw failure(NO_TLS, "the server offers no TLS");
}

function wrapInTls(socket: net.Socket, host: string, options: tls.ConnectionOptions): tls.TLSSocket {
  // The name is what is verified; an address cannot be asked for by SNI.
  return tls.connect({ host, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...options, socket });
}

/**
 * Tells of an error when the connection closes, not before: the driver rejects queries at the one and forgets the
 * connection at the other, and would use it in between. And tells of an error whenever it closes: a server that hangs up
 * while the driver signs in is to the driver a reason to try again at once, without end, and no query would be told.
 */
function tellErrorsOnClose<Socket extends net.Socket>(socket: Socket): Socket {
  const emit = socket.emit.bind(socket);
  let error: unknown;
  socket.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === "error") {
      error ??= values[0];
      socket.destroy();
      return true;
    }
    if (event === "close" && socket.listenerCount("error") > 0) {
      if (socket.bytesWritten > MOST_CANCEL_BYTES) {
        error ??= failure("CONNECTION_CLOSED", "the connection was closed");
      }
      if (error !== undefined) emit("error", error);
    }
    return emit(event, ...values);
  };
  return socket;
}

function addressOf(databaseUrl: string): net.NetConnectOpts {
  const { hostname, port } = new URL(databaseUrl);
  const folder = socketFolder(databaseUrl);
  if (folder !== null) return { path: `${folder}/.s.PGSQL.${port || 5432}` };
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 5432) };
}

/** The runtime asks for both permissions before a socket file is used. */
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
