import type { Sql } from "../sql.ts";

/**
 * Sends no statement over a connection before the previous one is answered. Mends a habit of the driver, which does so. A
 * statement with parameters is sent in two parts; a pooler in transaction mode that meets the first part behind another
 * statement passes it to a session that it takes away when that statement is answered, and the second part, or the
 * answer, never arrives. Transactions have a connection of their own in any case.
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
  /** Whether `onexecute` says so decides whether the connection takes more (src/connection.js, `execute`). */
  options: { onexecute?: () => boolean };
}

const refuseMore = () => false;

function isStatement(query: unknown): query is Statement {
  return query instanceof Promise && "options" in query && "handler" in query;
}
