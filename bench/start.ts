import { hash } from "node:crypto";
import { findFreePort } from "../src/database/embedded/postgres_server.ts";
import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import { copyProject } from "../tests/support/project.ts";
import { type Claim, judge } from "./support/claim.ts";
import { createAssignedDatabase } from "./support/data.ts";
import { seconds } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService, TOKEN } from "./support/service.ts";

const TIMEOUT_MS = 60_000;

/** From the start of the process to the first answered check: on a database that is there, and with one of its own. */
export const start: Claim = {
  name: "start",
  summary:
    "start to the first answered check: on an existing database, and with an embedded one the first time",
  async run({ server, isFull, say }) {
    const database = await createAssignedDatabase(server, isFull ? 1_000_000 : 10_000);
    say("on an existing database");
    const existing = await startOften(database, isFull ? 15 : 5);
    await database.drop();
    say("with a database of its own, the first time");
    const embedded: number[] = [];
    for (let round = 0; round < (isFull ? 5 : 1); round++) embedded.push(await startEmbedded());
    return [
      judge("on an existing database", " ms", existing, { atMost: 400 }),
      judge("embedded, first time", " s", embedded, { atMost: 6 }),
    ];
  },
};

/** Starts on an existing database, that many times; milliseconds to the first answered check. */
export async function startOften({ url }: BenchDatabase, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < times; round++) {
    const port = String(findFreePort());
    let service: Awaited<ReturnType<typeof startService>> | undefined;
    const time = await seconds(async () => {
      const starting = startService(url, { PORT: port });
      await firstCheck(`http://127.0.0.1:${port}`);
      service = await starting;
    });
    took.push(1000 * time);
    await service?.stop();
  }
  return took;
}

/** Starts a fresh copy of the project, packages installed, and waits for its first answer. */
async function startEmbedded(): Promise<number> {
  const project = await copyProject();
  try {
    const port = String(findFreePort());
    let task: ReturnType<typeof project.spawn> | undefined;
    const time = await seconds(async () => {
      task = project.spawn("start", { PORT: port, ADMIN_TOKENS: `bench=${hash("sha256", TOKEN, "hex")}` });
      await firstCheck(`http://127.0.0.1:${port}`);
    });
    task?.kill("SIGTERM");
    await task?.ended;
    return time;
  } finally {
    await project.remove();
  }
}

async function firstCheck(url: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`${url}/v1/members/${DEFAULT_TRAINER_ID}/assignment`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      await response.text();
      if (response.status === 200) return;
    } catch {
      // it does not listen yet
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`no answer within ${TIMEOUT_MS} ms`);
}
