import { join } from "node:path";
import type { TestServer } from "../support/servers.ts";
import { postmasterPid } from "./processes.ts";
import { pause } from "./runs.ts";

/** What starts a server again whenever it has ended, as systemd or an operator does. */
export interface Supervisor {
  /** How often it has started the server, in vain or not. */
  starts(): number;
  /** How often the server has said PANIC. */
  panics(): number;
  /** While it rests it starts nothing. */
  setResting(isResting: boolean): void;
  stop(): Promise<void>;
}

const lookEveryMs = 200;

/** Looks after a server that runs. */
export function superviseServer(server: TestServer): Supervisor {
  let [isResting, isStopped] = [false, false];
  let [starts, panicsBefore, panicsSince] = [0, 0, 0];
  const work = (async () => {
    while (!isStopped) {
      panicsSince = await countPanics(server); // each start begins its log anew
      if (!isResting && !await isAlive(server)) {
        panicsBefore += await countPanics(server);
        panicsSince = 0;
        starts += 1;
        await server.start().catch(() => {}); // while its disk is full it ends again, and is started again
      }
      await pause(lookEveryMs);
    }
  })();
  return {
    starts: () => starts,
    panics: () => panicsBefore + panicsSince,
    setResting: (value) => void (isResting = value),
    async stop() {
      isStopped = true;
      await work;
    },
  };
}

async function isAlive(server: TestServer): Promise<boolean> {
  try {
    await Deno.stat(`/proc/${await postmasterPid(server)}`);
    return true;
  } catch {
    return false;
  }
}

async function countPanics(server: TestServer): Promise<number> {
  const log = await Deno.readTextFile(join(server.folder, "server.log")).catch(() => "");
  return log.match(/ PANIC: /g)?.length ?? 0;
}
