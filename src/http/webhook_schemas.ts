import { z } from "@hono/zod-openapi";
import { type Delivery as DeliveryShape, DELIVERY_STATUSES } from "../webhooks/deliveries.ts";
import { type EndpointState, MESSAGE_TYPES } from "../webhooks/endpoints.ts";
import { MAX_URL_LENGTH } from "../webhooks/registration.ts";
import { isSecret } from "../webhooks/sign.ts";
import { EXAMPLE, Id, STORABLE, Time } from "./schemas.ts";

const WEBHOOK_ID = "0195d3a5-1b2c-7d3e-8f40-5a6b7c8d9e0f";
const MESSAGE_ID = "0195d3a6-2c3d-7e4f-9051-6b7c8d9e0f1a";

export const WebhookId = Id.openapi({ example: WEBHOOK_ID });
export const MessageId = Id.openapi({
  description: "The `webhook-id` of the message.",
  example: MESSAGE_ID,
});
export const MessageType = z.enum(MESSAGE_TYPES).openapi("MessageType", { example: "assignments.created" });

const Types = z.array(MessageType).min(1, "Must name at least one type.")
  .refine((types) => new Set(types).size === types.length, "Must not name a type twice.")
  .openapi({
    description: "The types of the messages that it gets.",
    example: ["assignments.created", "assignments.ended"],
    uniqueItems: true,
  });
const Url = z.string().max(MAX_URL_LENGTH, "Must have at most 2,000 characters.").openapi({
  description:
    "https to an address of the public internet, without user name and password; with `WEBHOOK_ALLOW_PRIVATE` http and any address.",
  example: "https://crm.example.com/hooks/trainers",
});
const Description = z.string().max(1000, "Must have at most 1,000 characters.")
  .refine(...STORABLE).nullable()
  .openapi({ description: "For admins.", example: "the CRM" });
const GivenSecret = z.string().refine(isSecret, "Must be whsec_ and base64 of 24 to 64 bytes.").openapi({
  description: "The signing secret: `whsec_` and base64 of 24 to 64 bytes. By default one is made.",
  example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
});

const STATE = {
  id: WebhookId,
  url: z.string().nullable().openapi({
    description:
      "Where messages are sent; for viewers its origin and `/…`. Null: nowhere; consumers fetch them with GET /v1/events.",
    example: "https://crm.example.com/hooks/trainers",
  }),
  description: Description,
  types: Types,
  enabled: z.boolean().openapi({ description: "False: nothing is sent to it.", example: true }),
  disabledBecause: z.enum(["gone", "failing"]).nullable().openapi({
    description:
      "Why the service disabled it: `gone` (it answered 410) or `failing` (five days without a success).",
    example: null,
  }),
  failingSince: Time.nullable().openapi({
    description: "When the first of the failures since the last success was. Null: there is none.",
    example: null,
  }),
  pending: z.int().min(0).openapi({
    description: "Messages that wait to be sent, or sent again; counted up to 10,001.",
    example: 0,
  }),
  failed: z.int().min(0).openapi({
    description: "Messages given up within the last 30 days; counted likewise.",
    example: 0,
  }),
  oldestPendingAt: Time.nullable().openapi({
    description: "When the oldest message that waits was written. Null: none waits.",
    example: null,
  }),
  formerSecretUntil: Time.nullable().openapi({
    description: "Until when messages are also signed with the former secret. Null: there is one secret.",
    example: null,
  }),
  createdAt: Time,
  createdBy: z.string().openapi({ example: "ops" }),
  updatedAt: Time,
  updatedBy: z.string().openapi({ description: "`service`: it disabled the webhook.", example: "ops" }),
} satisfies Record<keyof EndpointState, z.ZodType>;

export const Webhook = z.object(STATE).openapi("Webhook");
export const WebhookWithSecret = z.object({
  ...STATE,
  secret: z.string().nullable().openapi({
    description: "The signing secret, in this answer only. Null: nothing is sent, so nothing is signed.",
    example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
  }),
}).openapi("WebhookWithSecret");
export const WebhookPage = z.object({ webhooks: z.array(Webhook), next: z.string().nullable() })
  .openapi("WebhookPage");

export const CreateWebhook = z.strictObject({
  url: Url.nullable().openapi({ description: "Null: messages are kept for consumers who fetch them." }),
  types: Types,
  description: Description.optional(),
  secret: GivenSecret.optional(),
}).refine(({ url, secret }) => url !== null || secret === undefined, {
  path: ["secret"],
  message: "Needs a url: what is fetched is not signed.",
}).openapi("CreateWebhookRequest");

