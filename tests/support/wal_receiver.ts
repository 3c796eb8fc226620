import { Buffer } from "node:buffer";
import postgres from "postgres";
import type { TestServer } from "./servers.ts";

/** A program that receives a server's log as a standby does, and applies nothing of it. */
export interface WalReceiver {
  stop(): Promise<void>;
}

export interface WalReceiverOptions {
  applicationName: string;
  /** What it says it has applied: nothing ever, as `pg_receivewal` says, or all that it received. */
  saysApplied: "nothing" | "all";
  /** How far its clock is ahead of the server's. */
  clockAheadMs?: number;
}

const REPLY_EVERY_MS = 100;
const EPOCH_MS = Date.UTC(2000, 0, 1); // PostgreSQL's

/** Receives a server's log from its end on, and replies at once and ten times a second. */
export async function startWalReceiver(
  server: TestServer,
  { applicationName, saysApplied, clockAheadMs = 0 }: WalReceiverOptions,
): Promise<WalReceiver> {
  const sql = postgres(server.url, {
    max: 1,
    fetch_types: false,
    connection: { application_name: applicationName, ...{ replication: "true" } },
  });
  const [system] = await sql.unsafe<[{ xlogpos: string }]>("IDENTIFY_SYSTEM");
  let received = toPosition(system.xlogpos);
  const stream = await sql.unsafe(`START_REPLICATION PHYSICAL ${system.xlogpos}`).writable();
  stream.on("data", (message: Buffer) => {
    if (message[0] === "w".charCodeAt(0)) {
      received = message.readBigUInt64BE(1) + BigInt(message.length - 25);
    }
    reply();
  });
  const timer = setInterval(reply, REPLY_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      stream.end();
      await sql.end({ timeout: 1 }); // a sender that is not streaming yet does not answer the end of the copy
    },
  };

  /** A "standby status update": written, flushed and applied up to here, and the time. */
  function reply(): void {
    const message = Buffer.alloc(34);
    message.write("r");
    message.writeBigUInt64BE(received, 1);
    message.writeBigUInt64BE(received, 9);
    message.writeBigUInt64BE(saysApplied === "all" ? received : 0n, 17);
    message.writeBigInt64BE(BigInt(Date.now() + clockAheadMs - EPOCH_MS) * 1000n, 25);
    stream.write(message);
  }
}

function toPosition(lsn: string): bigint {
  const [high = "", low = ""] = lsn.split("/");
  return BigInt(`0x${high}`) << 32n | BigInt(`0x${low}`);
}
