import { inTime } from "./deadline.ts";
import type { Operations } from "./operations.ts";
import type { CallOptions, ClientOptions } from "./options.ts";
import { send } from "./request.ts";
import { type Input, toRequest } from "./routes.ts";

/** A stream that is silent for longer is dead: events have a heartbeat every 15 s, a download its rows at once. */
const SILENCE_MS = 60_000;

/** A body as it arrives. */
export type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

/** The lists that can be downloaded. */
export type Downloadable = {
  [Id in keyof Operations]: Operations[Id] extends { row: unknown } ? Id : never;
}[keyof Operations];

/** The input of a download, which is always the whole list. */
export type DownloadInput<Id extends Downloadable> = Omit<Input<Id>, "limit" | "cursor">;

/** Opens a download of any length. The reader must read it to its end, or cancel it. */
export async function openDownload<Id extends Downloadable>(
  options: ClientOptions,
  type: "text/csv" | "application/x-ndjson",
  id: Id,
  input: DownloadInput<Id>,
  call?: CallOptions,
): Promise<ByteStream> {
  return await send(options, { ...toRequest(id, input, bodyOf), type }, call);
}

/** Reads a download row by row. Throws if it breaks off midway; it is not retried, because rows were already read. */
export async function* readRows<Id extends Downloadable>(
  options: ClientOptions,
  id: Id,
  input: DownloadInput<Id>,
  call?: CallOptions,
): AsyncGenerator<Operations[Id]["row"]> {
  let begun = "";
  for await (const text of readText(await openDownload(options, "application/x-ndjson", id, input, call))) {
    const lines = (begun + text).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) {
      call?.signal?.throwIfAborted();
      yield JSON.parse(line);
    }
  }
  call?.signal?.throwIfAborted();
  if (begun !== "") throw new Error("the download broke off"); // what ends as it should ends with a line
}

/** Reads a stream that may be silent for a limited time; cancels it when nobody reads on. */
export async function* readText(body: ByteStream): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(
        reader.read(),
        SILENCE_MS,
        () => new Error(`the stream was silent for ${SILENCE_MS} ms`),
      );
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // one that broke off cannot be cancelled
  }
}

/** Reads an answer as a stream. */
export function bodyOf(response: Response): Promise<ByteStream> {
  return Promise.resolve(response.body ?? new Blob().stream());
}
