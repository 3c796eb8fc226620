import { includesRole } from "../../config/roles.ts";
import { readCookie } from "../../http/identity/session_cookie.ts";
import { answerPage, type Pages, REFRESH_MS } from "../frame/pages.ts";
import { HealthPage } from "./view.tsx";

/**
 * Adds the health page. Like `/readyz` it needs no sign-in, and works while the database is away. Its status is
 * always 200, because the page itself works.
 */
export function addHealthPage({ app, services, checkHealth }: Pages): void {
  app.get("/trainer-assignment/health", async (c) => {
    const [health, session] = await Promise.all([checkHealth(), readCookie(c, services)]);
    if (session && includesRole(session.role, "viewer")) c.set("session", session);
    return await answerPage(c, {
      title: "Health",
      refreshMs: REFRESH_MS.idle,
      children: <HealthPage health={health} isStopping={services.stopping?.aborted === true} />,
    });
  });
}
