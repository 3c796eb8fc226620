import type { Context } from "hono";
import type { PageEnv } from "../env.ts";
import type { Notice } from "../frame/notices.ts";
import { paths } from "../frame/paths.ts";
import { answerPage, type Pages, REFRESH_MS, REFUSED } from "../frame/pages.ts";
import { toProblem } from "../../http/error_handler.ts";
import type { OverviewReader } from "./reader.ts";
import type { TypedForm } from "./props.ts";
import { Overview } from "./view.tsx";

/** Adds the overview: figures, the backfill, the latest runs, look-ups. */
export function addOverviewPage(pages: Pages, reader: OverviewReader): void {
  const { app } = pages;
  app.get("/", (c) => c.redirect(paths.home));
  app.get("/trainer-assignment", (c) => answerOverview(c, pages, reader));
}

/**
 * Answers with the overview; while the database is away, with its last known state.
 * @param refused a refused form of the overview: why, and its fields
 */
export async function answerOverview(
  c: Context<PageEnv>,
  { outage }: Pages,
  reader: OverviewReader,
  refused?: { notice: Notice } & TypedForm,
): Promise<Response> {
  const frame = {
    title: "Overview",
    section: "overview",
    notice: refused?.notice,
    address: refused && paths.home,
  } as const;
  try {
    const overview = await reader.read();
    outage.since = undefined;
    const refreshMs = overview.activeRuns.some((run) => run.status === "running")
      ? REFRESH_MS.busy
      : REFRESH_MS.idle;
    const children = <Overview {...overview} typed={refused} />;
    return await answerPage(c, { ...frame, refreshMs, children }, refused ? REFUSED : 200);
  } catch (error) {
    const overview = reader.lastKnown();
    const isAway = error instanceof Error && toProblem(error).code === "database_unavailable";
    if (!isAway || overview === undefined) throw error;
    outage.since ??= new Date();
    return await answerPage(c, {
      ...frame,
      refreshMs: REFRESH_MS.idle,
      outage: { since: outage.since, shownFrom: overview.readAt },
      children: <Overview {...overview} typed={refused} />,
    }, 503);
  }
}
