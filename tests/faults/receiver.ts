import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import type { Random } from "./random.ts";
import { pause } from "./runs.ts";

/** A message that came, whatever was answered. */
export interface Attempt {
  messageId: string;
  type: string;
  /** Of assignments.created and assignments.ended. */
  assignmentIds: string[];
  /** Whether the receiver keeps it: the sender may not have heard of that. */
  isAccepted: boolean;
}

/** A consumer of messages over loopback. */
export interface Receiver {
  url: string;
  attempts: readonly Attempt[];
  /** How many requests had no valid signature. */
  forged(): number;
  /** From now on it takes every message, or is moody again. Returns when it listens. */
  setCalm(isCalm: boolean): Promise<void>;
  close(): Promise<void>;
}

const MOST_HUNG = 8;
const MOODS = [
  "refuse",
  "refuse",
  "drop",
  "hang",
  ...Array.from({ length: 16 }, () => "accept" as const),
] as const;

const messageSchema = z.object({
  type: z.string(),
  data: z.object({ assignments: z.array(z.object({ id: z.string() })).default([]) }),
});

/**
 * Starts a receiver.
 * @param options.isMoody it answers 500, drops connections before and after it has read, hangs, and is away now and then
 */
export async function startReceiver(
  { secret, random, isMoody, longestAwayMs }: {
    secret: string;
    random: Random;
    isMoody: boolean;
    longestAwayMs: number;
  },
): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const attempts: Attempt[] = [];
  const hung = new Set<ServerResponse>();
  let forged = 0;
  let isCalm = !isMoody;
  let isClosed = false;
  let port = 0;
  const server = createServer((request, response) => {
    take(request, response).catch(() => {}); // the sender has gone in the middle of it
  });
  await listen();
  const wandering = isMoody ? wander() : Promise.resolve();
  return {
    url: `http://127.0.0.1:${port}/`,
    attempts,
    forged: () => forged,
    async setCalm(value) {
      isCalm = value || !isMoody;
      if (value) { for (const response of hung) response.destroy(); }
      while (!server.listening) await pause(5);
    },
    async close() {
      isClosed = true;
      isCalm = true;
      await wandering;
      await stopListening();
    },
  };

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const picked = isCalm ? "accept" : random.pick(MOODS);
    const mood = picked === "hang" && hung.size >= MOST_HUNG ? "refuse" : picked;
    const isAccepted = mood === "accept" || (mood === "drop" && random.chance(0.5));
    if (!note(request, body, isAccepted)) response.statusCode = 400;
    else if (mood === "refuse") response.statusCode = 500;
    if (mood === "drop") request.socket.destroy();
    else if (mood === "hang") hung.add(response.on("close", () => hung.delete(response)));
    else response.end();
  }

  function note(request: IncomingMessage, body: string, isAccepted: boolean): boolean {
    try {
      webhook.verify(body, request.headers as Record<string, string>);
    } catch {
      forged += 1;
      return false;
    }
    const { type, data } = messageSchema.parse(JSON.parse(body));
    const messageId = String(request.headers["webhook-id"]);
    attempts.push({ messageId, type, assignmentIds: data.assignments.map(({ id }) => id), isAccepted });
    return true;
  }

  async function wander(): Promise<void> {
    while (!isClosed) {
      await pause(random.integer(100, 500));
      if (isCalm) continue;
      await stopListening();
      for (let awayMs = random.integer(50, longestAwayMs); awayMs > 0 && !isCalm; awayMs -= 50) {
        await pause(50);
      }
      await listen();
    }
  }

  async function listen(): Promise<void> {
    await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
    ({ port } = server.address() as AddressInfo);
  }

  async function stopListening(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }
}
