import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { includesRole } from "../../config/roles.ts";
import { findUrlProblem, shortenUrl } from "../../webhooks/address.ts";
import { deleteEndpoint, type EndpointState, getEndpoint, listEndpoints } from "../../webhooks/endpoints.ts";
import { describeChange, editEndpoint, registerEndpoint, rotateSecret } from "../../webhooks/registration.ts";
import { actorOf, logChange } from "../audit.ts";
import type { AppEnv } from "../env.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { header, json, LINK_HEADER } from "../schemas.ts";
import { invalidRequest } from "../validation.ts";
import {
  CreateWebhook,
  RotateSecret,
  SECRET_EXAMPLE,
  Webhook,
  WEBHOOK_EXAMPLE,
  WebhookChange,
  WebhookId,
  WebhookPage,
  WebhookWithSecret,
} from "../webhook_schemas.ts";

const TAGS = ["Webhooks"];
const params = z.strictObject({ id: WebhookId });

/** Webhooks: who gets which messages. */
export function addWebhookRoutes(api: Api): void {
  const { sql, log, webhooks: settings = { keys: [], allowPrivate: false } } = api.services;

  function requireGoodUrl(url: string | null | undefined): void {
    const problem = typeof url === "string" ? findUrlProblem(url, settings.allowPrivate) : null;
    if (problem !== null) throw invalidRequest([{ pointer: "/body/url", detail: `The URL ${problem}.` }]);
  }

  /** Viewers see where messages go, but not the secrets that a path or a query may be. */
  function forCaller(c: Context<AppEnv>, webhook: EndpointState): EndpointState {
    const isAdmin = includesRole(c.var.principal?.role ?? "viewer", "admin");
    return isAdmin ? webhook : { ...webhook, url: shortenUrl(webhook.url) };
  }

  addRoute(api, {
    method: "get",
    path: "/v1/webhooks",
    role: "viewer",
    operationId: "listWebhooks",
    summary: "List webhooks and how they stand, newest first",
    description:
      "Returns for each what waits to be sent and what was given up. Secrets are never shown again. Of a URL, whose path and query " +
      "may be secrets too, only admins get more than its origin.",
    tags: TAGS,
    request: { query: z.strictObject(PAGE_QUERY) },
    responses: {
      200: {
        description: "The webhooks.",
        headers: LINK_HEADER,
        content: json(WebhookPage, { webhooks: [WEBHOOK_EXAMPLE], next: null }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: "webhooks",
      limit,
      cursor,
      read: (page) => listEndpoints(sql, page),
      idOf: ({ id }) => id,
    });
    return c.json({ webhooks: rows.map((webhook) => forCaller(c, webhook)), next }, 200);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/webhooks",
    role: "admin",
    operationId: "createWebhook",
    summary: "Create a webhook",
    description:
      "Messages of the wanted types are written from now on, each in the transaction of the change that it tells of. With a `url` " +
      "they are sent there, signed by the Standard Webhooks specification; this needs `WEBHOOK_KEY`. Without one they are kept " +
      "for 7 days: consumers fetch them with GET /v1/events. The answer has the signing secret, which is shown only once. " +
      "503 `database_busy`: transactions that write assignments left no moment for it; try again.",
    tags: TAGS,
    request: {
      body: {
        required: true,
        content: json(CreateWebhook, {
          url: null,
          types: ["assignments.created", "assignments.ended"],
          description: "the CRM",
        }),
      },
    },
    responses: {
      201: {
        description: "The webhook was created.",
        headers: { Location: header("The path of the webhook.") },
        content: json(WebhookWithSecret, SECRET_EXAMPLE),
      },
    },
    errors: ["webhooks_not_configured"],
  }, async (c) => {
    const wanted = c.req.valid("json");
    requireGoodUrl(wanted.url);
    const webhook = await registerEndpoint(sql, settings, wanted, actorOf(c));
    logChange(log, actorOf(c), "webhook_created", { webhookId: webhook.id });
    return c.json(webhook, 201, { Location: `/v1/webhooks/${webhook.id}` });
  });

  addRoute(api, {
    method: "get",
    path: "/v1/webhooks/{id}",
    role: "viewer",
    operationId: "getWebhook",
    summary: "Get a webhook and how it stands",
    description: "Returns one webhook as the list has it.",
    tags: TAGS,
    request: { params },
    responses: { 200: { description: "The webhook.", content: json(Webhook, WEBHOOK_EXAMPLE) } },
    errors: ["webhook_not_found"],
  }, async (c) => c.json(forCaller(c, await getEndpoint(sql, c.req.valid("param").id)), 200));

  addRoute(api, {
    method: "patch",
    path: "/v1/webhooks/{id}",
    role: "admin",
    operationId: "changeWebhook",
    summary: "Change, disable or enable a webhook",
    description:
      "Changes what the body contains; the rest stays. Messages that wait are kept while it is disabled, and sent when it is " +
      "enabled again; none are added meanwhile. A webhook without a URL never gets one: create another.",
    tags: TAGS,
    request: {
      params,
      body: {
        required: true,
        content: json(WebhookChange, { enabled: false, description: "moves on Monday" }),
      },
    },
    responses: {
      200: { description: "The webhook as changed.", content: json(Webhook, WEBHOOK_EXAMPLE) },
    },
    errors: ["webhook_not_found", "webhook_has_no_url"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const change = c.req.valid("json");
    requireGoodUrl(change.url);
    if (Object.values(change).every((value) => value === undefined)) {
      return c.json(await getEndpoint(sql, id), 200);
    }
    const webhook = await editEndpoint(sql, id, change, actorOf(c));
    logChange(log, actorOf(c), "webhook_changed", { webhookId: id, ...describeChange(change) });
    return c.json(webhook, 200);
  });

  addRoute(api, {
    method: "delete",
    path: "/v1/webhooks/{id}",
    role: "admin",
    operationId: "deleteWebhook",
    summary: "Delete a webhook",
    description: "Deletes it with the record of its deliveries. What waits to be sent to it is not sent.",
    tags: TAGS,
    request: { params },
    responses: { 204: { description: "The webhook was deleted." } },
    errors: ["webhook_not_found"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    await deleteEndpoint(sql, id, actorOf(c));
    logChange(log, actorOf(c), "webhook_deleted", { webhookId: id });
    return c.body(null, 204);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/webhooks/{id}/secret",
    role: "admin",
    operationId: "rotateWebhookSecret",
    summary: "Give a webhook a new secret",
    description:
      "The answer has the new secret, which is shown only once. For 24 hours messages are signed with the former one too; " +
      "another rotation ends that, for there are never more than two.",
    tags: TAGS,
    request: { params, body: { required: false, content: json(RotateSecret, {}) } },
    responses: {
      200: {
        description: "The webhook with its new secret.",
        content: json(WebhookWithSecret, { ...SECRET_EXAMPLE, formerSecretUntil: SECRET_EXAMPLE.createdAt }),
      },
    },
    errors: ["webhook_not_found", "webhook_has_no_url", "webhooks_not_configured"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const webhook = await rotateSecret(sql, settings, id, actorOf(c), c.req.valid("json").secret);
    logChange(log, actorOf(c), "webhook_secret_rotated", { webhookId: id });
    return c.json(webhook, 200);
  });
}
