import postgres from "postgres";

/** The codes of errors that callers can branch on. They are stable. */
export type ErrorCode =
  | "assignment_failed"
  | "assignment_not_found"
  | "backfill_active"
  | "cursor_expired"
  | "delivery_not_found"
  | "invalid_cursor"
  | "invalid_transition"
  | "member_is_trainer"
  | "member_not_found"
  | "no_room"
  | "no_successor"
  | "policy_changed"
  | "policy_invalid"
  | "policy_version_not_found"
  | "run_cancelled"
  | "rows_hidden"
  | "run_not_found"
  | "trainer_not_found"
  | "transfer_active"
  | "webhook_has_no_url"
  | "webhook_not_found"
  | "webhooks_not_configured";

/** A failure with a code for programs and a message for people. */
export class AppError extends Error {
  override readonly name = "AppError";

  /** @param details data for programs, such as the `runId` of a `backfill_active` */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** A problem that an operator can solve. The command line prints its message without a stack. */
export class OperatorError extends Error {
  override name = "OperatorError";
}

/** Returns the SQLSTATE of a database error, or the code of the driver or the system; empty if there is none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Our own SQLSTATEs, which the functions in db/migrations raise or record with a failure. `code` is the
 * caller's error; null if callers never get one. `detail` names what the error's detail contains.
 */
export const OWN_SQLSTATES: Record<string, { meaning: string; code: ErrorCode | null; detail?: string }> = {
  TA001: {
    meaning: "the trainer is not a member, or there is no default trainer",
    code: "trainer_not_found",
  },
  TA002: { meaning: "the member does not exist", code: "member_not_found" },
  TA003: { meaning: "the member is the trainer", code: "member_is_trainer" },
  TA004: { meaning: "the database refused the assignment", code: "assignment_failed", detail: "sqlstate" },
  TA005: { meaning: "a backfill has not ended", code: "backfill_active", detail: "runId" },
  TA006: { meaning: "the run's status does not allow this", code: "invalid_transition" },
  TA007: { meaning: "the run does not exist", code: "run_not_found" },
  TA008: { meaning: "a trigger or rule of the application kept the row out", code: null },
  TA009: { meaning: "a foreign key points at another table", code: null },
  TA010: { meaning: "row-level security hides rows", code: "rows_hidden" },
  TA011: { meaning: "the trainer, or every trainer of the rule, has no room", code: "no_room" },
  TA012: { meaning: "the policy does not fit the database", code: "policy_invalid", detail: "pointer" },
  TA013: { meaning: "another version of the policy is in force", code: "policy_changed" },
  TA014: { meaning: "the policy has no such version", code: "policy_version_not_found" },
  TA015: { meaning: "the assignment to the new trainer was ended before", code: null },
  TA016: { meaning: "the policy gives the member no other trainer", code: null },
  TA017: { meaning: "nobody can take over the clients of the trainer", code: "no_successor" },
  TA018: { meaning: "the audit log is only ever added to", code: null },
  TA019: { meaning: "a transfer from the trainer has not ended", code: "transfer_active", detail: "runId" },
  TA021: { meaning: "the webhook does not exist", code: "webhook_not_found" },
  TA022: { meaning: "messages after the cursor are no longer kept", code: "cursor_expired" },
  TA023: { meaning: "a shard waits for what is in other places: seats, or who is a member", code: null },
};

/** Awaits a query; an error that a function of ours raised becomes an {@link AppError}, any other stays as it is. */
export async function withAppErrors<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
    const { code = null, detail } = OWN_SQLSTATES[error.code] ?? {};
    if (code === null) throw error;
    throw new AppError(code, error.message, detail === undefined ? {} : { [detail]: error.detail });
  }
}
