/** A server-sent event. What the stream does not say is undefined. */
export interface ServerEvent {
  event: string | undefined;
  id: string | undefined;
  /** Undefined: the event only moves the id. */
  data: string | undefined;
}

/** A CR at the end of a text may be half of a CRLF: it waits for what follows. */
const LINE_END = /\r\n|\n|\r(?!$)/;

/**
 * Reads server-sent events (WHATWG HTML, section 9.2.6). An event without data and id is none; one that breaks
 * off is left out. An `id` is that of its event alone.
 * @param texts the stream, cut anywhere
 */
export async function* readEvents(texts: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let begun = "";
  let fields = new Map<string, string>();
  for await (const text of texts) {
    const lines = (begun + text).split(LINE_END);
    begun = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        const [event, id, data] = ["event", "id", "data"].map((name) => fields.get(name));
        if (data !== undefined || id !== undefined) yield { event: event || undefined, id, data };
        fields = new Map();
      } else addField(fields, line);
    }
  }
}

function addField(fields: Map<string, string>, line: string): void {
  const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
  if (name === "id" && value.includes("\0")) return;
  const former = name === "data" ? fields.get(name) : undefined;
  fields.set(name, former === undefined ? value : `${former}\n${value}`);
}
