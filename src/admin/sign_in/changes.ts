import type { MiddlewareHandler } from "hono";
import { requireRole } from "../../http/identity/auth.ts";
import { type PageEnv, sessionOf } from "../env.ts";
import { paths } from "../frame/paths.ts";

/** Pages that only prepare a change. A viewer does not need them. */
const PREPARATIONS = [paths.policyDraft, paths.defaultTrainer].map((path) => `${path}(?:/.*)?`);
const IS_PREPARATION = new RegExp(`^(?:${[...PREPARATIONS, paths.moveClients("[^/]+")].join("|")})$`);

/** Lets admins alone send forms and prepare changes; viewers read all other pages. */
export const requireAdminToChange: MiddlewareHandler<PageEnv> = async (c, next) => {
  const { method, path } = c.req;
  if (IS_PREPARATION.test(path) || !["GET", "HEAD"].includes(method)) requireRole(sessionOf(c), "admin");
  await next();
};
