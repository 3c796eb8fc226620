import { logFailedRetries, logNewFailures } from "../../assignments/failure_log.ts";
import { listFailures, retryFailures } from "../../assignments/failures.ts";
import { byId, findMembers } from "../../assignments/member_lookup.ts";
import { logChange } from "../../http/audit.ts";
import { readPage } from "../../http/paging.ts";
import { visitorOf } from "../env.ts";
import { withNotice } from "../frame/notices.ts";
import type { OverviewReader } from "../overview/reader.ts";
import { answerPage, type Pages, REFRESH_MS, seeOther } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { listEventFailures } from "../../webhooks/in/event_failures.ts";
import { FailuresPage } from "./view.tsx";

const PAGE_ROWS = 50;

/** Assignments that failed at sign-up: see why, try again now. */
export function addFailurePages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;

  app.get("/trainer-assignment/failures", async (c) => {
    const cursor = c.req.query("cursor");
    const { rows, next } = await readPage(c, {
      list: "failures",
      limit: PAGE_ROWS,
      cursor,
      read: (page) => listFailures(sql, page),
      idOf: (failure) => failure.memberId,
    });
    // The latest; GET /v1/hooks/members/failures has all.
    const events = cursor === undefined
      ? await listEventFailures(sql, { limit: PAGE_ROWS, after: undefined })
      : [];
    const members = byId(await findMembers(services, rows.map(({ memberId }) => memberId)));
    return await answerPage(c, {
      title: "Waiting sign-ups",
      section: "failures",
      refreshMs: REFRESH_MS.idle,
      children: (
        <FailuresPage
          failures={rows}
          members={members}
          events={events}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    });
  });

  app.post("/trainer-assignment/failures/retry", async (c) => {
    await logNewFailures(sql, log); // a retry that succeeds deletes its failure
    const progress = await retryFailures(sql, {
      by: visitorOf(c),
      onFailed: (failures) => logFailedRetries(log, failures),
    });
    logChange(log, visitorOf(c), "failures_retry_requested", { ...progress });
    reader.expire();
    const { retried, failed, remaining } = progress;
    return seeOther(
      c,
      remaining > 0
        ? withNotice(paths.failures, "failures_being_retried", retried, failed, remaining)
        : withNotice(paths.failures, "failures_retried", retried, failed),
    );
  });
}
