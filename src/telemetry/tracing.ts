/**
 * Creates spans through Deno's OpenTelemetry (OTEL_DENO=true). While that is off, spans cost almost nothing and
 * are dropped.
 * @module
 */
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { errorCode } from "../errors.ts";

/** OpenTelemetry's default limit for a span. */
const MOST_LINKS = 128;

export const tracer = trace.getTracer("trainer-assignment");

/** Tells whether tracing is on, even if this trace is not sampled. */
export function isTracing(): boolean {
  return isSpanContextValid(tracer.startSpan("probe", { root: true }).spanContext());
}

/** Returns the current span. */
export function currentSpan(): Span | undefined {
  return trace.getActiveSpan();
}

/** Names the request's span by its route, and adds the request id and the caller's token name. */
export function nameRequestSpan(
  request: { method: string; route: string; requestId: string; token: string | undefined },
): void {
  const span = currentSpan();
  if (span === undefined) return;
  span.updateName(`${request.method} ${request.route}`);
  span.setAttribute("http.route", request.route);
  span.setAttribute("trainer_assignment.request_id", request.requestId);
  if (request.token !== undefined) span.setAttribute("enduser.id", request.token);
}

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
  /** Spans of other traces to link to. */
  links?: readonly SpanContext[];
  /** Starts a new trace. */
  isRoot?: boolean;
}

/** Runs the work in a new span: a child of the current one, or a root. */
export async function withSpan<T>(
  name: string,
  { kind = SpanKind.INTERNAL, attributes = {}, links = [], isRoot = false }: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const options = { kind, attributes, links: links.map((context) => ({ context })), root: isRoot };
  return await tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * Runs work on behalf of several requests. For a single request it runs within that request's span, otherwise
 * in a span of a new trace that is linked with theirs.
 */
export async function withSharedSpan<T>(
  name: string,
  sharers: readonly Span[],
  work: () => Promise<T>,
): Promise<T> {
  const [first, ...others] = sharers;
  if (first === undefined) return await work();
  if (others.length === 0) return await context.with(trace.setSpan(context.active(), first), work);
  const links = sharers.slice(0, MOST_LINKS).map((sharer) => sharer.spanContext());
  const attributes = { "trainer_assignment.sharers": sharers.length };
  return await withSpan(name, { isRoot: true, links, attributes }, async (span) => {
    for (const sharer of sharers) sharer.addLink({ context: span.spanContext() });
    return await work();
  });
}

/** Returns the current span as a W3C `traceparent`, for links from other processes; null if there is no span. */
export function currentTraceparent(): string | null {
  const current = currentSpan()?.spanContext();
  if (current === undefined || !isSpanContextValid(current)) return null;
  const flags = current.traceFlags.toString(16).padStart(2, "0");
  return `00-${current.traceId}-${current.spanId}-${flags}`;
}

/** Parses a `traceparent` of {@link currentTraceparent}; empty if it is malformed. */
export function parseTraceparent(text: string): SpanContext[] {
  const [, traceId = "", spanId = "", flags = ""] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  const remote = { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? [remote] : [];
}

/** Returns the ids that link a log line to its trace; empty if there is no span. */
export function traceIds(): Record<string, string> {
  const current = currentSpan()?.spanContext();
  return current === undefined ? {} : { traceId: current.traceId, spanId: current.spanId };
}

/** Marks a span as failed. Leaves out the error's message, which may quote values. */
export function fail(span: Span, error: unknown): void {
  span.setAttribute("error.type", errorCode(error) || "error");
  span.setStatus({ code: SpanStatusCode.ERROR });
}
