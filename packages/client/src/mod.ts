/**
 * A TypeScript client of the service: a typed method for every operation of `/openapi.json`, by its `operationId`.
 * It retries requests that are safe to repeat after transient failures of the service or the network.
 * @module
 */
import { type Operations, ROUTES, type Run } from "./operations.ts";
import { type EventsInput, type Follow, type FollowedMessage, followEvents, followRun } from "./follow.ts";
import { type CallOptions, checkOptions, type ClientOptions } from "./options.ts";
import { send } from "./request.ts";
import { type Answer, type Input, toRequest } from "./routes.ts";
import { type Downloadable, type DownloadInput, openDownload, readRows } from "./streams.ts";

export { ApiError, type ApiErrorCode } from "./api_error.ts";
export type { EventsInput, FollowedMessage } from "./follow.ts";
export type { CallOptions, ClientOptions } from "./options.ts";
export type { Answer, Input } from "./routes.ts";
export type * from "./operations.ts";

type Call<Id extends keyof Operations> = Record<never, never> extends Input<Id>
  ? (input?: Input<Id>, options?: CallOptions) => Promise<Answer<Id>>
  : (input: Input<Id>, options?: CallOptions) => Promise<Answer<Id>>;

/** A method per operation, and other ways to read long lists. */
export type TrainerAssignmentClient =
  & { readonly [Id in Exclude<keyof Operations, Follow>]: Call<Id> }
  & {
    /** Follows a backfill until it ends: yields each state that it sees, also across a restart of the service. */
    followBackfill(input: Input<"followBackfill">, options?: CallOptions): AsyncGenerator<Run>;
    /** Follows a transfer, likewise. */
    followTransfer(input: Input<"followTransfer">, options?: CallOptions): AsyncGenerator<Run>;
    /**
     * Follows messages without end, past broken connections, until its signal is given. Throws `cursor_expired`
     * when messages after the cursor are no longer kept.
     */
    followEvents(input?: EventsInput, options?: CallOptions): AsyncGenerator<FollowedMessage>;
    /** Reads a whole list row by row, in constant memory: `readRows("listTrainerClients", { trainerId })`. */
    readRows<Id extends Downloadable>(
      id: Id,
      input: DownloadInput<Id>,
      options?: CallOptions,
    ): AsyncGenerator<Operations[Id]["row"]>;
    /** Opens a whole list as CSV. */
    openCsv<Id extends Downloadable>(
      id: Id,
      input: DownloadInput<Id>,
      options?: CallOptions,
    ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  };

/**
 * Creates a client. Every call throws {@link ApiError} when the service refuses, the reason of its `signal`, or
 * what `fetch` throws when nobody answers.
 * @throws {TypeError} for a `baseUrl` or `token` with which no request can be made.
 */
export function createClient(options: ClientOptions): TrainerAssignmentClient {
  checkOptions(options);
  const calls = Object.keys(ROUTES).filter(isOperation).map((id) => {
    const operation = async (input: Readonly<Record<string, unknown>> = {}, call?: CallOptions) =>
      await send(options, toRequest(id, input, readAnswer), call);
    return [id, operation];
  });
  return {
    ...Object.fromEntries(calls),
    followBackfill: (input, call) => followRun(options, "followBackfill", input, call),
    followTransfer: (input, call) => followRun(options, "followTransfer", input, call),
    followEvents: (input, call) => followEvents(options, input, call),
    readRows: (id, input, call) => readRows(options, id, input, call),
    openCsv: (id, input, call) => openDownload(options, "text/csv", id, input, call),
  };
}

/** Reads a paged list to its end, page by page: `for await (const { runs } of pages(client.listBackfills, {}))`. */
export async function* pages<
  In extends { cursor?: string } | undefined,
  Page extends { next: string | null },
>(
  list: (input: In, options?: CallOptions) => Promise<Page>,
  input: NonNullable<In>,
  options?: CallOptions,
): AsyncGenerator<Page> {
  for (let page = await list(input, options);; page = await list({ ...input, cursor: page.next }, options)) {
    yield page;
    if (page.next === null) return;
  }
}

function isOperation(id: string): id is keyof Operations {
  return id in ROUTES;
}

async function readAnswer(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  const text = await response.text();
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error("the answer broke off", { cause });
  }
}
