import type { MiddlewareHandler } from "hono";
import { requireRole } from "../../http/identity/auth.ts";
import { type PageEnv, sessionOf } from "../env.ts";
import { paths } from "../frame/paths.ts";

/** Pages that only prepare a change. A viewer does not need them. */
const PREPARATIONS = [paths.policyDraft, paths.defaultTrainer];

/** Lets admins alone send forms and prepare changes; viewers read all other pages. */
export const requireAdminToChange: MiddlewareHandler<PageEnv> = async (c, next) => {
  const { method, path } = c.req;
  const isPreparation = PREPARATIONS.some((page) => path === page || path.startsWith(`${page}/`));
  if (isPreparation || !["GET", "HEAD"].includes(method)) requireRole(sessionOf(c), "admin");
  await next();
};
