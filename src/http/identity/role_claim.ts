import { z } from "zod";

const values = z.union([z.string().transform((value) => [value]), z.array(z.unknown())]);

/**
 * Reads the role that a provider's claims give: `admin` where the claim is or holds it, else `service`, else none.
 * @param path the claim's name, or a path such as `realm_access.roles`, which reaches inside of claims.
 */
export function readRole(claims: Record<string, unknown>, path: string): "admin" | "service" | undefined {
  const { data: held = [] } = values.safeParse(claims[path] ?? readPath(claims, path));
  return (["admin", "service"] as const).find((role) => held.includes(role));
}

function readPath(claims: Record<string, unknown>, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    const { data } = z.record(z.string(), z.unknown()).safeParse(value);
    return data === undefined || !Object.hasOwn(data, key) ? undefined : data[key];
  }, claims);
}
