import { z } from "zod";

const object = z.record(z.string(), z.unknown());
const values = z.union([
  z.string().transform((value) => value.split(" ")), // as `scope` has it
  z.array(z.unknown()),
]);

/**
 * Reads the role that a provider's claims give: `admin` where the claim is or holds it, else `service`, else none. It
 * holds several as an array, or as a string with spaces between.
 * @param path the claim's name, or a path such as `realm_access.roles`, which reaches inside of claims. Names may contain
 * dots themselves: the longest name that is there wins.
 */
export function readRole(claims: Record<string, unknown>, path: string): "admin" | "service" | undefined {
  const { data: held = [] } = values.safeParse(readPath(claims, path.split(".")));
  return (["admin", "service"] as const).find((role) => held.includes(role));
}

/** Reads what is at the path; undefined where nothing is, or null. */
function readPath(value: unknown, keys: string[]): unknown {
  if (keys.length === 0) return value ?? undefined;
  const { data: claims } = object.safeParse(value);
  if (claims === undefined) return undefined;
  for (let length = keys.length; length > 0; length--) {
    const name = keys.slice(0, length).join(".");
    const found = Object.hasOwn(claims, name) ? readPath(claims[name], keys.slice(length)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
