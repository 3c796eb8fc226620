import http from "node:http";
import { z } from "zod";
import { pause } from "./runs.ts";
import { type Service, TOKEN } from "./service.ts";

/** Sends requests to the replicas that are ready, as a balancer does, and never one twice. */
export interface Balancer {
  call(request: string, json?: unknown): Promise<Response>;
  /** Whether requests go to a replica, as far as is known by now. */
  isReady(replica: Service): boolean;
  close(): Promise<void>;
}

const checkEveryMs = 100;
const codeSchema = z.object({ code: z.string() });

/** Keeps connections open between requests, and asks each replica again and again whether it is ready. */
export function startBalancer(replicas: readonly Service[]): Balancer {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const ready = new Set(replicas);
  let turn = 0;
  let stopped = false;
  const checking = replicas.map(async (replica) => {
    while (!stopped) {
      const isReady = await replica.call("GET /readyz").then(async (response) => {
        await response.body?.cancel();
        return response.ok;
      }, () => false);
      if (isReady) ready.add(replica);
      else ready.delete(replica);
      await pause(checkEveryMs);
    }
  });
  return {
    call(request, json) {
      const [replica] = [...ready].slice(turn++ % Math.max(1, ready.size));
      if (!replica) return Promise.reject(new Error("no replica is ready"));
      return send(agent, replica.url, request, json);
    },
    isReady: (replica) => ready.has(replica),
    async close() {
      stopped = true;
      await Promise.all(checking);
      agent.destroy();
    },
  };
}

/** `fetch` would quietly send a request again whose connection turned out to be closed. */
function send(agent: http.Agent, url: string, request: string, json: unknown): Promise<Response> {
  const [method = "GET", path = "/"] = request.split(" ");
  const body = json === undefined ? undefined : JSON.stringify(json);
  return new Promise((resolve, reject) => {
    const call = http.request(url + path, {
      agent,
      method,
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        ...(body === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": String(body.length) }),
      },
    }, async (answer) => {
      try {
        const text = (await answer.setEncoding("utf8").toArray()).join("");
        resolve(new Response(text === "" ? null : text, { status: answer.statusCode ?? 0 }));
      } catch (error) {
        reject(error);
      }
    });
    call.on("error", (error) => {
      const code = codeSchema.safeParse(error).data?.code ?? "";
      reject(new Error(`${code} ${error.message}`));
    });
    call.end(body);
  });
}
