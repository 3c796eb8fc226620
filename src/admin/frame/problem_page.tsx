import type { Context, ErrorHandler } from "hono";
import { toProblem } from "../../http/error_handler.ts";
import { describeProblem, type ProblemCode } from "../../http/problems.ts";
import type { PageEnv } from "../env.ts";
import { answerPage, type Pages, REFRESH_MS } from "./pages.ts";
import { paths } from "./paths.ts";
import { MessagePage } from "../sign_in/view.tsx";

interface Action {
  label: string;
  path: string;
}

const goToOverview = (): Action => ({ label: "Go to the overview", path: paths.home });

/** @property action where to go on, by the address that led here */
interface Text {
  title: string;
  text: string;
  action?: (url: URL) => Action;
}

const TEXTS: Partial<Record<ProblemCode, Text>> = {
  not_found: { title: "There is no such page", text: "The address may be mistyped, or the page has moved." },
  run_not_found: {
    title: "There is no such run",
    text: "The address may be mistyped.",
    action: () => ({ label: "Go to all runs", path: paths.runs }),
  },
  trainer_not_found: {
    title: "There is no such trainer",
    text: "No member has this id. Check it for typing mistakes.",
    action: () => ({ label: "Look for another trainer", path: paths.trainers }),
  },
  invalid_cursor: {
    title: "This page of the list is gone",
    text: "The address of the page is not one of this list any more. Begin with its first page.",
    action: firstPage,
  },
  database_unavailable: {
    title: "The database does not answer",
    text:
      "This page goes on by itself as soon as the database is back. Assigning goes on with it; nothing is lost.",
  },
  database_busy: { title: "The database is busy", text: "It did not answer in time. Try again in a moment." },
  rows_hidden: {
    title: "Row-level security hides rows from the service",
    text: "What it still sees would be a wrong answer. Health says which policy is missing.",
    action: () => ({ label: "Go to Health", path: paths.health }),
  },
  request_timeout: {
    title: "That took too long",
    text: "Whether it was done is not known here. Look before you try it again.",
  },
  too_many_streams: { title: "Too many downloads", text: "Try again when the others have ended." },
  invalid_request: {
    title: "That could not be read",
    text: "What was sent is no form of ours, or it broke off. Try again.",
  },
  body_too_large: { title: "That is too much", text: "The form was sent with more than it has room for." },
};

/** Turns any error into a page that says what to do next. */
export function problemHandler({ services, outage }: Pages): ErrorHandler<PageEnv> {
  return (error, c) => {
    const problem = toProblem(error);
    const status = statusOf(problem.code);
    if (status >= 500 && !services.outageLog?.covers(error)) {
      const { requestId } = c.env.request.var;
      services.log[problem.code === "internal_error" ? "error" : "warn"](
        { requestId, code: problem.code, err: error },
        "page failed",
      );
    }
    if (problem.code === "database_unavailable") outage.since ??= new Date();
    return answerProblem(c, problem.code, status, outage.since);
  };
}

/** Answers with the page for a code. */
export function answerProblem(
  c: Context<PageEnv>,
  code: ProblemCode,
  status = statusOf(code),
  outageSince?: Date,
): Response | Promise<Response> {
  const { title, text, action = goToOverview } = TEXTS[code] ?? {
    title: "Something went wrong",
    text: `The request id ${c.env.request.var.requestId} leads to the reason in the service's log.`,
  };
  const isAway = code === "database_unavailable" && outageSince !== undefined;
  return answerPage(c, {
    title,
    children: <MessagePage title={title} text={text} action={c.var.session && action(new URL(c.req.url))} />,
    ...(isAway ? { refreshMs: REFRESH_MS.idle, outage: { since: outageSince, shownFrom: undefined } } : {}),
  }, status);
}

/** On pages, whom and what an address names is missing where it cannot be found. */
function statusOf(code: ProblemCode) {
  return describeProblem(code, "/:trainerId").status;
}

/** The same list from its beginning. */
function firstPage(url: URL): Action {
  url.searchParams.delete("cursor");
  return { label: "Go to the first page", path: url.pathname + url.search };
}
