import { waitUntil } from "../support/wait_until.ts";
import type { Replicas } from "./replicas.ts";

/** Requests that go on until they are stopped. */
export interface Requests {
  /** Waits until as many more were answered. */
  untilAnswered(count: number): Promise<void>;
  /** How many answers were cut off after they began. */
  cutOff(): number;
  /** Returns the requests that failed, and how. */
  stop(): Promise<string[]>;
}

/** As many answers can be under way when a replica is killed. */
export const SESSIONS = 8;

/**
 * Checks, checks many at once, lists and assigns through the proxy. An answer that is cut off after it began is not the
 * proxy's to repeat: the caller repeats the request, once, as each of these may be.
 */
export function startRequests(
  { call }: Pick<Replicas, "call">,
  { members, trainerId }: { members: string[]; trainerId: string },
): Requests {
  let isStopping = false;
  let answered = 0;
  let cutOff = 0;
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
      const ask = async () => {
        const response = await request?.(members[turn % members.length] ?? "");
        return { response, text: await response?.text().catch(noteCut) };
      };
      try {
        let answer = await ask();
        if (answer.text === undefined) answer = await ask();
        const { response, text = "" } = answer;
        JSON.parse(text);
        if (!response?.ok) failed.push(`${turn % requests.length}: ${response?.status} ${text}`);
      } catch (error) {
        failed.push(`${turn % requests.length}: ${error}`);
      }
      answered++;
    }
  });

  function noteCut(): undefined {
    cutOff++;
  }

  return {
    cutOff: () => cutOff,
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
