import { pause } from "./runs.ts";
import type { Service } from "./service.ts";

/** What `/readyz` said: when it was asked, when it answered, and how. */
export interface Look {
  askedAt: number;
  answeredAt: number;
  isReady: boolean;
}

const restMs = 50;

/** Asks a service again and again whether it is ready, until it is stopped. */
export function watchReadiness(service: Service): { looks: readonly Look[]; stop(): Promise<void> } {
  const looks: Look[] = [];
  const isReady = async () => {
    try {
      const response = await service.call("GET /readyz");
      await response.body?.cancel();
      return response.status === 200;
    } catch {
      return false; // it is not there
    }
  };
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const askedAt = performance.now();
      looks.push({ askedAt, isReady: await isReady(), answeredAt: performance.now() });
      await pause(restMs);
    }
  })();
  return {
    looks,
    async stop() {
      stopped = true;
      await watching;
    },
  };
}
