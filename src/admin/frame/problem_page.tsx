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

/** @property action returns the button of the page at an address */
interface Text {
  title: string;
  text: string;
  action?: (url: URL) => Action;
}

const TEXTS: Partial<Record<ProblemCode, Text>> = {
  not_found: { title: "There is no such page", text: "The address may be mistyped, or the page has moved." },
  forbidden: {
    title: "Only an admin can do this",
    text: "Nothing was changed. Ask an admin to do it.",
  },
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
  policy_version_not_found: {
    title: "The policy has no such version",
    text: "The address may be mistyped.",
    action: () => ({ label: "Go to the policy", path: paths.policy }),
  },
  invalid_cursor: {
    title: "This page of the list is gone",
    text: "The address does not belong to this list any more. Start at the first page.",
    action: firstPage,
  },
  database_unavailable: {
    title: "The database does not answer",
    text: "This page continues by itself when the database is back. No sign-up is lost.",
  },
  database_busy: { title: "The database is busy", text: "It did not answer in time. Try again in a moment." },
  rows_hidden: {
    title: "Row-level security hides rows from the service",
    text: "Its answers would be wrong. Health says which policy is missing.",
    action: () => ({ label: "Go to Health", path: paths.health }),
  },
  request_timeout: {
    title: "The request took too long",
    text: "It is unknown whether it was done. Check before you try again.",
  },
  too_many_streams: { title: "Too many downloads", text: "Try again when the others have ended." },
  invalid_request: {
    title: "The form could not be read",
    text: "It was incomplete or malformed. Try again.",
  },
  body_too_large: { title: "The form is too large", text: "Shorten the text and send it again." },
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
    const { refusal } = problem.extra;
    if (refusal !== undefined) c.env.request.set("refusal", refusal);
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
    text: `The service's log has the reason, under the request id ${c.env.request.var.requestId}.`,
  };
  const isAway = code === "database_unavailable" && outageSince !== undefined;
  return answerPage(c, {
    title,
    children: <MessagePage title={title} text={text} action={c.var.session && action(new URL(c.req.url))} />,
    ...(isAway ? { refreshMs: REFRESH_MS.idle, outage: { since: outageSince, shownFrom: undefined } } : {}),
  }, status);
}

/** Returns the status for a problem. On pages, an id in the address that does not exist is 404. */
function statusOf(code: ProblemCode) {
  return describeProblem(code, "/:trainerId").status;
}

/** Returns the button to the first page of the same list. */
function firstPage(url: URL): Action {
  url.searchParams.delete("cursor");
  return { label: "Go to the first page", path: url.pathname + url.search };
}
