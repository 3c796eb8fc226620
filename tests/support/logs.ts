import { createLog, type Logger } from "../../src/telemetry/log.ts";

/** The service's own log, kept instead of written. */
export function recordingLogger(): { log: Logger; logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const log = createLog({ level: "debug", readable: false, write: (line) => logged.push(JSON.parse(line)) });
  return { log, logged };
}
