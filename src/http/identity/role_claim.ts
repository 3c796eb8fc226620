import { z } from "zod";
import { type Role, ROLES } from "../../config/roles.ts";

const object = z.record(z.string(), z.unknown());
const values = z.union([
  z.string().transform((value) => value.split(" ")), // as in `scope`
  z.array(z.unknown()),
]);

/**
 * Reads the role that a provider's claims give: the highest of those that the claim contains, if any. The claim
 * is an array, or a string with spaces between the values.
 * @param path the claim's name, or a path into claims, such as `realm_access.roles`. Names may contain dots:
 * the longest name that exists wins.
 */
export function readRole(claims: Record<string, unknown>, path: string): Role | undefined {
  const { data: held = [] } = values.safeParse(readPath(claims, path.split(".")));
  return ROLES.findLast((role) => held.includes(role));
}

/** Reads the value at the path; undefined if it is missing or null. */
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
