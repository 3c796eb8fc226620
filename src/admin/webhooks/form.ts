import { isStorable } from "../../storable_text.ts";
import { findUrlProblem } from "../../webhooks/address.ts";
import { type EndpointState, MESSAGE_TYPES, type MessageType } from "../../webhooks/endpoints.ts";
import { MAX_URL_LENGTH, type NewEndpoint } from "../../webhooks/registration.ts";
import { type Notice, noticeOf } from "../frame/notices.ts";
import type { Typed } from "../frame/pages.ts";

export const MAX_DESCRIPTION_LENGTH = 1000;

/** The name of the field for a type. */
export function fieldOf(type: MessageType): string {
  return `type.${type}`;
}

/** Fills in the form with what a webhook is. */
export function typedOf({ url, description, types }: EndpointState): Typed {
  return {
    url: url ?? "",
    description: description ?? "",
    ...Object.fromEntries(types.map((type) => [fieldOf(type), "true"])),
  };
}

/** Reads the form of a webhook, or says what is wrong with it. */
export function readWebhookForm(
  typed: Typed,
  allowPrivate: boolean,
): { wanted: NewEndpoint } | { refusal: Notice } {
  const { url = null, description = null } = typed;
  const problem = url === null ? null : findUrlProblem(url.trim(), allowPrivate);
  if (problem !== null) return { refusal: { tone: "bad", text: `The URL ${problem}.` } };
  if (url !== null && url.length > MAX_URL_LENGTH) return { refusal: noticeOf("url_too_long") };
  if (description !== null && (description.length > MAX_DESCRIPTION_LENGTH || !isStorable(description))) {
    return { refusal: noticeOf("not_a_description") };
  }
  const types = MESSAGE_TYPES.filter((type) => typed[fieldOf(type)] !== undefined);
  if (types.length === 0) return { refusal: noticeOf("no_types") };
  return { wanted: { url: url?.trim() ?? null, description, types } };
}
