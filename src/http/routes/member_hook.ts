import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { DEFAULT_MEMBER_COLUMNS } from "../../config/member_columns.ts";
import { readEvent } from "../../webhooks/in/event.ts";
import { listEventFailures } from "../../webhooks/in/event_failures.ts";
import { SignatureError } from "../../webhooks/in/signature.ts";
import { FAILURE_REASONS, isOfTable, takeMemberEvent } from "../../webhooks/in/take_event.ts";
import { verifyHook } from "../../webhooks/in/verify.ts";
import type { MemberHook } from "../../config/member_hook.ts";
import type { AppEnv } from "../env.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { Problem } from "../problems.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, Id, json, LINK_HEADER, StoredTime } from "../schemas.ts";
import { parseJson } from "../validation.ts";

const EventAnswer = z.object({
  outcome: z.enum(["created", "known", "duplicate", "ignored", "refused"]),
  memberId: Id.nullable().openapi({ description: "Null if the event is ignored." }),
  reason: z.enum(FAILURE_REASONS).nullable().openapi({ description: "Null unless the event is refused." }),
  detail: z.string().nullable().openapi({ description: "What to do about a refusal." }),
}).openapi("MemberEventAnswer");

const EventFailure = z.object({
  id: Id,
  eventId: z.string(),
  eventType: z.string(),
  memberId: Id.nullable().openapi({
    description: "Who would have been created; null if the event names nobody.",
  }),
  reason: z.enum(FAILURE_REASONS),
  detail: z.string().openapi({ description: "What to do." }),
  attempts: z.int(),
  firstFailedAt: StoredTime,
  lastFailedAt: StoredTime,
}).openapi("MemberEventFailure");

const EventFailurePage = z.object({ failures: z.array(EventFailure), next: z.string().nullable() }).openapi(
  "MemberEventFailurePage",
);

const PLAIN = { reason: null, detail: null };
const REFUSAL_EXAMPLE = {
  reason: "email_taken" as const,
  detail: "another member has this e-mail address",
};

/** Events of an identity provider: each creates a member. */
export function addMemberHookRoutes(api: Api): void {
  const { sql, log, metrics, memberHook = null, memberColumns = DEFAULT_MEMBER_COLUMNS } = api.services;

  addRoute(api, {
    method: "post",
    path: "/v1/hooks/members",
    role: "signature",
    operationId: "takeMemberEvent",
    summary: "Take a signed event of an identity provider",
    description:
      "Creates the member whom the event tells of; the trigger assigns them as ever. Answers 2xx if sending the event again " +
      "would change nothing: `created`, `known` (the member existed), `duplicate` (the event was taken before), `ignored` " +
      "(the type is not configured), or 202 `refused` (kept in the list of failures). docs/webhooks.md has the providers.",
    tags: ["Members"],
    request: {
      body: {
        required: true,
        content: {
          "application/json": {
            schema: z.looseObject({}),
            example: { type: "user.created", data: { id: EXAMPLE.memberId, email: "anna@example.com" } },
          },
        },
      },
    },
    responses: {
      200: {
        description: "The event is taken, or ignored.",
        content: json(EventAnswer, { outcome: "created", memberId: EXAMPLE.memberId, ...PLAIN }),
      },
      202: {
        description: "The member cannot be created; the event is in the list of failures.",
        content: json(EventAnswer, { outcome: "refused", memberId: EXAMPLE.memberId, ...REFUSAL_EXAMPLE }),
      },
    },
    errors: ["signature_invalid", "member_hook_off", "member_id_missing", "members_unfit"],
  }, async (c) => {
    if (memberHook === null) {
      throw new Problem("member_hook_off", "Set MEMBER_HOOK_SECRETS to take events of an identity provider.");
    }
    const body = await c.req.text();
    const headerId = verify(c, memberHook, body);
    const event = readEvent(memberHook, parseJson(body), body, headerId);
    if (event === null) {
      metrics?.countMemberEvent("ignored");
      return c.json({ outcome: "ignored" as const, memberId: null, ...PLAIN }, 200);
    }
    const taken = await takeMemberEvent(sql, memberColumns, event);
    metrics?.countMemberEvent(taken.outcome);
    if (taken.outcome !== "refused") {
      return c.json({ outcome: taken.outcome, memberId: taken.memberId, ...PLAIN }, 200);
    }
    const { reason, detail } = taken;
    const { requestId } = c.var;
    log.warn({
      event: "member_event_refused",
      eventId: event.id,
      type: event.type,
      reason,
      detail,
      requestId,
    });
    if (reason === "id_missing") throw new Problem("member_id_missing", toSentence(detail));
    if (isOfTable(reason)) throw new Problem("members_unfit", toSentence(detail));
    return c.json({ outcome: taken.outcome, memberId: taken.memberId, reason, detail }, 202);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/hooks/members/failures",
    role: "viewer",
    operationId: "listMemberEventFailures",
    summary: "List signed events that could not be taken",
    description:
      "Returns the events of the identity provider that could not be taken, the newest first, in pages. An entry goes when " +
      "the provider sends the event again and it is taken, or after 30 days.",
    tags: ["Members"],
    request: { query: z.strictObject(PAGE_QUERY) },
    responses: {
      200: {
        description: "The failures.",
        headers: LINK_HEADER,
        content: json(EventFailurePage, {
          failures: [{
            id: EXAMPLE.requestId,
            eventId: "msg_2b5c",
            eventType: "user.created",
            memberId: EXAMPLE.memberId,
            ...REFUSAL_EXAMPLE,
            attempts: 1,
            firstFailedAt: EXAMPLE.time,
            lastFailedAt: EXAMPLE.time,
          }],
          next: null,
        }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: "member event failures",
      limit,
      cursor,
      read: (page) => listEventFailures(sql, page),
      idOf: ({ id }) => id,
    });
    return c.json({ failures: rows, next }, 200);
  });

  function verify(c: Context<AppEnv>, hook: MemberHook, body: string): string | null {
    try {
      return verifyHook(hook, { header: (name) => c.req.header(name), body });
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      metrics?.countMemberEvent("unverified");
      throw new Problem("signature_invalid", error.message, {
        headers: { "WWW-Authenticate": 'Signature realm="trainer-assignment"' },
      });
    }
  }
}

function toSentence(detail: string): string {
  return `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
}
