import { z } from "zod";
import { losesNode } from "../../src/database/error_kinds.ts";
import { AppError } from "../../src/errors.ts";

/** How a statement ended, as far as its sender can know: a lost connection leaves it open. */
export type Outcome = "acknowledged" | "failed" | "unknown";

const ACTIONS = [
  "given",
  "signup",
  "leave",
  "end",
  "assign",
  "endDirectly",
  "deleteDirectly",
  "start",
  "pause",
  "resume",
  "policy",
  "trainer",
] as const;

/**
 * What was done, and what its ids are: members added unseen by the trigger, signed up or deleted; an assignment ended or
 * made (member and trainer), or ended or deleted past the service (its id, member and trainer); a run started (none), paused
 * or resumed; a version of the policy written (its number); a trainer changed.
 */
export type Action = (typeof ACTIONS)[number];

const lineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("intent"),
    number: z.number(),
    action: z.enum(ACTIONS),
    ids: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("outcome"),
    number: z.number(),
    outcome: z.enum(["acknowledged", "failed", "unknown"]),
    code: z.string().optional(),
    ms: z.number(),
  }),
]);

/** An intent with what became of it; without a recorded outcome it is unknown. */
export interface Entry {
  number: number;
  action: Action;
  ids: string[];
  outcome: Outcome;
  /** The SQLSTATE or the driver's code, where it was not acknowledged. */
  code: string | undefined;
  ms: number;
  /** The lines of its intent and of its outcome: what ended on an earlier line was over before it began. */
  began: number;
  ended: number;
}

/**
 * What was asked of the database and what it answered, kept outside of it: a file, flushed to disk before a statement is
 * sent and again after its answer, so that it is right whatever is killed.
 */
export class Journal {
  readonly #file: Deno.FsFile;
  #lastNumber: number;
  #waiting: string[] = [];
  #flushing: Promise<void> = Promise.resolve();

  private constructor(readonly path: string, lastNumber: number) {
    this.#lastNumber = lastNumber;
    this.#file = Deno.openSync(path, { append: true, create: true });
  }

  /** @param lastNumber of the entries that are there already */
  static open(path: string, lastNumber = 0): Journal {
    return new Journal(path, lastNumber);
  }

  /** The number of the entry that was begun last. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /**
   * Records an intent, runs it, records its outcome. Never throws for what the work throws.
   * @param work gets who acts: its request id finds the line of the audit log
   */
  async record(
    action: Action,
    ids: string[],
    work: (by: JournalActor) => Promise<Outcome | void>,
  ): Promise<Outcome> {
    const number = ++this.#lastNumber;
    await this.#write({ kind: "intent", number, action, ids });
    const began = performance.now();
    let outcome: Outcome;
    let code: string | undefined;
    try {
      outcome = await work({ actor: JOURNAL, requestId: requestIdOf(number) }) ?? "acknowledged";
    } catch (error) {
      ({ outcome, code } = judge(error));
    }
    await this.#write({ kind: "outcome", number, outcome, code, ms: Math.round(performance.now() - began) });
    return outcome;
  }

  close(): void {
    this.#file.close();
  }

  /** Lines that come while others are flushed share the next flush. */
  #write(line: z.input<typeof lineSchema>): Promise<void> {
    this.#waiting.push(`${JSON.stringify(line)}\n`);
    this.#flushing = this.#flushing.then(() => {
      if (this.#waiting.length === 0) return;
      const text = this.#waiting.join("");
      this.#waiting = [];
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
      this.#file.syncDataSync();
    });
    return this.#flushing;
  }
}

/** Who does what is journaled. */
export const JOURNAL = "journal";

/** As whom journaled work acts. */
export interface JournalActor {
  actor: string;
  requestId: string;
}

export function requestIdOf(number: number): string {
  return `${JOURNAL}-${number}`;
}

/** The outcome of work in several statements: an error other than a refusal leaves open what was committed before it. */
export async function outcomeOfSeveral(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return "acknowledged";
  } catch (error) {
    return error instanceof AppError ? "failed" : "unknown";
  }
}

/** What a transaction throws that is to be rolled back. */
export class RolledBack extends Error {}

/** The outcome of a transaction, which rolls itself back or not. */
export async function unlessRolledBack(transaction: Promise<unknown>): Promise<Outcome> {
  try {
    await transaction;
    return "acknowledged";
  } catch (error) {
    if (error instanceof RolledBack) return "failed";
    throw error;
  }
}

/** Reads a journal back from disk, as an observer would after a crash of everything. */
export async function readJournal(path: string): Promise<Entry[]> {
  const entries = new Map<number, Entry>();
  for (const [at, text] of (await Deno.readTextFile(path)).split("\n").entries()) {
    if (text === "") continue;
    const line = lineSchema.parse(JSON.parse(text));
    if (line.kind === "intent") {
      const open = { outcome: "unknown", code: undefined, ms: 0, began: at, ended: Infinity } as const;
      entries.set(line.number, { ...line, ...open });
      continue;
    }
    const entry = entries.get(line.number);
    if (entry) Object.assign(entry, { outcome: line.outcome, code: line.code, ms: line.ms, ended: at });
  }
  return [...entries.values()];
}

/** Errors after which nobody can tell whether the statement had committed. */
const LOST =
  /^(CONNECTION_CLOSED|CONNECTION_DESTROYED|CONNECTION_ENDED|ECONNRESET|EPIPE|ETIMEDOUT|57P01|57P02|08...)$/;

function judge(error: unknown): { outcome: Outcome; code: string } {
  const code = error instanceof Error && "code" in error ? String(error.code) : "none";
  const isLost = LOST.test(code) || isPanic(error) || losesNode(error);
  return { outcome: isLost ? "unknown" : "failed", code };
}

/** A server that gives up may do so between writing a commit and telling of it. */
function isPanic(error: unknown): boolean {
  return error instanceof Error && "severity" in error && error.severity === "PANIC";
}

/** Failures that come from a server that is away, full, shutting down or a standby: no signup could have succeeded then. */
export function isForeignFailure(code: string | undefined): boolean {
  return /^(ECONNREFUSED|CONNECT_TIMEOUT|08...|25006|53...|57P..|58...)$/.test(code ?? "");
}
