import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Returns the member's id for a provider's id: the same if it is a UUID, else version 5 of it in the namespace. */
export function toMemberId(id: string, namespace: string): string {
  return UUID.test(id) ? id.toLowerCase() : uuidV5(id, namespace);
}

/** Makes a UUID version 5 (RFC 9562, 5.5): always the same for a name in a namespace. */
export function uuidV5(name: string, namespace: string): string {
  const bytes = createHash("sha1").update(Buffer.from(namespace.replaceAll("-", ""), "hex")).update(name)
    .digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
