import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A message as a receiver got it. */
export interface Received {
  id: string;
  headers: Record<string, string>;
  body: string;
}

/** Starts a receiver that answers each message with the status that it is told. */
export async function startHookReceiver(answer: (message: Received) => number | Promise<number>) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const message = {
      id: String(request.headers["webhook-id"]),
      headers: request.headers as Record<string, string>,
      body,
    };
    received.push(message);
    response.statusCode = await answer(message);
    response.end("seen");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
