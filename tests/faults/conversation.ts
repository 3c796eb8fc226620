/**
 * One connection's conversation in PostgreSQL's protocol (version 3), overheard from both sides: enough to tell which
 * statement a reply belongs to, and to drop the reply to a statement that has committed.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class Conversation {
  readonly #dropReply: (statement: string) => boolean;
  readonly #client = new Frames(true);
  readonly #server = new Frames(false);
  /** Prepared statements by name, of this connection. */
  readonly #statements = new Map<string, string>();
  #current = "";
  /** Each Sync or simple query is answered by one ReadyForQuery; the start of the session by the first. */
  #askedFor = 1;
  #answered = 0;
  readonly #drops = new Set<number>();

  /** @param dropReply asked once for each statement that is run */
  constructor(dropReply: (statement: string) => boolean) {
    this.#dropReply = dropReply;
  }

  heardClient(bytes: Uint8Array): void {
    for (const { type, payload } of this.#client.read(bytes)) {
      if (type === "P") {
        const [name = "", statement = ""] = textsOf(payload);
        this.#statements.set(name, statement);
      } else if (type === "B") {
        const [, name = ""] = textsOf(payload);
        this.#current = this.#statements.get(name) ?? "";
      } else if (type === "Q") {
        this.#current = textsOf(payload)[0] ?? "";
        this.#expectAnswer();
      } else if (type === "S") {
        this.#expectAnswer();
      }
    }
  }

  /** @returns what the client may see, and whether a reply has been dropped: then the connection must end. */
  heardServer(bytes: Uint8Array): { pass: Uint8Array; hasDropped: boolean } {
    const passing: Uint8Array[] = [];
    for (const { type, whole } of this.#server.read(bytes)) {
      const drop = this.#drops.has(this.#answered);
      if (!drop) passing.push(whole);
      if (type !== "Z") continue;
      this.#answered += 1;
      if (drop) return { pass: concat(passing), hasDropped: true };
    }
    return { pass: concat(passing), hasDropped: false };
  }

  #expectAnswer(): void {
    if (this.#current !== "" && this.#dropReply(this.#current)) this.#drops.add(this.#askedFor);
    this.#askedFor += 1;
    this.#current = "";
  }
}

interface Frame {
  type: string;
  payload: Uint8Array;
  whole: Uint8Array;
}

/** Cuts a stream into messages: a type, a length, a payload; the first of a client has no type. */
class Frames {
  #pending = new Uint8Array();
  #isStart: boolean;

  constructor(startsWithoutType: boolean) {
    this.#isStart = startsWithoutType;
  }

  *read(bytes: Uint8Array): Generator<Frame> {
    this.#pending = concat([this.#pending, bytes]);
    for (;;) {
      const head = this.#isStart ? 0 : 1;
      if (this.#pending.length < head + 4) return;
      const view = new DataView(this.#pending.buffer, this.#pending.byteOffset);
      const length = head + view.getUint32(head);
      if (this.#pending.length < length) return;
      const whole = this.#pending.slice(0, length);
      this.#pending = this.#pending.slice(length);
      this.#isStart = false;
      yield {
        type: head === 0 ? "" : String.fromCharCode(whole[0] ?? 0),
        payload: whole.subarray(head + 4),
        whole,
      };
    }
  }
}

/** The zero-terminated texts that a message begins with. */
function textsOf(payload: Uint8Array): string[] {
  return new TextDecoder().decode(payload).split("\0", 3);
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
