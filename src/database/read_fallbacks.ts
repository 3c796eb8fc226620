import postgres from "postgres";
import { errorCode } from "../errors.ts";
import { POOL_FULL } from "./driver/pool.ts";

/**
 * Why a read went to the primary though there is a replica. Of the replica as a whole: `unmeasured`, how far it is behind
 * is not known, for it is new or the primary is away; `lagging`; `unreachable`; or one of `ReplicaMismatch`. Of this read there:
 * `conflict`, cancelled by what the replica replayed; `late`; `busy`, no connection was free; `error`, all else.
 */
export const FALLBACKS = [
  "unmeasured",
  "lagging",
  "unreachable",
  "not_a_standby",
  "other_history",
  "conflict",
  "late",
  "busy",
  "error",
] as const;
export type Fallback = typeof FALLBACKS[number];

/** SQLSTATEs of what replaying cancels: serialization failure, deadlock. */
const CONFLICT = /^(40001|40P01)$/;
/** Of a server that stops, starts or has no room: connection exceptions (08), out of resources (53), stopping (57P). */
const AWAY = /^(08|53|57P)/;

/** Finds the reason that an error of the replica is. */
export function reasonOf(error: unknown): Fallback {
  const code = errorCode(error);
  if (code === POOL_FULL) return "busy";
  if (code === "ETIMEDOUT" || code === "57014") return "late";
  if (!(error instanceof postgres.PostgresError)) return code === "" ? "error" : "unreachable";
  if (CONFLICT.test(code)) return "conflict";
  return AWAY.test(code) ? "unreachable" : "error";
}
