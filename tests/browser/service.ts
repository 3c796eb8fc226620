import { hash } from "node:crypto";
import { startBackgroundWork } from "../../src/commands/background.ts";
import type { OpenIdConfig, Token } from "../../src/config.ts";
import type { Sql } from "../../src/database/sql.ts";
import { createApp } from "../../src/service.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import type { WebhookSettings } from "../../src/webhooks/registration.ts";
import { testDatabase } from "../support/databases.ts";

/** The tokens that a test's service knows; long, as real ones are. */
export const TOKENS = {
  admin: "ta_admin_of_the_browser_tests_0123456789abcdef",
  otherAdmin: "ta_another_admin_of_the_browser_tests_0123456789",
  viewer: "ta_viewer_of_the_browser_tests_0123456789abcdef",
  service: "ta_service_of_the_browser_tests_0123456789abcdef",
} as const;

/** The real service on a port of its own, over a database of its own. */
export interface BrowserService {
  url: string;
  /** What the test does in the database: as its superuser. The service has its own role's rights alone. */
  sql: Sql;
  stop(): Promise<void>;
}

export interface BrowserServiceOptions {
  openId?: OpenIdConfig;
  /** A free one unless it must be known before. */
  port?: number;
  /** Slows runs down: rest after each batch, in parts of its time. */
  restRatio?: number;
  /** Whether runs are driven and failures retried, as the service does. */
  background?: boolean;
  tokens?: readonly Token[];
  webhooks?: WebhookSettings;
  /** A database that the test keeps; else the service gets one of its own. */
  sql?: Sql;
}

/** Starts the service as `deno task start` does. */
export async function startService(options: BrowserServiceOptions = {}): Promise<BrowserService> {
  const database = options.sql === undefined ? await testDatabase() : undefined;
  const sql = options.sql ?? await database?.newServicePool();
  if (sql === undefined) throw new Error("there is always a database");
  const shutdown = new AbortController();
  const app = createApp({
    sql,
    tokens: options.tokens ?? allTokens(),
    openId: options.openId ?? null,
    ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
    log: silentLogger,
    shutdown: shutdown.signal,
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
    app.fetch,
  );
  const background = options.background === false
    ? undefined
    : startBackgroundWork({ sql, log: silentLogger }, {
      backfillLanes: 2,
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: options.restRatio ?? 0,
      reconcileCron: null,
      webhookKeys: options.webhooks?.keys ?? [],
      webhookAllowPrivate: options.webhooks?.allowPrivate ?? false,
    });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    sql: database?.sql ?? sql,
    async stop() {
      shutdown.abort();
      await background?.stop();
      await server.shutdown();
      await database?.drop();
    },
  };
}

/** The configured tokens, as their hashes. */
export function allTokens(): Token[] {
  return [
    { name: "office", role: "admin", sha256: hash("sha256", TOKENS.admin, "buffer") },
    { name: "other", role: "admin", sha256: hash("sha256", TOKENS.otherAdmin, "buffer") },
    { name: "board", role: "viewer", sha256: hash("sha256", TOKENS.viewer, "buffer") },
    { name: "orders", role: "service", sha256: hash("sha256", TOKENS.service, "buffer") },
  ];
}
