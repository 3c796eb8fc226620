import type { Sql } from "../sql.ts";

/**
 * Sends a statement over a connection only after the previous one is answered. Mends a defect of the driver:
 * behind a pooler in transaction mode its pipelined statements can hang. A statement with parameters has two
 * parts, and the pooler may take the session away between them, when the previous statement is answered.
 * Transactions have a connection of their own in any case.
 */
export function disablePipelining(sql: Sql): Sql {
  return new Proxy(sql, {
    apply(target, self, args) {
      const query: unknown = Reflect.apply(target, self, args);
      if (isStatement(query)) query.options.onexecute = refuseMore;
      return query;
    },
  });
}

/** A statement as the driver keeps it (`class Query` of postgres.js 3.4, src/query.js). */
interface Statement {
  /** Returns whether the connection may take another statement (src/connection.js, `execute`). */
  options: { onexecute?: () => boolean };
}

const refuseMore = () => false;

function isStatement(query: unknown): query is Statement {
  return query instanceof Promise && "options" in query && "handler" in query;
}
