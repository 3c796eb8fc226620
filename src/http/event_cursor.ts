import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { Place } from "../webhooks/events.ts";
import { Problem } from "./problems.ts";

const VERSION = 2;
const XID_BYTES = 8;
const ID_BYTES = 16;
const DIGEST_BYTES = 8;
// 33 bytes are exactly 44 characters of base64url: there are no unused bits, so every changed character is noticed.
const CURSOR = /^[A-Za-z0-9_-]{44}$/;

/** Writes a place in the order of messages. It fits every filter: a consumer may ask for other types from there on. */
export function writeEventCursor({ xid, id }: Place): string {
  const place = Buffer.alloc(1 + XID_BYTES + ID_BYTES);
  place.writeUInt8(VERSION);
  place.writeBigUInt64BE(BigInt(xid), 1);
  place.write(id.replaceAll("-", ""), 1 + XID_BYTES, "hex");
  return Buffer.concat([place, digest(place)]).toString("base64url");
}

/** Reads what {@link writeEventCursor} wrote. @throws {Problem} `invalid_cursor` */
export function readEventCursor(cursor: string): Place {
  const bytes = Buffer.from(CURSOR.test(cursor) ? cursor : "", "base64url");
  const place = bytes.subarray(0, 1 + XID_BYTES + ID_BYTES);
  if (bytes[0] !== VERSION || !digest(place).equals(bytes.subarray(place.length))) {
    throw new Problem(
      "invalid_cursor",
      "The cursor must be `next`, or the id of a streamed event, unchanged.",
    );
  }
  const id = place.toString("hex", 1 + XID_BYTES).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { xid: String(place.readBigUInt64BE(1)), id };
}

function digest(place: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([Buffer.from("events\n"), place]), "buffer").subarray(0, DIGEST_BYTES);
}
