import { hash } from "node:crypto";
import type { MemberHook } from "../../config/member_hook.ts";
import { isStorable } from "../../storable_text.ts";
import { toMemberId } from "./member_id.ts";

/** What an event says of a new member. */
export interface MemberEvent {
  id: string;
  type: string;
  /** null: the event names nobody. */
  memberId: string | null;
  name: string | null;
  email: string | null;
}

const EVENT_ID = /^[\x21-\x7e]{1,255}$/;
const MAX_ID_LENGTH = 255;

/**
 * Reads an event; null if its type is not one that says that a member was created.
 * @param headerId the id by a header, if there is one
 */
export function readEvent(
  hook: MemberHook,
  payload: unknown,
  body: string,
  headerId: string | null,
): MemberEvent | null {
  const type = readText(payload, hook.type);
  if (type === null || !hook.types.includes(type)) return null;
  const id = readFirst(payload, hook.idOfType[type] ?? hook.id);
  const names = hook.name.map((pointer) => readText(payload, pointer)).filter((name) => name !== null);
  return {
    id: [headerId, readFirst(payload, hook.eventId)].find((id) => id !== null && EVENT_ID.test(id)) ??
      `sha256:${hash("sha256", body)}`,
    type,
    memberId: id === null || id.length > MAX_ID_LENGTH ? null : toMemberId(id, hook.namespace),
    name: names.length === 0 ? null : names.join(" "),
    email: readFirst(payload, hook.email),
  };
}

function readFirst(payload: unknown, pointers: readonly string[]): string | null {
  return pointers.map((pointer) => readText(payload, pointer)).find((text) => text !== null) ?? null;
}

/** Reads a text, or a whole number, that the database can store; null where there is none. */
function readText(payload: unknown, pointer: string): string | null {
  const value = follow(payload, pointer);
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string" || !isStorable(value)) return null;
  return value.trim() || null;
}

/** Follows a JSON pointer (RFC 6901); undefined where it leads nowhere. */
function follow(payload: unknown, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce((value: unknown, part) => {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, payload);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
