import type { Sql } from "../../src/database/sql.ts";

/** A mistake that somebody might make, made on purpose in a database or in a copy of the service. */
export interface PlantedBug {
  name: string;
  /** Changes the migrated database. */
  database?(sql: Sql): Promise<void>;
  /** Changes the sources of the service that experiments start. */
  sources?: readonly SourceChange[];
}

/** A bug and the experiments that must notice it, the quickest first. */
export interface KnownBug extends PlantedBug {
  caughtBy: readonly [quickest: string, ...others: string[]];
  /** The rule that is meant for it; left out: any will do. */
  breaks?: string;
  /** Left to `deno task faults planted`, for the tests must end in time: another bug shows that the rule bites. */
  isExtra?: true;
}

/** Replaces a text, which must occur, in a file of the project. */
export interface SourceChange {
  file: string;
  from: string;
  to: string;
}

/** Makes a function anew with a text of its definition replaced, which must occur. */
export async function changeFunction(sql: Sql, name: string, from: string, to: string): Promise<void> {
  const [row] = await sql<[{ definition: string }]>`
    select pg_get_functiondef(${`assignment.${name}`}::regproc) as definition
  `;
  if (!row.definition.includes(from)) throw new Error(`assignment.${name} does not contain: ${from}`);
  await sql.unsafe(row.definition.replace(from, () => to));
}
