import type postgres from "postgres";

/** The database handle that every function takes first. `bigint` columns arrive as numbers, `timestamptz` as Date. */
export type Sql = postgres.Sql<{ bigint: number }>;
