import { hash } from "node:crypto";
import { findFreePort } from "../../src/database/embedded/postgres_server.ts";
import { projectIn, type RunningTask } from "../support/project.ts";

/** What requests to the services of experiments are signed with. */
export const TOKEN = "ta_canary_admin_token_3f1c2d";

/** The service as a process of its own, as users start it. */
export interface Service {
  url: string;
  /** Of the process that runs now. */
  pid(): number;
  /** All that it has logged, over all of its starts. */
  output(): string;
  /** Calls it as an admin; an object is sent as JSON. */
  call(request: string, json?: unknown, signal?: AbortSignal): Promise<Response>;
  signal(signal: Deno.Signal): void;
  /** Kills it (SIGKILL), or asks it to stop (SIGTERM); returns its exit code. */
  stop(signal?: "SIGKILL" | "SIGTERM"): Promise<number>;
  /** Starts it again on the same port, perhaps another release; returns when it listens. */
  start(folder?: string): Promise<void>;
}

export interface ServiceOptions {
  databaseUrl: string;
  /** Where its sources are. */
  folder: string;
  environment?: Record<string, string> | undefined;
}

/** Makes a service on a free port and starts it. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const port = findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const projectOf = (folder: string) =>
    projectIn(folder, {
      program: Deno.execPath(),
      environment: { HOME: Deno.env.get("HOME") ?? "", ...denoDir() },
    });
  let task: RunningTask;
  let earlier = "";
  const service: Service = {
    url,
    pid: () => task.pid,
    output: () => earlier + task.output(),
    call(request, json, signal) {
      const [method = "GET", path = "/"] = request.split(" ");
      return fetch(url + path, {
        method,
        headers: {
          Authorization: `Bearer ${TOKEN}`,
          ...(request.startsWith("PUT /v1/policy") ? { "If-Match": "*" } : {}),
          ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    signal: (signal) => task.kill(signal),
    async stop(signal = "SIGKILL") {
      task.kill(signal);
      task.kill("SIGCONT"); // a frozen one could not end
      return await task.ended;
    },
    async start(folder = options.folder) {
      if (task) earlier += task.output();
      task = projectOf(folder).spawn("start", {
        DATABASE_URL: options.databaseUrl,
        ADMIN_TOKENS: `faults=${hash("sha256", TOKEN)}`,
        PORT: String(port),
        RECONCILE_CRON: "off",
        BACKFILL_LANES: "2", // whatever this machine has
        ...options.environment,
      });
      await answers(url, task);
    },
  };
  await service.start();
  return service;
}

/** Waits until it answers: with LOG_LEVEL=warn it does not say that it listens. */
async function answers(url: string, task: RunningTask): Promise<void> {
  let isOver = false;
  task.ended.then(() => isOver = true);
  while (!isOver) {
    const response = await fetch(`${url}/livez`).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the service ended before it answered:\n${task.output()}`);
}

function denoDir(): Record<string, string> {
  const folder = Deno.env.get("DENO_DIR");
  return folder === undefined ? {} : { DENO_DIR: folder };
}
