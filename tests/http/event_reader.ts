/** Reads a stream event by event; of none, nothing. */
export function eventReader(stream: ReadableStream<Uint8Array> | null) {
  const reader = (stream ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  return {
    /** The next event or comment; undefined at the end. */
    async next() {
      while (!buffered.includes("\n\n")) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        buffered += value;
      }
      const end = buffered.indexOf("\n\n");
      const lines = buffered.slice(0, end).split("\n");
      buffered = buffered.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      return {
        comment: field(""),
        event: field("event"),
        id: field("id"),
        data: data === undefined ? undefined : JSON.parse(data),
      };
    },
    leave: () => reader.cancel(),
  };
}
