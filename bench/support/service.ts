import { hash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Child, startChild } from "./child.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const TOKEN = "the-token-of-the-bench";

/** Starts this project's service as a container does, with its defaults: `deno run -P=service main.ts start`. */
export async function startService(
  databaseUrl: string,
  environment: Record<string, string> = {},
): Promise<Child> {
  const sha256 = hash("sha256", TOKEN, "hex");
  return await startChild(Deno.execPath(), ["run", "-q", "--no-prompt", "-P=service", "main.ts", "start"], {
    cwd: ROOT,
    environment: {
      PORT: "0",
      DATABASE_URL: databaseUrl,
      ADMIN_TOKENS: `bench=${sha256}`,
      RECONCILE_CRON: "off",
      ...environment,
    },
  });
}

/** Starts the same with a query for each check. */
export async function startUnbatchedService(databaseUrl: string): Promise<Child> {
  return await startChild(Deno.execPath(), ["run", "-q", "-A", "bench/support/unbatched_service.ts"], {
    cwd: ROOT,
    environment: { DATABASE_URL: databaseUrl, TOKEN_SHA256: hash("sha256", TOKEN, "hex") },
  });
}

/** Calls the service as an admin; the body of its answer. @throws when it is not a success. */
export async function callService(
  service: Pick<Child, "url">,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(service.url + path, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return z.record(z.string(), z.unknown()).parse(await response.json());
}
