import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { requireRole } from "./identity/auth.ts";
import type { AppEnv } from "./env.ts";

/** A member's name; null where there is none to read. */
export const MemberName = z.string().nullable().openapi({
  description: "From the column `MEMBER_NAME_COLUMN`. Null: the member has none, or there is no such column.",
  example: "Anna Berg",
});

/** A member's e-mail, likewise. */
export const MemberEmail = z.string().nullable().openapi({
  description: "From the column `MEMBER_EMAIL_COLUMN`, likewise.",
  example: "anna@example.com",
});

/** The query parameter that adds names to a list. */
export const NAMES_QUERY = {
  names: z.enum(["true", "false"]).default("false").openapi({
    description: "`true`: with the members' names and e-mails. This needs the role viewer.",
    example: "false",
  }),
};

/** What names add to the rows of a list. */
export const ROW_NAMES = {
  memberName: MemberName.optional().openapi({ description: "The member's name. Only with `names=true`." }),
  memberEmail: MemberEmail.optional().openapi({
    description: "The member's e-mail. Only with `names=true`.",
  }),
};

/** Tells whether names are asked for. @throws {Problem} `forbidden` if the caller may not read them. */
export function wantsNames(c: Context<AppEnv>, { names }: { names: "true" | "false" }): boolean {
  if (names === "false") return false;
  const { principal } = c.var;
  if (principal === undefined) throw new Error("a route without a role has no names");
  requireRole(principal, "viewer");
  return true;
}

/** The columns of a CSV with names, which follow the first column, the members' ids. */
export function withNameColumns([idColumn, ...others]: readonly [string, ...string[]]): string[] {
  return [idColumn, "memberName", "memberEmail", ...others];
}
