import type { Context, MiddlewareHandler } from "hono";
import { endSession, rememberSessions } from "../../http/identity/ended_sessions.ts";
import { includesRole } from "../../config/roles.ts";
import type { PageEnv } from "../env.ts";
import { withNotice } from "../frame/notices.ts";
import { answerPage, type Pages, readForm, seeOther } from "../frame/pages.ts";
import { paths, safeNext } from "../frame/paths.ts";
import { callerAddress, callerNetwork } from "../../http/identity/caller_address.ts";
import { recordSignIn } from "../../http/identity/access_log.ts";
import { isFromOurPages } from "../../http/identity/same_origin.ts";
import { findToken, sealTokenSession, SESSION_HOURS } from "../../http/identity/session.ts";
import {
  currentSession,
  forgetCookie,
  hasCookie,
  readCookie,
  startSession,
} from "../../http/identity/session_cookie.ts";
import { createSignInLimit } from "./limit.ts";
import { MessagePage, SignInPage } from "./view.tsx";

/** Adds the sign-in with a token, and the sign-out. */
export function addSignInPages({ app, services }: Pages): void {
  const { sql, tokens, openId, log, trustedProxies = 0 } = services;
  const limit = createSignInLimit();
  const openIdName = openId ? new URL(openId.issuer).host : undefined;

  const ask = (c: Context<PageEnv>, next: string, problem?: string, status: 200 | 401 | 403 | 429 = 200) =>
    answerPage(c, {
      title: "Sign in",
      children: <SignInPage next={next} problem={problem} openIdName={openIdName} />,
    }, status);

  app.get("/login", async (c) => {
    const next = safeNext(c.req.query("next"));
    const session = await currentSession(c, services);
    return session && includesRole(session.role, "viewer") ? seeOther(c, next) : await ask(c, next);
  });

  app.post("/login", async (c) => {
    const form = await readForm(c);
    const next = safeNext(form.next);
    const address = callerAddress(c.env.request, trustedProxies);
    const network = callerNetwork(address);
    const waitSeconds = limit.secondsToWait(network);
    if (waitSeconds > 0) {
      c.header("Retry-After", String(waitSeconds));
      return ask(c, next, `Too many tries from your address. Try again in ${waitSeconds} seconds.`, 429);
    }
    const presented = form.token?.trim() ?? "";
    const token = findToken(tokens, presented);
    if (token === undefined) {
      limit.recordFailure(network);
      log.warn({ event: "sign_in_refused", address, reason: "no such token" });
      return ask(c, next, "This token is not configured. Check that it is complete.", 401);
    }
    const { name, role } = token;
    if (!includesRole(role, "viewer")) {
      c.env.request.set("refusal", { actor: name, needed: "viewer", held: role });
      log.warn({ event: "sign_in_refused", address, user: name, reason: "neither an admin nor a viewer" });
      return ask(
        c,
        next,
        `The token ${token.name} belongs to a service. This page needs a token with the role admin or viewer.`,
        403,
      );
    }
    log.info({ event: "signed_in", address, user: name, role });
    await recordSignIn(services, token, "token", c.env.request.var.requestId);
    startSession(c, await sealTokenSession(token, presented));
    return seeOther(c, next);
  });

  app.post("/logout", async (c) => {
    const session = await readCookie(c, services);
    forgetCookie(c);
    try {
      if (session !== undefined) {
        await endSession(sql, session, c.env.request.var.requestId);
        log.info({ event: "signed_out", user: session.name });
      }
    } catch (error) {
      log.warn({ event: "sign_out_not_recorded", user: session?.name, err: error });
      return await answerHalfSignedOut(c);
    }
    return seeOther(c, `${paths.signIn}?notice=signed_out`);
  });
}

/** Lets signed-in admins and viewers pass; redirects everybody else to the sign-in page. */
export function requireSession({ services }: Pages): MiddlewareHandler<PageEnv> {
  const isSignedOut = rememberSessions(services.sql);
  return async function requireSession(c, next): Promise<Response | void> {
    const session = await readCookie(c, services);
    if (session === undefined || await isSignedOut(session)) return askToSignIn(c);
    if (!includesRole(session.role, "viewer")) {
      c.env.request.set("refusal", { actor: session.name, needed: "viewer", held: session.role });
      return answerPage(c, {
        title: "Not for you",
        children: (
          <MessagePage
            title="You may not open this page"
            text={`${session.name} is signed in, but no longer has the role admin or viewer. Ask an operator, or sign in as somebody else.`}
            action={{ label: "Sign in", path: paths.signIn }}
          />
        ),
      }, 403);
    }
    c.set("session", session);
    c.env.request.set("principal", { name: session.name, role: session.role });
    return await next();
  };
}

/**
 * Redirects to the sign-in, and from there back to the page; after a form, to the page of the form. A browser
 * that follows a link from another site does not send the cookie (it is `SameSite=Strict`), even if the visitor
 * is signed in: one of our pages then loads the address again, with the cookie.
 */
function askToSignIn(c: Context<PageEnv>): Response | Promise<Response> {
  const isGet = c.req.method === "GET";
  const here = new URL(c.req.url);
  if (isGet && c.req.header("sec-fetch-site") === "cross-site") {
    return answerOnward(c, here.pathname + here.search);
  }
  const from = isGet ? here : URL.parse(c.req.header("referer") ?? "");
  const next = safeNext(from === null ? undefined : from.pathname + from.search);
  const path = `${paths.signIn}?next=${encodeURIComponent(next)}`;
  if (!isGet) return seeOther(c, withNotice(path, "form_not_sent"));
  return seeOther(c, hasCookie(c) ? withNotice(path, "session_ended") : path);
}

/** Answers a sign-out that the database could not record, and so the other replicas do not know. */
function answerHalfSignedOut(c: Context<PageEnv>): Response | Promise<Response> {
  const text =
    "You are signed out in this browser. The database does not answer, so a copy of the session's cookie would stay " +
    `valid for up to ${SESSION_HOURS} hours after your sign-in. To prevent that, have an operator replace the token ` +
    "or the client secret.";
  return answerPage(c, {
    title: "Signed out here",
    children: (
      <MessagePage title="Signed out here" text={text} action={{ label: "Sign in", path: paths.signIn }} />
    ),
  }, 503);
}

/** Redirects by one of our pages, so that the browser sends the session's cookie. */
export function answerOnward(c: Context<PageEnv>, path: string): Response | Promise<Response> {
  return answerPage(c, {
    title: "One moment",
    goTo: path,
    children: (
      <MessagePage title="One moment…" text="The page opens by itself." action={{ label: "Open it", path }} />
    ),
  });
}

/** Refuses requests that another site made the browser send. */
export const refuseCrossSite: MiddlewareHandler<PageEnv> = async (c, next) => {
  const isSafe = ["GET", "HEAD"].includes(c.req.method);
  if (isSafe || isFromOurPages(c)) return await next();
  return answerPage(c, {
    title: "Refused",
    children: (
      <MessagePage
        title="The form did not come from this page"
        text="Another site, or a very old browser, sent this form. Nothing was done. Open the page and try again there."
        action={{ label: "Open the page", path: paths.home }}
      />
    ),
  }, 403);
};
