/**
 * HTTP over a bare socket, for requests that `fetch` refuses to send.
 * @module
 */
import { Buffer } from "node:buffer";

/** An answer as it came; the body is what the framing says it is. */
export interface RawAnswer {
  status: number;
  /** By lower-case name; the last one of several. */
  headers: Map<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

export interface RawConnection {
  /**
   * Sends bytes as they are and waits for one answer; null when the connection ends without a whole one.
   * @param options.half ends our side after the bytes, as a caller does who breaks off
   * @param options.isHead the answer has no body, whatever its headers say
   */
  exchange(bytes: Uint8Array, options?: { half?: boolean; isHead?: boolean }): Promise<RawAnswer | null>;
  /** Sends bytes and waits for nothing. */
  send(bytes: Uint8Array): Promise<void>;
  /** The other side has ended it, or we have. */
  readonly ended: boolean;
  close(): void;
}

const LEAST_FREE_BYTES = 65_536;

/** Each character is a byte: a request can hold whatever bytes it likes. */
export function bytesOf(latin1: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(latin1, "latin1"));
}

/** Opens a connection to a port of this machine. */
export async function openRaw(port: number): Promise<RawConnection> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  let buffer = new Uint8Array(LEAST_FREE_BYTES);
  let received = buffer.subarray(0, 0); // of the buffer
  let ended = false;

  /** Reads on until `find` finds what it looks for in what came; null when the connection ends before. */
  async function until<T>(find: (bytes: Uint8Array<ArrayBuffer>) => T | undefined): Promise<T | null> {
    for (;;) {
      const found = find(received);
      if (found !== undefined) return found;
      makeRoom();
      const end = received.byteOffset + received.length;
      const count = await socket.read(buffer.subarray(end)).catch(() => null);
      if (count === null) {
        ended = true;
        return null;
      }
      received = buffer.subarray(received.byteOffset, end + count);
    }
  }

  /** Doubles a full buffer, so that a long answer costs no more per byte than a short one. */
  function makeRoom(): void {
    if (buffer.length - received.byteOffset - received.length >= LEAST_FREE_BYTES) return;
    const former = received;
    buffer = new Uint8Array(2 * former.length + LEAST_FREE_BYTES);
    buffer.set(former);
    received = buffer.subarray(0, former.length);
  }

  async function writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
  }

  async function readAnswer(isHead: boolean): Promise<RawAnswer | null> {
    const headLength = await until((bytes) => {
      const at = indexOf(bytes, "\r\n\r\n", 0);
      return at < 0 ? undefined : at + 4;
    });
    if (headLength === null) return null;
    const [statusLine = "", ...lines] = latin1Of(received.subarray(0, headLength - 4)).split("\r\n");
    received = received.subarray(headLength);
    const status = Number(statusLine.split(" ")[1]);
    if (status < 200) return await readAnswer(isHead); // 100 Continue comes before the answer
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const body = await readBody(headers, isHead || status === 204 || status === 304);
    if (headers.get("connection") === "close") ended = true;
    return body === null ? null : { status, headers, body };
  }

  async function readBody(
    headers: Map<string, string>,
    isEmpty: boolean,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    if (isEmpty) return new Uint8Array();
    if (headers.get("transfer-encoding") === "chunked") return await readChunks();
    const length = Number(headers.get("content-length"));
    return await until((bytes) => bytes.length >= length ? take(length) : undefined);
  }

  async function readChunks(): Promise<Uint8Array<ArrayBuffer> | null> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const part = await until((bytes) => {
        const lineEnd = indexOf(bytes, "\r\n", 0);
        if (lineEnd < 0) return undefined;
        const length = parseInt(latin1Of(bytes.subarray(0, lineEnd)), 16);
        if (bytes.length < lineEnd + 2 + length + 2) return undefined;
        take(lineEnd + 2);
        const data = take(length);
        take(2);
        return data;
      });
      if (part === null) return null;
      if (part.length === 0) return join(...parts);
      parts.push(part);
    }
  }

  function take(length: number): Uint8Array<ArrayBuffer> {
    const taken = received.slice(0, length);
    received = received.subarray(length);
    return taken;
  }

  return {
    async exchange(bytes, { half = false, isHead = false } = {}) {
      try {
        await writeAll(bytes);
        if (half) await socket.closeWrite();
      } catch {
        ended = true; // it may have answered all the same before it closed
      }
      const answer = await readAnswer(isHead);
      if (half) ended = true;
      return answer;
    },
    send: writeAll,
    get ended() {
      return ended;
    },
    close() {
      ended = true;
      try {
        socket.close();
      } catch {
        // it is closed already
      }
    },
  };
}

function latin1Of(bytes: Uint8Array<ArrayBuffer>): string {
  return new TextDecoder("latin1").decode(bytes);
}

function indexOf(bytes: Uint8Array, text: string, from: number): number {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if ([...text].every((character, offset) => bytes[at + offset] === character.charCodeAt(0))) return at;
  }
  return -1;
}

function join(...parts: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
