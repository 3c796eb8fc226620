import type { Sql } from "../../src/database/sql.ts";

/** Makes a handle on the same pool that counts what is asked through it. */
export function countingSql(sql: Sql): { sql: Sql; queries(): number } {
  let queries = 0;
  const counting = new Proxy(sql, {
    apply(target, self, args) {
      queries += 1;
      return Reflect.apply(target, self, args);
    },
  });
  return { sql: counting, queries: () => queries };
}
