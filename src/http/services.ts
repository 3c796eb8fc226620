import type { Token } from "../config.ts";
import type { Sql } from "../database/connection.ts";
import type { Logger } from "../log.ts";

/** What the HTTP side needs from the process around it. */
export interface Services {
  sql: Sql;
  /** The tokens that callers may present; compared by hash. */
  tokens: readonly Token[];
  log: Logger;
  /** Aborts when the process is told to stop: event streams end then, so that the server can drain. */
  shutdown: AbortSignal;
}
