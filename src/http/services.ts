import type { OpenIdConfig, Token } from "../config.ts";
import type { MemberHook } from "../config/member_hook.ts";
import type { MemberColumns } from "../config/member_columns.ts";
import type { Sql } from "../database/sql.ts";
import type { PoolUse } from "../database/driver/pool.ts";
import type { OutageLog } from "../database/outage_log.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ReadReplica } from "../database/read_replica.ts";
import type { WebhookSettings } from "../webhooks/registration.ts";
import type { VerifyJwt } from "./identity/jwt.ts";

/** What the HTTP side needs from the process around it. */
export interface Services {
  sql: Sql;
  /** Where names and e-mails of members are; by default `display_name` and `email`. */
  memberColumns?: MemberColumns;
  /** How events of an identity provider are verified and read; by default they are refused. */
  memberHook?: MemberHook | null;
  /** A replica of the database for checks and lists; none by default. */
  replica?: ReadReplica | null;
  /** The connections of health and metrics, which must work when the pool is full; `sql` by default. */
  watchSql?: Sql;
  /** How the pools of this process are used, by name; `api` is that of requests. */
  pools?: Readonly<Record<string, () => PoolUse>>;
  /** The tokens that callers may present; compared by hash. */
  tokens: readonly Token[];
  /** Verifies the JWTs that callers may present instead; JWTs are refused by default. */
  verifyJwt?: VerifyJwt | null;
  /** The OpenID Connect provider through which admins may sign in to the page; none by default. */
  openId?: OpenIdConfig | null;
  /** How long a request may take; {@link REQUEST_TIMEOUT_MS} by default. */
  requestTimeoutMs?: number;
  /** What is configured of webhooks; by default no key, and https to public addresses only. */
  webhooks?: WebhookSettings;
  /** Requests per minute that each token may make of this replica; 0 (the default) means no limit. */
  rateLimitPerMinute?: number;
  /** Requests per minute that each network may make of routes with a signature; 6000 by default. */
  signedPerMinute?: number;
  /** The origins whose pages may call with a token; none by default. */
  corsOrigins?: readonly string[];
  /** The number of trusted proxies in front, for the caller's address; 0 by default. */
  trustedProxies?: number;
  log: Logger;
  /** Logs outages of the database, shared with the background work; a new one by default. */
  outageLog?: OutageLog;
  /** Counts requests; new metrics by default. */
  metrics?: Metrics;
  /** Aborts when the process is told to stop. It is not ready then, and still answers for a while. */
  stopping?: AbortSignal;
  /** Aborts when the process drains: event streams end then, so that the server can drain. */
  shutdown: AbortSignal;
}
