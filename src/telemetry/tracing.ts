/**
 * Spans, through the API of Deno's own OpenTelemetry (OTEL_DENO=true). Without it they cost next
 * to nothing and go nowhere.
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

/** Tells whether spans are made, sampled or not. */
export function isTracing(): boolean {
  return isSpanContextValid(tracer.startSpan("probe", { root: true }).spanContext());
}

/** Returns the current span. */
export function currentSpan(): Span | undefined {
  return trace.getActiveSpan();
}

/** Names the request's span, which Deno began, by the route's template, and says who asked. */
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
 * Runs work for several requests: for a single one within its span, otherwise in a span of a new trace that is
 * linked with theirs.
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

/** The current span as W3C's `traceparent`, by which another process can link to it; null outside of one. */
export function currentTraceparent(): string | null {
  const current = currentSpan()?.spanContext();
  if (current === undefined || !isSpanContextValid(current)) return null;
  const flags = current.traceFlags.toString(16).padStart(2, "0");
  return `00-${current.traceId}-${current.spanId}-${flags}`;
}

/** Reads what {@link currentTraceparent} wrote; nothing of anything else. */
export function parseTraceparent(text: string): SpanContext[] {
  const [, traceId = "", spanId = "", flags = ""] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  const remote = { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? [remote] : [];
}

/** The ids by which a line of log finds its trace; empty outside of one. */
export function traceIds(): Record<string, string> {
  const current = currentSpan()?.spanContext();
  return current === undefined ? {} : { traceId: current.traceId, spanId: current.spanId };
}

/** Marks a span as failed: without the message, which may quote values. */
export function fail(span: Span, error: unknown): void {
  span.setAttribute("error.type", errorCode(error) || "error");
  span.setStatus({ code: SpanStatusCode.ERROR });
}
