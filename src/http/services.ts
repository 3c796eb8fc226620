import type { OpenIdConfig, Token } from "../config.ts";
import type { Sql } from "../database/sql.ts";
import type { PoolUse } from "../database/driver/pool.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ReadReplica } from "../database/read_replica.ts";
import type { VerifyJwt } from "./identity/jwt.ts";

/** What the HTTP side needs from the process around it. */
export interface Services {
  sql: Sql;
  /** A replica of the database for checks and lists; none where nothing is said. */
  replica?: ReadReplica | null;
  /** What health and metrics look through, so that they can tell of a full pool; `sql` where nothing is said. */
  watchSql?: Sql;
  /** How the pools of this process are used, by name; `api` is that of requests. */
  pools?: Readonly<Record<string, () => PoolUse>>;
  /** The tokens that callers may present; compared by hash. */
  tokens: readonly Token[];
  /** Judges the JWTs that callers may present instead; none is taken where nothing is said. */
  verifyJwt?: VerifyJwt | null;
  /** The OpenID Connect provider through which admins may sign in to the page; none where nothing is said. */
  openId?: OpenIdConfig | null;
  /** How long a request may take; {@link REQUEST_TIMEOUT_MS} where nothing is said. */
  requestTimeoutMs?: number;
  /** How many requests a minute each token may make of this replica; 0, for no limit, where nothing is said. */
  rateLimitPerMinute?: number;
  /** The origins whose pages may call with a token; none where nothing is said. */
  corsOrigins?: readonly string[];
  /** How many proxies in front are believed about the caller's address; 0 where nothing is said. */
  trustedProxies?: number;
  log: Logger;
  /** Where a database that is away is told of, shared with the background work; made anew where nothing is said. */
  outageLog?: OutageLog;
  /** Where requests are counted; made anew where nothing is said. */
  metrics?: Metrics;
  /** Aborts when the process is told to stop: it is not ready from then on, and goes on answering for a while. */
  stopping?: AbortSignal;
  /** Aborts when the process drains: event streams end then, so that the server can drain. */
  shutdown: AbortSignal;
}
