import { bytesOf } from "../../support/raw_http.ts";

/** How a body is announced and sent: as it should be, or not. */
export const FRAMINGS = [
  "length",
  "chunked",
  "no length",
  "length too small",
  "length too large",
  "length twice",
  "two lengths",
  "length and chunked",
  "negative length",
  "length beyond numbers",
  "length of a terabyte",
  "unknown coding",
  "chunk size nonsense",
  "chunk size of 2^64",
  "chunk broken off",
] as const;

export type Framing = (typeof FRAMINGS)[number];

export type HeaderLine = readonly [name: string, value: string];

/** A request as bytes will be: each character of its texts is one byte. */
export interface HostileRequest {
  method: string;
  target: string;
  version: string;
  headers: HeaderLine[];
  body: string;
  framing: Framing;
}

/** What can end a header or a line early; what remains is one request, whatever it holds. */
export function render(request: HostileRequest): Uint8Array<ArrayBuffer> {
  const { headers, body } = frame(request);
  const lines = [...request.headers, ...headers].map(([name, value]) => `${name}: ${value}`);
  const head = [`${request.method} ${request.target} ${request.version}`, ...lines].join("\r\n");
  return bytesOf(`${head}\r\n\r\n${body}`);
}

/** Where the two sides may disagree about where the request ends: nothing more can be asked on that connection. */
export function isClean({ framing, headers, body, version, method }: HostileRequest): boolean {
  if (headers.some(([name]) => name === "Content-Length")) return false;
  if (version !== "HTTP/1.1" || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) return false;
  return framing === "length" || framing === "chunked" || (framing === "no length" && body === "");
}

function frame({ framing, body }: HostileRequest): { headers: [string, string][]; body: string } {
  const length = (value: number | string): [string, string] => ["Content-Length", String(value)];
  const chunked: [string, string] = ["Transfer-Encoding", "chunked"];
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
  switch (framing) {
    case "length":
      return { headers: [length(body.length)], body };
    case "chunked":
      return { headers: [chunked], body: body === "" ? "0\r\n\r\n" : `${chunk}0\r\n\r\n` };
    case "no length":
      return { headers: [], body };
    case "length too small":
      return { headers: [length(Math.floor(body.length / 2))], body };
    case "length too large":
      return { headers: [length(body.length + 10)], body };
    case "length twice":
      return { headers: [length(body.length), length(body.length)], body };
    case "two lengths":
      return { headers: [length(body.length), length(body.length + 1)], body };
    case "length and chunked":
      return { headers: [length(body.length), chunked], body: `${chunk}0\r\n\r\n` };
    case "negative length":
      return { headers: [length(-1)], body };
    case "length beyond numbers":
      return { headers: [length("9".repeat(30))], body };
    case "length of a terabyte":
      return { headers: [length(2 ** 40)], body };
    case "unknown coding":
      return { headers: [["Transfer-Encoding", "gzip, nonsense"]], body };
    case "chunk size nonsense":
      return { headers: [chunked], body: `zz\r\n${body}\r\n0\r\n\r\n` };
    case "chunk size of 2^64":
      return { headers: [chunked], body: `ffffffffffffffff\r\n${body}` };
    case "chunk broken off":
      return { headers: [chunked], body: chunk.slice(0, Math.max(1, chunk.length - 3)) };
  }
}
