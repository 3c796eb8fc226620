/**
 * Spans, through the interface that Deno's own OpenTelemetry (OTEL_DENO=true) stands behind. Without it they cost next
 * to nothing, and go nowhere.
 * @module
 */
import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Sql } from "./database/connection.ts";

const tracer = trace.getTracer("trainer-assignment");

/** Tells whether spans go anywhere. */
export function isTracing(): boolean {
  const span = tracer.startSpan("probe", { root: true });
  return span.isRecording();
}

/** Names the request's span, which Deno began, by the route's template, and says who asked. */
export function nameRequestSpan(
  request: { method: string; route: string; requestId: string; token: string | undefined },
): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  span.updateName(`${request.method} ${request.route}`);
  span.setAttribute("http.route", request.route);
  span.setAttribute("trainer_assignment.request_id", request.requestId);
  if (request.token !== undefined) span.setAttribute("enduser.id", request.token);
}

/** Does the work in a span of its own, a child of the current one. */
export async function withSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return await tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The ids by which a line of log finds its trace; empty outside of one. */
export function traceIds(): Record<string, string> {
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? {} : { traceId: context.traceId, spanId: context.spanId };
}

/** Makes a handle whose statements, but for those within transactions, are spans. Their text goes along, never values. */
export function traceStatements(sql: Sql): Sql {
  return new Proxy(sql, {
    apply(target, self, [first, ...values]) {
      const query: unknown = Reflect.apply(target, self, [first, ...values]);
      if (query instanceof Promise && Array.isArray(first) && "raw" in first) {
        spanWhenRun(query, first.join("$"));
      }
      return query;
    },
  });
}

/** A statement runs when it is first awaited, through its `handle`; a fragment of another one never does. */
function spanWhenRun(query: Promise<unknown>, text: string): void {
  const run: unknown = Reflect.get(query, "handle");
  if (typeof run !== "function") return;
  let span: Span | undefined;
  const handle = () => {
    const began = Reflect.apply(run, query, []);
    if (span !== undefined) return began;
    const statement = text.replaceAll(/\s+/g, " ").trim();
    const started = tracer.startSpan(nameOf(statement), {
      kind: SpanKind.CLIENT,
      attributes: { "db.system.name": "postgresql", "db.query.text": statement },
    });
    span = started;
    Promise.prototype.then.call(query, () => started.end(), (error: unknown) => {
      fail(started, error);
      started.end();
    });
    return began;
  };
  Reflect.set(query, "handle", handle);
}

/** Its first word, and the first thing of ours that it names. */
function nameOf(statement: string): string {
  const [verb = "query"] = statement.split(" ", 1);
  const [object] = /\b(?:assignment|public)\.\w+/.exec(statement) ?? [];
  return object === undefined ? verb : `${verb} ${object}`;
}

/** Without the message, which may quote values. */
function fail(span: Span, error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "error";
  span.setAttribute("error.type", code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
