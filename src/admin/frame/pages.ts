import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { Problem } from "../../http/problems.ts";
import type { Services } from "../../http/services.ts";
import type { TakeSlot } from "../../http/slots.ts";
import type { CheckHealth } from "../../operation/shared_health.ts";
import type { Counts } from "../overview/counts.ts";
import type { PageEnv } from "../env.ts";
import { findNotice, findRefusal, type Notice, type NoticeCode, withNotice } from "./notices.ts";
import { type Frame, renderPage } from "./layout.tsx";

/** The pages under construction, and what they share. */
export interface Pages {
  app: Hono<PageEnv>;
  services: Services;
  checkHealth: CheckHealth;
  counts: Counts;
  takeExportSlot: TakeSlot;
  /** Since when the database does not answer; empty while it does. */
  outage: { since?: Date | undefined };
}

/** How often an open page updates itself: while a run works, and otherwise. */
export const REFRESH_MS = { busy: 1000, idle: 2000 };

/** Answers with a page. Adds the session and the notice of a redirect. */
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

/** The fields of a refused form, which are shown again. */
export type Typed = Readonly<Record<string, string>>;

/** The status of the page after a refused form. */
export const REFUSED = 422;

/**
 * Does the work of a form, and redirects to the address that it returns.
 * @param refuse answers a refused form: redirects to this address, or shows the page again with the form as it
 * was filled in
 */
export async function doAndSeeOther(
  c: Context<PageEnv>,
  refuse: string | ((notice: Notice, code: NoticeCode) => Response | Promise<Response>),
  work: () => Promise<string>,
): Promise<Response> {
  try {
    return seeOther(c, await work());
  } catch (error) {
    const refusal = findRefusal(error);
    if (refusal === undefined) throw error;
    return typeof refuse === "string"
      ? seeOther(c, withNotice(refuse, refusal.code))
      : await refuse(refusal.notice, refusal.code);
  }
}

const formSchema = z.record(z.string(), z.string());

/**
 * Reads a form. Leaves out empty fields and files.
 * @throws {Problem} `invalid_request` for an incomplete or malformed form
 */
export async function readForm(c: Context<PageEnv>): Promise<Record<string, string>> {
  const form = await c.req.parseBody().catch(() => {
    throw new Problem("invalid_request", "The form could not be read.");
  });
  const fields = Object.entries(form).filter(([, value]) => typeof value === "string" && value.trim() !== "");
  return formSchema.parse(Object.fromEntries(fields));
}

/** The router's pattern for an id. */
export const ID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/** Reads an id of the path, in lower case, as the database and every answer have it. */
export function idInPath(c: Context<PageEnv>, name = "id"): string {
  return (c.req.param(name) ?? "").toLowerCase();
}

/** A day as the field of a form has it; such as 2026-02-31 is none. */
export const Day = z.iso.date().refine((day) => !day.startsWith("0000"));

const QUOTES = /^["'`({[\s]+|["'`)}\],;\s]+$/g;
const HYPHENS_AND_SPACES = /[\p{Pd}\p{Z}\p{Cf}\s]/gu;
const HEX = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/**
 * Reads an id as people paste it from other programs: in capitals, without hyphens or with other ones, in
 * braces or quotes, as a URN, with white space. Undefined if it is not an id.
 */
export function readId(text: string | undefined): string | undefined {
  const bare = (text ?? "").replaceAll(QUOTES, "").toLowerCase().replace(/^urn:uuid:/, "");
  const [, ...parts] = HEX.exec(bare.replaceAll(HYPHENS_AND_SPACES, "")) ?? [];
  return parts.length === 0 ? undefined : parts.join("-");
}
