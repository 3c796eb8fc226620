import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { OpenIdConfig } from "../../config.ts";
import type { PageEnv } from "../env.ts";
import { createOpenId, OpenIdError } from "./openid.ts";
import { answerPage, type Pages } from "../frame/pages.ts";
import { paths, safeNext } from "../frame/paths.ts";
import { callerAddress } from "../../http/identity/caller_address.ts";
import { recordSignIn } from "../../http/identity/access_log.ts";
import { isHttps, publicOrigin } from "../../http/identity/same_origin.ts";
import { seal, unseal } from "../../http/identity/seal.ts";
import { sealOpenIdSession } from "../../http/identity/session.ts";
import { startSession } from "../../http/identity/session_cookie.ts";
import { answerOnward } from "./pages.tsx";
import { MessagePage } from "./view.tsx";

const COOKIE = "trainer_assignment_openid";
const PURPOSE = "pending sign-in";
const MINUTES = 10;

const pendingSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  next: z.string(),
  expiresAtMs: z.number(),
});

/** Adds the sign-in through the configured OpenID Connect provider. */
export function addOpenIdPages({ app, services }: Pages, config: OpenIdConfig): void {
  const { log, trustedProxies = 0 } = services;
  const openId = createOpenId(config);

  app.get("/openid", async (c) => {
    try {
      const { location, pending } = await openId.begin(publicOrigin(c) + paths.openIdCallback);
      const next = safeNext(c.req.query("next"));
      const expiresAtMs = Date.now() + MINUTES * 60_000;
      setCookie(
        c,
        COOKIE,
        await seal(config.clientSecret, PURPOSE, { ...pending, next, expiresAtMs }),
        cookieAttributes(c),
      );
      return c.redirect(location.href, 302);
    } catch (error) {
      log.warn({ err: error, issuer: config.issuer }, "the OpenID Connect provider does not answer");
      return refuse(
        c,
        502,
        "The sign-in service does not answer",
        "Try again shortly, or sign in with a token.",
      );
    }
  });

  app.get("/openid/callback", async (c) => {
    const pending =
      pendingSchema.safeParse(await unseal(config.clientSecret, PURPOSE, getCookie(c, COOKIE) ?? "")).data;
    deleteCookie(c, COOKIE, cookieAttributes(c));
    if (pending === undefined || pending.expiresAtMs < Date.now()) {
      return refuse(
        c,
        400,
        "This sign-in took too long",
        "Or it was started in another browser. Sign in again.",
      );
    }
    const address = callerAddress(c.env.request, trustedProxies);
    const callback = new URL(publicOrigin(c) + paths.openIdCallback + new URL(c.req.url).search);
    try {
      const person = await openId.complete(callback, pending);
      log.info({ event: "signed_in", address, user: person.name, role: person.role });
      await recordSignIn(services, person, "openid", c.env.request.var.requestId);
      startSession(c, await sealOpenIdSession(config, person));
      return await answerOnward(c, safeNext(pending.next));
    } catch (error) {
      if (!(error instanceof OpenIdError)) throw error;
      log.warn({ event: "sign_in_refused", address, err: error, cause: String(error.cause ?? "") });
      if (error.refusal === undefined) {
        return refuse(
          c,
          400,
          "You were not signed in",
          "The sign-in service refused. Sign in again.",
        );
      }
      c.env.request.set("refusal", error.refusal);
      return refuse(
        c,
        403,
        "You may not open this page",
        "You are signed in there, but have neither the role admin nor viewer here. Ask whoever grants roles.",
      );
    }
  });
}

function refuse(c: Context<PageEnv>, status: 400 | 403 | 502, title: string, text: string) {
  const action = { label: "Back to the sign-in", path: paths.signIn };
  return answerPage(
    c,
    { title, children: <MessagePage title={title} text={text} action={action} /> },
    status,
  );
}

/**
 * Returns the cookie's attributes. It is Lax, because it must be sent when the provider redirects the browser
 * back.
 */
function cookieAttributes(c: Context) {
  return {
    path: paths.openId,
    httpOnly: true,
    sameSite: "Lax",
    secure: isHttps(c.req.raw),
    maxAge: MINUTES * 60,
  } as const;
}