export const WebhookChange = z.strictObject({
  url: Url.optional(),
  types: Types.optional(),
  description: Description.optional(),
  enabled: z.boolean().optional().openapi({ description: "True also forgets former failures." }),
}).openapi("WebhookChange");

export const RotateSecret = z.strictObject({ secret: GivenSecret.optional() }).openapi("RotateSecretRequest");

export const WEBHOOK_EXAMPLE: z.input<typeof Webhook> = {
  id: WEBHOOK_ID,
  url: "https://crm.example.com/hooks/trainers",
  description: "the CRM",
  types: ["assignments.created", "assignments.ended"],
  enabled: true,
  disabledBecause: null,
  failingSince: null,
  pending: 0,
  failed: 0,
  oldestPendingAt: null,
  formerSecretUntil: null,
  createdAt: EXAMPLE.time,
  createdBy: "ops",
  updatedAt: EXAMPLE.time,
  updatedBy: "ops",
};
export const SECRET_EXAMPLE = {
  ...WEBHOOK_EXAMPLE,
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
};

const DELIVERY = {
  messageId: MessageId,
  type: MessageType,
  isTest: z.boolean().openapi({
    description: "True: somebody sent it to see whether it arrives.",
    example: false,
  }),
  at: Time.openapi({ description: "When the change was made that it tells of." }),
  status: z.enum(DELIVERY_STATUSES).openapi({
    description:
      "`pending`: it is tried (again) at `nextAttemptAt`. `failed`: given up. `dropped`: the members that it told of are deleted.",
    example: "pending",
  }),
  attempts: z.int().min(0).openapi({
    description: "Attempts so far, since it was last sent again.",
    example: 1,
  }),
  nextAttemptAt: Time.nullable().openapi({ description: "Null: it is not tried again." }),
  lastAttemptAt: Time.nullable(),
  lastStatus: z.int().nullable().openapi({
    description: "The HTTP status of the last answer. Null: there was none.",
    example: 503,
  }),
  lastError: z.string().nullable().openapi({
    description: "Why there was no answer, or why it does not count as success.",
    example: null,
  }),
  lastAnswer: z.string().nullable().openapi({
    description: "The first 2,000 characters of the last answer.",
    example: "down for maintenance",
  }),
  lastTookMs: z.int().nullable().openapi({
    description: "Milliseconds that the last attempt took.",
    example: 84,
  }),
  endedAt: Time.nullable().openapi({ description: "When it was delivered, given up or dropped." }),
} satisfies Record<keyof DeliveryShape, z.ZodType>;

export const Delivery = z.object(DELIVERY).openapi("Delivery");
export const DeliveryPage = z.object({ deliveries: z.array(Delivery), next: z.string().nullable() })
  .openapi("DeliveryPage");
export const DeliveryWithBody = z.object({
  ...DELIVERY,
  body: z.record(z.string(), z.unknown()).nullable().openapi({
    description:
      "What is sent: `type`, `timestamp` and `data`, made from the rows as they are now. Null: there is nothing left to tell.",
  }),
}).openapi("DeliveryWithBody");

export const DELIVERY_EXAMPLE: z.input<typeof Delivery> = {
  messageId: MESSAGE_ID,
  type: "assignments.created",
  isTest: false,
  at: EXAMPLE.time,
  status: "pending",
  attempts: 1,
  nextAttemptAt: EXAMPLE.time,
  lastAttemptAt: EXAMPLE.time,
  lastStatus: 503,
  lastError: null,
  lastAnswer: "down for maintenance",
  lastTookMs: 84,
  endedAt: null,
};

const ASSIGNMENTS_EXAMPLE = {
  assignments: [{
    id: EXAMPLE.assignmentId,
    memberId: EXAMPLE.memberId,
    trainerId: EXAMPLE.trainerId,
    assignmentDate: EXAMPLE.time,
    source: "trigger",
    assignedBy: "trigger",
    runId: null,
    policyVersion: 7,
    rule: 2,
  }],
};
export const BODY_EXAMPLE = {
  type: "assignments.created" as const,
  timestamp: EXAMPLE.time,
  data: ASSIGNMENTS_EXAMPLE,
};

export const Event = z.object({
  id: MessageId,
  type: MessageType,
  timestamp: Time.openapi({ description: "When the change was made." }),
  data: z.record(z.string(), z.unknown()).openapi({ description: "The same as in a message that is sent." }),
}).openapi("Event");
export const EventPage = z.object({
  events: z.array(Event),
  next: z.string().openapi({
    description: "Send it as `after` to go on. It is there at the end too: ask again with it later.",
  }),
}).openapi("EventPage");
export const EVENT_EXAMPLE = { id: MESSAGE_ID, ...BODY_EXAMPLE };
