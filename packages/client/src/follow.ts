import { readEvents, type ServerEvent } from "./events.ts";
import type { Run } from "./operations.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { type ApiRequest, prepare } from "./request.ts";
import { waitToRetry } from "./retries.ts";
import { type Input, toRequest } from "./routes.ts";
import { bodyOf, type ByteStream, readText } from "./streams.ts";

/** The operations that follow a run. */
export type Follow = "followBackfill" | "followTransfer";

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

/**
 * Yields events with the last id so far. Reconnects a stream that breaks off and continues after that id; gives
 * up after `maxTries` consecutive tries in which no event came.
 */
async function* followStream(
  options: ClientOptions,
  request: ApiRequest<ByteStream>,
  call: CallOptions = {},
): AsyncGenerator<ServerEvent> {
  let id = "";
  for (let tries = 1;; tries++) {
    const headers: Record<string, string> = id === "" ? {} : { "Last-Event-ID": id };
    const open = prepare(options, { ...request, headers }, call);
    try {
      for await (const { event, data, id: given = id } of readEvents(readText(await open()))) {
        call.signal?.throwIfAborted();
        id = given;
        tries = 0;
        yield { event, data, id };
      }
      throw new Error("the stream of events broke off");
    } catch (error) {
      await waitToRetry(error, tries, options, call.signal);
    }
  }
}
