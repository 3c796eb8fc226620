import { bytesOf } from "../../support/raw_http.ts";
import { TOKEN } from "../service.ts";
import { pause } from "../runs.ts";

/** Connections that ask for little and take long; held until they are let go. */
export interface Crowd {
  /** How many of them are open on our side. */
  size: number;
  /** Closes them all. */
  disperse(): Promise<void>;
}

const HALF_A_HEAD = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
const HALF_A_BODY = "PUT /v1/policy HTTP/1.1\r\nHost: localhost\r\n" +
  `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
const CONNECT_AT_ONCE = 100;
const DRIP_EVERY_MS = 2_000;

/**
 * Opens connections of three kinds in turn: silent from the start, with half a head, with half a body. The latter two go
 * on with a byte each two seconds, so that they are never idle.
 * @param mayBeRefused those whom nobody takes are left out, rather than an error
 */
export async function gather(port: number, count: number, mayBeRefused = false): Promise<Crowd> {
  const sockets: { socket: Deno.Conn; drips: boolean }[] = [];
  const beginnings = ["", HALF_A_HEAD, HALF_A_BODY];
  for (let from = 0; from < count; from += CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(CONNECT_AT_ONCE, count - from) }, async (_, index) => {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port }).catch((error) => {
        if (mayBeRefused) return null;
        throw error;
      });
      if (socket === null) return;
      const beginning = beginnings[(from + index) % beginnings.length] ?? "";
      sockets.push({ socket, drips: beginning !== "" });
      if (beginning !== "") await socket.write(bytesOf(beginning)).catch(() => {});
    }));
  }
  let dispersed = false;
  const dripping = (async () => {
    while (!dispersed) {
      for (const { socket, drips } of sockets) {
        if (dispersed) return;
        if (drips) await socket.write(bytesOf(" ")).catch(() => {}); // it may have been ended for being late
      }
      await pause(DRIP_EVERY_MS);
    }
  })();
  return {
    size: sockets.length,
    async disperse() {
      dispersed = true;
      await dripping;
      for (const { socket } of sockets) socket.close();
    },
  };
}

/** Follows a run on that many connections at once. Those that are let in stay open until they are let go. */
export async function followMany(
  port: number,
  runId: string,
  count: number,
): Promise<Crowd & { refused: number; others: number }> {
  const request = bytesOf(
    `GET /v1/backfills/${runId}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  );
  const open: Deno.Conn[] = [];
  let refused = 0;
  let others = 0;
  for (let from = 0; from < count; from += CONNECT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(CONNECT_AT_ONCE, count - from) }, async () => {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port });
      await socket.write(request);
      const bytes = new Uint8Array(64);
      const length = await socket.read(bytes) ?? 0;
      const status = Number(new TextDecoder().decode(bytes.subarray(0, length)).split(" ")[1]);
      if (status === 200) return void open.push(socket);
      if (status === 503) refused += 1;
      else others += 1;
      socket.close();
    }));
  }
  return {
    size: open.length,
    refused,
    others,
    disperse() {
      for (const socket of open) socket.close();
      return Promise.resolve();
    },
  };
}
