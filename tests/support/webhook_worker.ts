/**
 * A process that sends messages as a replica of the service does, until it is ended: `webhook_worker.ts URL KEY`, the key as
 * base64. It says `ready` when it begins.
 */
import { openDatabase } from "../../src/database/connection.ts";
import { createOutageLog } from "../../src/database/outage_log.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createSender } from "../../src/webhooks/send.ts";
import { deliverMessages } from "../../src/webhooks/worker.ts";

const [url = "", key = ""] = Deno.args;
const sql = openDatabase(url, { max: 5, applicationName: "webhook worker" });
await sql`select`;
console.log("ready");
await deliverMessages(sql, {
  keys: [Uint8Array.fromBase64(key)],
  sender: createSender({ allowPrivate: true }),
  log: silentLogger,
  outageLog: createOutageLog(silentLogger),
  signal: new AbortController().signal,
});
