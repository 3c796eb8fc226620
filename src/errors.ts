import postgres from "postgres";

/** What can go wrong by the caller's doing or the world's, by meaning. Stable: callers branch on it. */
export type ErrorCode =
  | "assignment_failed"
  | "assignment_not_found"
  | "backfill_active"
  | "invalid_cursor"
  | "invalid_transition"
  | "member_is_trainer"
  | "member_not_found"
  | "run_cancelled"
  | "rows_hidden"
  | "run_not_found"
  | "trainer_not_found";

/** A failure that has a meaning in this service, told in a message that a person can act on. */
export class AppError extends Error {
  override readonly name = "AppError";

  /** @param details what a program needs beside the code, such as `runId` of a `backfill_active`. */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** A problem that the person at the terminal can act on: the command line prints its message, without a stack. */
export class OperatorError extends Error {
  override name = "OperatorError";
}

/** The SQLSTATE of a database error, or what the driver or the system calls it; empty where the error has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The SQLSTATEs that the functions in db/migrations raise on purpose, and what their `detail` is called. */
const raised: Record<string, { code: ErrorCode; detail?: string }> = {
  TA001: { code: "trainer_not_found" },
  TA002: { code: "member_not_found" },
  TA003: { code: "member_is_trainer" },
  TA004: { code: "assignment_failed", detail: "sqlstate" },
  TA005: { code: "backfill_active", detail: "runId" },
  TA006: { code: "invalid_transition" },
  TA007: { code: "run_not_found" },
  TA010: { code: "rows_hidden" },
};

/** Awaits a query; an error that a function of ours raised becomes an {@link AppError}, any other stays as it is. */
export async function withAppErrors<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    const meaning = error instanceof postgres.PostgresError ? raised[error.code] : undefined;
    if (!(error instanceof postgres.PostgresError) || !meaning) throw error;
    throw new AppError(meaning.code, error.message, meaning.detail ? { [meaning.detail]: error.detail } : {});
  }
}
