/**
 * What callers may do; each role includes those before it. `service` checks and lists assignments and
 * fetches messages, `viewer` reads all that there is, `admin` also changes it.
 */
export const ROLES = ["service", "viewer", "admin"] as const;

export type Role = (typeof ROLES)[number];

/** Tells whether a role allows what needs another one. */
export function includesRole(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed);
}

/** Lists the roles that allow what needs this one, from the least. */
export function rolesFrom(needed: Role): Role[] {
  return ROLES.filter((role) => includesRole(role, needed));
}
