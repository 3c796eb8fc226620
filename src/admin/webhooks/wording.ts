import type { Delivery } from "../../webhooks/deliveries.ts";
import type { MessageType } from "../../webhooks/endpoints.ts";
import type { Tone } from "../frame/parts.tsx";

/** What a webhook is told of. */
export const TYPE_WORDS: Record<MessageType, string> = {
  "assignments.created": "Members get a trainer",
  "assignments.ended": "Assignments end",
  "assignment.failed": "A sign-up cannot be assigned",
  "run.ended": "A run ends",
  "policy.changed": "The policy changes",
};

/** What became of a message. */
export const DELIVERY_WORDS: Record<Delivery["status"], string> = {
  pending: "Waits",
  delivered: "Delivered",
  failed: "Given up",
  dropped: "Dropped",
};

export const DELIVERY_TONES: Record<Delivery["status"], Tone> = {
  pending: "busy",
  delivered: "good",
  failed: "bad",
  dropped: "plain",
};
