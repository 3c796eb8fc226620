import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { Problem } from "../../http/problems.ts";
import type { Services } from "../../http/services.ts";
import type { TakeSlot } from "../../http/slots.ts";
import type { Counts } from "../overview/counts.ts";
import type { PageEnv } from "../env.ts";
import { findNotice, findRefusal, type Notice, withNotice } from "./notices.ts";
import { type Frame, renderPage } from "./layout.tsx";

/** The pages under construction, and what they share. */
export interface Pages {
  app: Hono<PageEnv>;
  services: Services;
  counts: Counts;
  takeExportSlot: TakeSlot;
  /** Since when the database does not answer; empty while it does. */
  outage: { since?: Date | undefined };
}

/** How often an open page renews itself: while a run works, and otherwise. */
export const REFRESH_MS = { busy: 1000, idle: 2000 };

/** Answers with a page; who is signed in and what a redirect had to say are added. */
export function answerPage(
  c: Context<PageEnv>,
  frame: Omit<Frame, "session">,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> {
  const notice = frame.notice ?? findNotice(c.req.query("notice"));
  return c.html(renderPage({ ...frame, session: c.var.session, notice }), status);
}

/** Redirects to a page after an action, so that a reload does not repeat it. */
export function seeOther(c: Context<PageEnv>, path: string): Response {
  return c.redirect(path, 303);
}

/** What was typed into a refused form: it is shown again, and the page says why. */
export type Typed = Readonly<Record<string, string>>;

/** The status of a page that says why a form was refused. */
export const REFUSED = 422;

/**
 * Does what a form asked for and goes on to where it says.
 * @param refuse answers when it is refused in a way that we have words for: with an address to go back to, or with the page
 *   and its form as it was filled in.
 */
export async function doAndSeeOther(
  c: Context<PageEnv>,
  refuse: string | ((notice: Notice) => Response | Promise<Response>),
  work: () => Promise<string>,
): Promise<Response> {
  try {
    return seeOther(c, await work());
  } catch (error) {
    const refusal = findRefusal(error);
    if (refusal === undefined) throw error;
    return typeof refuse === "string"
      ? seeOther(c, withNotice(refuse, refusal.code))
      : await refuse(refusal.notice);
  }
}

const formSchema = z.record(z.string(), z.string());

/**
 * Reads a form; fields that are empty or files are left out.
 * @throws {Problem} `invalid_request` when it breaks off, or is none.
 */
export async function readForm(c: Context<PageEnv>): Promise<Record<string, string>> {
  const form = await c.req.parseBody().catch(() => {
    throw new Problem("invalid_request", "The form could not be read.");
  });
  const fields = Object.entries(form).filter(([, value]) => typeof value === "string" && value.trim() !== "");
  return formSchema.parse(Object.fromEntries(fields));
}

/** An id in an address, as the router's patterns write it. */
export const ID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

const QUOTES = /^["'`({[\s]+|["'`)}\],;\s]+$/g;
const HYPHENS_AND_SPACES = /[\p{Pd}\p{Z}\p{Cf}\s]/gu;
const HEX = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/**
 * Reads what a person gave as an id, as other programs write and paste it: in capitals, without hyphens or with others, in
 * braces or quotes, as a URN, with white space. undefined when it is none.
 */
export function readId(text: string | undefined): string | undefined {
  const bare = (text ?? "").replaceAll(QUOTES, "").toLowerCase().replace(/^urn:uuid:/, "");
  const [, ...parts] = HEX.exec(bare.replaceAll(HYPHENS_AND_SPACES, "")) ?? [];
  return parts.length === 0 ? undefined : parts.join("-");
}
