import { type Span, SpanKind } from "@opentelemetry/api";
import type postgres from "postgres";
import { fail, tracer, withSpan } from "../telemetry/tracing.ts";
import type { Sql } from "./sql.ts";

const POSTGRESQL = { "db.system.name": "postgresql" };

/**
 * Makes a handle that traces: each statement is a span with its text, never its values. A transaction is a span
 * around its statements, from the wait for a connection to the commit.
 */
export function traceStatements(sql: Sql): Sql {
  return new Proxy<Sql>(sql, {
    apply: applyTraced,
    get(target, property) {
      return property === "begin" ? begin : Reflect.get(target, property);
    },
  });

  /** Takes the arguments of the driver's `begin`: `(mode, work)` or `(work)`. */
  async function begin(...args: unknown[]): Promise<unknown> {
    const work = args.pop();
    if (typeof work !== "function") throw new TypeError("a transaction needs its work");
    const tracedWork = (transaction: postgres.TransactionSql) =>
      Reflect.apply(work, undefined, [
        new Proxy<postgres.TransactionSql>(transaction, { apply: applyTraced }),
      ]);
    const options = { kind: SpanKind.CLIENT, attributes: POSTGRESQL };
    return await withSpan("transaction", options, async () => {
      return await Reflect.apply(sql.begin, sql, [...args, tracedWork]);
    });
  }
}

function applyTraced(target: CallableFunction, self: unknown, [first, ...values]: unknown[]): unknown {
  const query: unknown = Reflect.apply(target, self, [first, ...values]);
  if (query instanceof Promise && Array.isArray(first) && "raw" in first) {
    spanWhenRun(query, textOf(first, values));
  }
  return query;
}

/**
 * Returns a statement's text with `$` for each value. Includes the text of fragments, which the driver keeps as
 * `class Query`.
 */
function textOf([first = "", ...others]: readonly unknown[], values: readonly unknown[]): string {
  return others.reduce<string>(
    (text, part, index) => `${text}${placeOf(values[index])}${part}`,
    String(first),
  );
}

function placeOf(value: unknown): string {
  const isFragment = value instanceof Promise && "strings" in value && "args" in value;
  if (!isFragment || !Array.isArray(value.strings) || !Array.isArray(value.args)) return "$";
  return textOf(value.strings, value.args);
}

/**
 * Starts the span when the driver calls the statement's `handle`, at its first await. It never calls that of a
 * fragment.
 */
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
      attributes: { ...POSTGRESQL, "db.query.text": statement },
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

/** Names a span by the statement's first word and the first of our objects in it. */
function nameOf(statement: string): string {
  const [verb = "query"] = statement.split(" ", 1);
  const [object] = /\b(?:assignment|public)\.\w+/.exec(statement) ?? [];
  return object === undefined ? verb : `${verb} ${object}`;
}
