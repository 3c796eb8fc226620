import { inTime } from "../deadline.ts";
import { AppError } from "../errors.ts";
import type { Sql } from "./sql.ts";

const GOOD_FOR_MS = 1000;
const LONGEST_LOOK_MS = 500;

/**
 * Throws {@link AppError} `rows_hidden`, with what to do, if row-level security hides rows from the service's
 * role.
 */
export type RequireVisibleRows = () => Promise<void>;

/**
 * Makes a {@link RequireVisibleRows} that checks at most once a second. Hidden rows raise no error of their
 * own, but make every answer wrong. If the check itself fails it passes: the caller's own query fails for the
 * same reason.
 */
export function watchVisibleRows(sql: Sql): RequireVisibleRows {
  let look: Promise<string | null> | undefined;
  let goodUntil = 0;
  return async function requireVisibleRows() {
    if (look === undefined || performance.now() > goodUntil) {
      goodUntil = performance.now() + GOOD_FOR_MS;
      look = inTime(explainHiddenRows(sql), LONGEST_LOOK_MS, late).catch(() => null);
    }
    const reason = await look;
    if (reason !== null) throw new AppError("rows_hidden", reason);
  };
}

function late(): Error {
  return new Error("the database does not answer");
}

async function explainHiddenRows(sql: Sql): Promise<string | null> {
  const [row] = await sql<[{ reason: string | null }]>`select assignment.explain_hidden_rows() as reason`;
  return row.reason;
}
