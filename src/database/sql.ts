import type postgres from "postgres";

/**
 * The database handle that every function takes first. `bigint` columns arrive as numbers, `timestamptz` as
 * Date (see `parseTime`).
 */
export type Sql = postgres.Sql<{ bigint: number }>;

/** The handle, or a transaction of it. */
export type SqlOrTransaction = postgres.ISql<{ bigint: number }>;
