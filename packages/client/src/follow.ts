import { readEvents, type ServerEvent } from "./events.ts";
import type { Event, Run } from "./operations.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { type ApiRequest, prepare } from "./request.ts";
import { waitToRetry } from "./retries.ts";
import { type Input, toRequest } from "./routes.ts";
import { bodyOf, type ByteStream, readText } from "./streams.ts";

/** The operations that follow a run. */
export type Follow = "followBackfill" | "followTransfer";

/** Which messages to follow. */
export interface EventsInput {
  /** The cursor of the last message that was handled; by default all messages that are kept. */
  after?: string | undefined;
  /** Separated by commas, as in `listEvents`; by default all. */
  types?: string | undefined;
}

/** A message, as webhooks get it. */
export interface FollowedMessage {
  message: Event;
  /** Its place: store it with what the message changed, and continue with it as `after`. */
  cursor: string;
}

/** Follows a run until it ends: yields each state that it sees, the last one included. */
export async function* followRun(
  options: ClientOptions,
  operation: Follow,
  { id }: Input<Follow>,
  call?: CallOptions,
): AsyncGenerator<Run> {
  for await (const { event, data } of followStream(options, toRequest(operation, { id }, bodyOf), call)) {
    if (event === "finished") return;
    yield JSON.parse(data);
  }
}

/** Follows messages without end. */
export async function* followEvents(
  options: ClientOptions,
  { after, types }: EventsInput = {},
  call?: CallOptions,
): AsyncGenerator<FollowedMessage> {
  const request = { ...toRequest("listEvents", { after, types }, bodyOf), type: "text/event-stream" };
  for await (const { id, data } of followStream(options, request, call)) {
    yield { message: JSON.parse(data), cursor: id };
  }
}

/**
 * Yields events with the last id so far. Reconnects a stream that breaks off and continues after that id; gives
 * up after `maxTries` consecutive tries in which no event came.
 */
async function* followStream(
  options: ClientOptions,
  request: ApiRequest<ByteStream>,
  call: CallOptions = {},
): AsyncGenerator<ServerEvent & { id: string; data: string }> {
  let id = "";
  for (let tries = 1;; tries++) {
    const headers: Record<string, string> = id === "" ? {} : { "Last-Event-ID": id };
    const open = prepare(options, { ...request, headers }, call);
    try {
      for await (const { event, data, id: given = id } of readEvents(readText(await open()))) {
        call.signal?.throwIfAborted();
        id = given;
        tries = 0;
        if (data !== undefined) yield { event, data, id };
      }
      throw new Error("the stream of events broke off");
    } catch (error) {
      await waitToRetry(error, tries, options, call.signal);
    }
  }
}
