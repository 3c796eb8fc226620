import { z } from "zod";
import { pause } from "./runs.ts";

/** Others who call the service steadily while something happens to it. */
export interface Callers {
  /** How often it answered how: `200`, `503 database_unavailable`, or the name of the error of a call that failed. */
  answers: Map<string, number>;
  /** How long the slowest call took. */
  longestMs(): number;
  stop(): Promise<void>;
}

const problemSchema = z.object({ code: z.string() });
const restMs = 10;

/** Starts sessions that call one after the other, each with a short rest, until they are stopped. */
export function startCallers(call: () => Promise<Response>, sessions = 2): Callers {
  const answers = new Map<string, number>();
  let longestMs = 0;
  let stopped = false;
  const work = Array.from({ length: sessions }, async () => {
    while (!stopped) {
      const began = performance.now();
      const answer = await ask(call);
      longestMs = Math.max(longestMs, performance.now() - began);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      await pause(restMs);
    }
  });
  return {
    answers,
    longestMs: () => Math.round(longestMs),
    async stop() {
      stopped = true;
      await Promise.all(work);
    },
  };
}

/** All of it, for a report. */
export function describeAnswers({ answers, longestMs }: Callers): string {
  const counts = [...answers].sort().map(([answer, count]) => `${count} × ${answer}`).join(", ");
  return `${counts}; the longest took ${longestMs()} ms`;
}

async function ask(call: () => Promise<Response>): Promise<string> {
  try {
    const response = await call();
    const text = await response.text();
    if (response.status < 400) return String(response.status);
    return `${response.status} ${problemSchema.safeParse(JSON.parse(text)).data?.code ?? text.slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
