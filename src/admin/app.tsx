import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { matchedRoutes } from "hono/route";
import { Problem } from "../http/problems.ts";
import type { Api } from "../http/route.ts";
import { createSlots } from "../http/slots.ts";
import { REQUEST_TIMEOUT_MS, withTimeLimit } from "../http/time_limit.ts";
import { createCounts } from "./overview/counts.ts";
import type { PageEnv } from "./env.ts";
import { addFailurePages } from "./failures/pages.tsx";
import { addHistoryPages } from "./history/pages.tsx";
import { addHealthPage } from "./health/page.tsx";
import { addMemberPages } from "./members/pages.tsx";
import { addOpenIdPages } from "./sign_in/openid_pages.tsx";
import { createOverviewReader } from "./overview/reader.ts";
import { addOverviewPage } from "./overview/page.tsx";
import { paths } from "./frame/paths.ts";
import { ID_PATTERN, type Pages } from "./frame/pages.ts";
import { answerProblem, problemHandler } from "./frame/problem_page.tsx";
import { addDraftPages } from "./policy/draft_pages.tsx";
import { addPickerPages } from "./picker/pages.tsx";
import { addPolicyPages } from "./policy/pages.tsx";
import { addRunPages } from "./runs/pages.tsx";
import { addSignInPages, refuseCrossSite, requireSession } from "./sign_in/pages.tsx";
import { requireAdminToChange } from "./sign_in/changes.ts";
import { serveStatic } from "./frame/static_files.ts";
import { addTrainerPages } from "./trainers/pages.tsx";
import { addTransferPages } from "./transfers/pages.tsx";
import { addWebhookPages } from "./webhooks/pages.tsx";

const MAX_FORM_BYTES = 64 * 1024;
const MAX_DRAFT_BYTES = 1024 * 1024; // a draft of 100 rules, or a plan for 1,000 clients, travels in a form
const CARRIES_DRAFT = new RegExp(
  `^(?:${paths.policy}(?:/.*)?|${paths.moveClients("[^/]+")}|${paths.transferPlan("[^/]+")})$`,
);
const MAX_EXPORTS = 4;

/**
 * Adds the admin page at `/admin`, a separate application for people. It has sessions, and its errors are
 * pages. Log, request id and security headers come from the service around it.
 */
export function addAdminPages({ app, services, checkHealth, requireVisibleRows }: Api): void {
  const pages = new Hono<PageEnv>().basePath("/admin");
  addPages(requireVisibleRows, {
    app: pages,
    services,
    checkHealth,
    counts: createCounts(services.sql, services.log),
    takeExportSlot: createSlots(MAX_EXPORTS),
    outage: {},
  });
  for (const path of ["/admin", "/admin/*"]) {
    app.all(path, (c) => pages.fetch(c.req.raw, { request: c }));
  }
}

function addPages(requireVisibleRows: Api["requireVisibleRows"], pages: Pages): void {
  const { app, services, counts } = pages;
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = services;
  const reader = createOverviewReader(services, counts);
  app.onError(problemHandler(pages));
  app.use((c, next) => {
    const page = matchedRoutes(c).findLast(({ method }) => method !== "ALL"); // the others are middleware
    c.env.request.set("route", (page?.path ?? "/admin/*").replaceAll(`{${ID_PATTERN}}`, ""));
    return withTimeLimit(c.env.request, requestTimeoutMs, next);
  });
  const limitForm = limitBody(MAX_FORM_BYTES);
  const limitDraft = limitBody(MAX_DRAFT_BYTES);
  app.use(refuseCrossSite, (c, next) => {
    return (CARRIES_DRAFT.test(c.req.path) ? limitDraft : limitForm)(c, next);
  });

  app.get("/static/:version/:name", (c) => {
    const { version, name } = c.req.param();
    return serveStatic(c, name, version) ?? answerProblem(c, "not_found");
  });
  addSignInPages(pages);
  if (services.openId) addOpenIdPages(pages, services.openId);

  addHealthPage(pages);

  app.use(requireSession(pages), requireAdminToChange); // for all following pages
  app.use(async (_c, next) => {
    await requireVisibleRows();
    await next();
  });
  addOverviewPage(pages, reader);
  addPickerPages(pages);
  addPolicyPages(pages);
  addDraftPages(pages, reader);
  addRunPages(pages, reader);
  addMemberPages(pages, reader);
  addTrainerPages(pages, reader);
  addTransferPages(pages, reader);
  addFailurePages(pages, reader);
  addWebhookPages(pages);
  addHistoryPages(pages);
  app.notFound((c) => answerProblem(c, "not_found"));
}

function limitBody(maxSize: number) {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem("body_too_large", `A form may have at most ${maxSize} bytes.`);
    },
  });
}
