import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { Problem } from "./problems.ts";

/**
 * Chooses what to answer with (RFC 9110, section 12.5.1): of the media types offered, the one whose most specific
 * match in `Accept` has the greatest weight; the first one where nothing is asked for or weights are equal.
 * @throws {Problem} `not_acceptable` when none is acceptable.
 */
export function negotiate<T extends string>(c: Context, offered: readonly [T, ...T[]]): T {
  c.header("Vary", "Accept");
  const chosen = accepts(c, {
    header: "Accept",
    supports: [...offered],
    default: offered[0],
    match: (ranges) => {
      const weighed = offered.map((type) => ({ type, weight: weigh(type, ranges) })).filter(({ weight }) =>
        weight > 0
      );
      return weighed.sort((a, b) => b.weight - a.weight)[0]?.type ?? "";
    },
  });
  const type = offered.find((type) => type === chosen);
  if (type === undefined) throw new Problem("not_acceptable", `Available: ${offered.join(", ")}.`);
  return type;
}

function weigh(type: string, ranges: { type: string; q: number }[]): number {
  for (const pattern of [type, type.replace(/\/.*/, "/*"), "*/*"]) {
    const range = ranges.find((range) => range.type.toLowerCase() === pattern);
    if (range !== undefined) return range.q;
  }
  return 0;
}
