import { waitUntil } from "../support/wait_until.ts";
import type { Replicas } from "./replicas.ts";

const SESSIONS = 8;

/** Requests that go on until they are stopped. */
export interface Requests {
  /** Waits until as many more were answered. */
  untilAnswered(count: number): Promise<void>;
  /** Returns the requests that failed, and how. */
  stop(): Promise<string[]>;
}

/**
 * Checks, checks many at once, lists and assigns through the proxy; repeats nothing by itself. The answers are short: one
 * that is cut off after it began is not the proxy's to repeat.
 */
export function startRequests(
  { call }: Pick<Replicas, "call">,
  { members, trainerId }: { members: string[]; trainerId: string },
): Requests {
  let isStopping = false;
  let answered = 0;
  const failed: string[] = [];
  const requests = [
    (member: string) => call(`GET /v1/members/${member}/assignment`),
    () => call("POST /v1/assignments/check", { json: { memberIds: members.slice(0, 20) } }),
    () => call(`GET /v1/trainers/${trainerId}/clients?limit=10`),
    (member: string) => call(`PUT /v1/trainers/${trainerId}/clients/${member}`, { json: {} }),
  ];
  const work = Array.from({ length: SESSIONS }, async (_, session) => {
    for (let turn = session; !isStopping; turn++) {
      const request = requests[turn % requests.length];
      try {
        const response = await request?.(members[turn % members.length] ?? "");
        const text = await response?.text() ?? "";
        JSON.parse(text);
        if (!response?.ok) failed.push(`${turn % requests.length}: ${response?.status} ${text}`);
      } catch (error) {
        failed.push(`${turn % requests.length}: ${error}`);
      }
      answered++;
    }
  });
  return {
    async untilAnswered(count) {
      const enough = answered + count;
      await waitUntil(`${count} more requests are answered`, () => answered >= enough);
    },
    async stop() {
      isStopping = true;
      await Promise.all(work);
      return failed;
    },
  };
}
