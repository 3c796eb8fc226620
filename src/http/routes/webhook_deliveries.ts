import { z } from "@hono/zod-openapi";
import {
  DELIVERY_STATUSES,
  getDelivery,
  listDeliveries,
  redeliver,
  sendTest,
} from "../../webhooks/deliveries.ts";
import { actorOf, logChange } from "../audit.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { AskedTime, EXAMPLE, json, LINK_HEADER } from "../schemas.ts";
import {
  BODY_EXAMPLE,
  DELIVERY_EXAMPLE,
  DeliveryPage,
  DeliveryWithBody,
  MessageId,
  WebhookId,
} from "../webhook_schemas.ts";

const TAGS = ["Webhooks"];
const params = z.strictObject({ id: WebhookId });
const deliveryParams = z.strictObject({ id: WebhookId, messageId: MessageId });

const SentTest = z.object({ messageId: MessageId }).openapi("SentTest");
const Redelivery = z.object({
  messages: z.int().min(0).openapi({ description: "How many messages are sent again.", example: 1 }),
}).openapi("Redelivery");
const RedeliverRequest = z.strictObject({
  failedSince: AskedTime.openapi({ description: "Messages that were given up at this time or later." }),
}).openapi("RedeliverRequest");

/** What became of messages at a webhook, and sending again. */
export function addWebhookDeliveryRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/webhooks/{id}/deliveries",
    role: "viewer",
    operationId: "listDeliveries",
    summary: "List what was sent to a webhook, newest message first",
    description:
      "Returns what was answered to each message and when it is tried next. Delivered messages are kept for 7 days, others for 30.",
    tags: TAGS,
    request: {
      params,
      query: z.strictObject({ status: z.enum(DELIVERY_STATUSES).optional(), ...PAGE_QUERY }),
    },
    responses: {
      200: {
        description: "The deliveries.",
        headers: LINK_HEADER,
        content: json(DeliveryPage, { deliveries: [DELIVERY_EXAMPLE], next: null }),
      },
    },
    errors: ["webhook_not_found", "invalid_cursor"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const { status, limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: `webhooks/${id}/deliveries/${status ?? ""}`,
      limit,
      cursor,
      read: (page) => listDeliveries(sql, id, { ...page, status }),
      idOf: ({ messageId }) => messageId,
    });
    return c.json({ deliveries: rows, next }, 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/webhooks/{id}/deliveries/{messageId}",
    role: "viewer",
    operationId: "getDelivery",
    summary: "Get what was sent to a webhook, with the message",
    description: "Returns one delivery, and the message as it would be sent now.",
    tags: TAGS,
    request: { params: deliveryParams },
    responses: {
      200: {
        description: "The delivery.",
        content: json(DeliveryWithBody, { ...DELIVERY_EXAMPLE, body: BODY_EXAMPLE }),
      },
    },
    errors: ["webhook_not_found", "delivery_not_found"],
  }, async (c) => {
    const { id, messageId } = c.req.valid("param");
    return c.json(await getDelivery(sql, id, messageId), 200);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/webhooks/{id}/test",
    role: "admin",
    operationId: "testWebhook",
    summary: "Send a test message to a webhook",
    description:
      'Sends a message of the first of its types, with `"data": {"test": true}`, also to a disabled webhook. Its delivery ' +
      "tells what was answered.",
    tags: TAGS,
    request: { params },
    responses: {
      202: {
        description: "The message is being sent.",
        content: json(SentTest, { messageId: DELIVERY_EXAMPLE.messageId }),
      },
    },
    errors: ["webhook_not_found", "webhook_has_no_url"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const messageId = await sendTest(sql, id, actorOf(c));
    logChange(log, actorOf(c), "webhook_test_requested", { webhookId: id, messageId });
    return c.json({ messageId }, 202);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/webhooks/{id}/deliveries/{messageId}/redeliver",
    role: "admin",
    operationId: "redeliverMessage",
    summary: "Send one message again",
    description:
      "Sends it whatever became of it before, with the same `webhook-id`. A disabled webhook gets it when it is enabled.",
    tags: TAGS,
    request: { params: deliveryParams },
    responses: {
      202: { description: "The message is being sent.", content: json(Redelivery, { messages: 1 }) },
    },
    errors: ["webhook_not_found", "delivery_not_found"],
  }, async (c) => {
    const { id, messageId } = c.req.valid("param");
    const messages = await redeliver(sql, id, { messageId }, actorOf(c));
    logChange(log, actorOf(c), "webhook_redelivery_requested", { webhookId: id, messageId });
    return c.json({ messages }, 202);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/webhooks/{id}/redeliver",
    role: "admin",
    operationId: "redeliverFailed",
    summary: "Send again what failed since a time",
    description: "Sends all messages again that were given up since then, each with its own `webhook-id`.",
    tags: TAGS,
    request: {
      params,
      body: { required: true, content: json(RedeliverRequest, { failedSince: EXAMPLE.time }) },
    },
    responses: {
      202: { description: "The messages are being sent.", content: json(Redelivery, { messages: 12 }) },
    },
    errors: ["webhook_not_found"],
  }, async (c) => {
    const { id } = c.req.valid("param");
    const failedSince = new Date(c.req.valid("json").failedSince);
    const messages = await redeliver(sql, id, { failedSince }, actorOf(c));
    logChange(log, actorOf(c), "webhook_redelivery_requested", { webhookId: id, messages });
    return c.json({ messages }, 202);
  });
}
