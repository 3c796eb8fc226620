import { paths } from "../frame/paths.ts";
import { answerPage, type Pages, REFRESH_MS } from "../frame/pages.ts";
import { toProblem } from "../../http/error_handler.ts";
import type { OverviewReader } from "./reader.ts";
import { Overview } from "./view.tsx";

/** The overview: at a glance, the backfill, past runs, look-ups. While the database is away, what it showed last. */
export function addOverviewPage({ app, outage }: Pages, reader: OverviewReader): void {
  app.get("/", (c) => c.redirect(paths.home));

  app.get("/trainer-assignment", async (c) => {
    try {
      const overview = await reader.read();
      outage.since = undefined;
      const refreshMs = overview.activeRuns.some((run) => run.status === "running")
        ? REFRESH_MS.busy
        : REFRESH_MS.idle;
      return await answerPage(c, {
        title: "Overview",
        section: "overview",
        refreshMs,
        children: <Overview {...overview} />,
      });
    } catch (error) {
      const overview = reader.lastKnown();
      const isAway = error instanceof Error && toProblem(error).code === "database_unavailable";
      if (!isAway || overview === undefined) throw error;
      outage.since ??= new Date();
      return await answerPage(c, {
        title: "Overview",
        section: "overview",
        refreshMs: REFRESH_MS.idle,
        outage: { since: outage.since, shownFrom: overview.readAt },
        children: <Overview {...overview} />,
      }, 503);
    }
  });
}
