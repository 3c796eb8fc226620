import postgres from "postgres";

export type Transaction = postgres.TransactionSql<{ bigint: number }>;

export interface RepairReport {
  /** What lacked and is there again; of a table that was made anew, the table alone. */
  mended: string[];
  /** What could not be made, with the database's words and what to do. */
  unmended: string[];
  /** What the person at the terminal should know besides. */
  notes: string[];
  /** Members without an active assignment, who need a backfill. */
  unassigned: number;
}

/** Runs a statement; where it fails the others go on, and the report says why. */
export async function attempt(
  transaction: Transaction,
  statement: string,
  what: string,
  report: RepairReport,
): Promise<boolean> {
  try {
    await transaction.savepoint((savepoint) => savepoint.unsafe(statement));
    return true;
  } catch (error) {
    report.unmended.push(`${what}: ${wordsOf(error)}`);
    return false;
  }
}

/** The database's own words, with what it adds to them. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  return [error.message, error.detail, error.hint].filter((each) => each !== undefined).join(": ");
}
