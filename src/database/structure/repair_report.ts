import postgres from "postgres";

export type Transaction = postgres.TransactionSql<{ bigint: number }>;

export interface RepairReport {
  /** What was repaired. A table that was created anew stands for its columns and constraints. */
  repaired: string[];
  /** What could not be repaired, with the database's message and what to do. */
  unrepaired: string[];
  /** What else the operator should know. */
  notes: string[];
  /** Members without an active assignment, who need a backfill. */
  unassigned: number;
}

/** Runs a statement in a savepoint. Returns false, and reports why, if it fails. */
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
    report.unrepaired.push(`${what}: ${wordsOf(error)}`);
    return false;
  }
}

/** Returns the database's message, with its detail and hint. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  return [error.message, error.detail, error.hint].filter((each) => each !== undefined).join(": ");
}
