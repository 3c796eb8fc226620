import { type Span, SpanKind } from "@opentelemetry/api";
import type postgres from "postgres";
import { fail, tracer, withSpan } from "../telemetry/tracing.ts";
import type { Sql } from "./sql.ts";

const POSTGRESQL = { "db.system.name": "postgresql" };

/**
 * Makes a handle whose statements are spans, and whose transactions are spans around theirs, from the wait for a
 * connection to the commit. The statements' text goes along, never values.
 */
export function traceStatements(sql: Sql): Sql {
  return new Proxy<Sql>(sql, {
    apply: applyTraced,
    get(target, property) {
      return property === "begin" ? begin : Reflect.get(target, property);
    },
  });

  /** As the driver's own, `begin(mode, work)` or `begin(work)`. */
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

/** A statement's text with `$` for each value; fragments, which the driver keeps as `class Query`, come with their own. */
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

/** Its first word, and the first thing of ours that it names. */
function nameOf(statement: string): string {
  const [verb = "query"] = statement.split(" ", 1);
  const [object] = /\b(?:assignment|public)\.\w+/.exec(statement) ?? [];
  return object === undefined ? verb : `${verb} ${object}`;
}
