import { z } from "zod";
import type { RawAnswer } from "../../support/raw_http.ts";
import type { HostileRequest } from "./request.ts";

const problemSchema = z.looseObject({
  status: z.int(),
  code: z.string(),
  requestId: z.string(),
  detail: z.string().min(1),
});

/** Whose answer it was, and what is wrong with it. */
export interface Verdict {
  by: "service" | "runtime" | "nobody";
  wrong: string | undefined;
}

/** What health says when the database did not answer it in time: a form of its own, in every answer. */
const unavailableSchema = z.looseObject({ status: z.literal("unavailable"), checks: z.looseObject({}) });

/** An answer's share beside what it may repeat of the request: a list of a hundred wrong places, a page, a thousand rows. */
const MOST_OWN_BYTES = 512 * 1024;
/** A run is a row of some 1.2 kB: counters, choices by rule, the first errors. A page of messages may tell of 5,000 members. */
const MOST_BYTES_OF_LONG_ROWS = 2 * 1024 * 1024;

/**
 * Tells what is wrong with an answer to a hostile request. None at all is right only where nobody can tell where the
 * request ends; a bare 400 is the runtime's own (Deno answers so what is no HTTP, and the service never hears of it); of
 * ours no answer is a 500, and every error outside of the admin page is problem details with a documented code.
 * @param clean both sides agree where the request ends
 */
export function judgeAnswer(
  request: HostileRequest,
  answer: RawAnswer | null,
  { clean, codes }: { clean: boolean; codes: ReadonlySet<string> },
): Verdict {
  if (answer === null) return { by: "nobody", wrong: clean ? "no whole answer came" : undefined };
  const requestId = answer.headers.get("x-request-id");
  const wrong = (what: string): Verdict => ({ by: "service", wrong: `${answer.status}: ${what}` });
  if (requestId === undefined) {
    const isBare = answer.body.length === 0 && [400, 414, 431].includes(answer.status);
    return isBare ? { by: "runtime", wrong: undefined } : wrong("it bears no request id");
  }
  const sentBytes = request.target.length + request.body.length;
  const isDownload = answer.headers.has("content-disposition");
  const mostOwnBytes = listsLongRows(request) ? MOST_BYTES_OF_LONG_ROWS : MOST_OWN_BYTES;
  if (!isDownload && answer.body.length > mostOwnBytes + 6 * sentBytes) {
    return wrong(`${answer.body.length} bytes`);
  }
  if (answer.status < 400 || request.method === "HEAD") {
    return { by: "service", wrong: fiveHundred(answer.status) };
  }

  const type = answer.headers.get("content-type") ?? "";
  if (isPage(request) && type.startsWith("text/html")) {
    return { by: "service", wrong: fiveHundred(answer.status) };
  }
  if (isHealth(request) && answer.status === 503) {
    const isInForm = type === "application/json" && unavailableSchema.safeParse(parse(answer.body)).success;
    return isInForm ? { by: "service", wrong: undefined } : wrong("it does not say what is unavailable");
  }
  if (type !== "application/problem+json") return wrong(`its type is ${type}`);
  const problem = problemSchema.safeParse(parse(answer.body)).data;
  if (problem === undefined) return wrong("it is no problem document");
  const isBusy = answer.status === 503 && problem.code === "too_many_streams";
  if (!isBusy && fiveHundred(answer.status)) return wrong(problem.code);
  if (!codes.has(problem.code)) return wrong(`nobody documents ${problem.code}`);
  if (problem.status !== answer.status) return wrong(`it says ${problem.status}`);
  if (problem.requestId !== requestId) return wrong("its request ids differ");
  return { by: "service", wrong: undefined };
}

function listsLongRows({ method, target }: HostileRequest): boolean {
  return method === "GET" &&
    /^(http:\/\/localhost)?\/v1\/(?:backfills|transfers|events)(?:$|\?)/.test(target);
}

function isHealth({ target }: HostileRequest): boolean {
  return /^(http:\/\/localhost)?\/readyz(?:$|\?)/.test(target);
}

function isPage({ target }: HostileRequest): boolean {
  return /^(http:\/\/localhost)?\/+admin/.test(target);
}

function fiveHundred(status: number): string | undefined {
  return status >= 500 ? `${status}` : undefined;
}

function parse(body: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
