import postgres from "postgres";
import { errorCode } from "../errors.ts";
import { CANCELED } from "./error_kinds.ts";
import { POOL_FULL } from "./driver/pool.ts";

/**
 * Why a read went to the primary although there is a replica.
 *
 * The replica cannot be used: `unmeasured` (its lag is unknown: it is new, or the primary is away), `lagging`,
 * `unreachable`, or a `ReplicaMismatch`. This read failed there: `conflict` (canceled by the replay), `late`,
 * `busy` (no free connection), or `error` (anything else).
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

/** SQLSTATEs of a read that the replay canceled: serialization failure, deadlock. */
const CONFLICT = /^(40001|40P01)$/;
/** SQLSTATEs of an unusable server: connection exceptions (08), out of resources (53), stopping or starting (57P). */
const AWAY = /^(08|53|57P)/;

/** Returns the reason for the fallback that an error of the replica means. */
export function reasonOf(error: unknown): Fallback {
  const code = errorCode(error);
  if (code === POOL_FULL) return "busy";
  if (code === "ETIMEDOUT" || code === CANCELED) return "late";
  if (!(error instanceof postgres.PostgresError)) return code === "" ? "error" : "unreachable";
  if (CONFLICT.test(code)) return "conflict";
  return AWAY.test(code) ? "unreachable" : "error";
}
