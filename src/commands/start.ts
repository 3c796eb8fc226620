import { startBackgroundWork } from "./background.ts";
import { type Config, parseConfig, type Token } from "../config.ts";
import { type App, createApp } from "../service.ts";
import { createJwtVerifier } from "../http/identity/jwt.ts";
import { keepListening, type Listener } from "../http/listener.ts";
import { endsInTime } from "../deadline.ts";
import { createLog, type Logger, writeStdout } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createOutageLog } from "../database/outage_log.ts";
import { OperatorError } from "../errors.ts";
import type { Pool } from "../database/driver/pool.ts";
import { traceStatements } from "../database/traced_statements.ts";
import { openServicePools, type ServicePools } from "../database/service_pools.ts";
import { type Command, UsageError } from "./command.ts";
import { isTracing, traceIds } from "../telemetry/tracing.ts";
import { openReadReplica, type ReadReplica } from "../database/read_replica.ts";
import { type CommandServer, EMBEDDED_FOLDER, openMigratedServer } from "./open_database.ts";
import { readOwnKey } from "../webhooks/own_key.ts";
import { createToken } from "./token.ts";
import { VERSION } from "../version.ts";

const DRAIN_TIMEOUT_MS = 10_000;

/** Runs the service until the process is told to stop. */
export const start: Command = {
  usage: "",
  summary: "run the service, with a database of its own unless DATABASE_URL names one",
  async run({ args, environment, signal, print }) {
    if (args.length > 0) {
      throw new UsageError("start takes no arguments; it is configured by its environment");
    }
    const config = parseConfig(environment);
    if (config.databaseUrl !== null) requireAdmins(config);
    const isTraced = isTracing();
    const log = createLog({
      level: config.logLevel,
      readable: Deno.stdout.isTerminal(),
      write: writeStdout,
      ...(isTraced ? { context: traceIds } : {}),
    });
    log.info({ version: VERSION }, "starting");
    for (const warning of config.warnings) log.warn({ event: "configuration", warning });
    const server = await openMigratedServer(config, "service", (warning) => {
      log.warn({ event: "schema_newer", warning });
    });
    try {
      const webhookKeys = await findWebhookKeys(config, server);
      if (!signal.aborted) {
        await servePools({ ...config, webhookKeys }, server, isTraced, { log, signal, print });
      }
    } finally {
      await server.close();
    }
    log.info("stopped");
    return 0;
  },
};

/** Only a service with its own database has a key of its own, which opens what it sealed also after one is configured. */
async function findWebhookKeys(
  { webhookKeys }: Config,
  { embedded }: CommandServer,
): Promise<readonly Uint8Array[]> {
  return embedded === null ? webhookKeys : [...webhookKeys, await readOwnKey(EMBEDDED_FOLDER)];
}

interface ProcessContext {
  log: Logger;
  signal: AbortSignal;
  print(line: string): void;
}

async function servePools(
  config: Config,
  server: CommandServer,
  isTraced: boolean,
  context: ProcessContext,
): Promise<void> {
  const pools = await openServicePools(server.url, {
    requestConnections: config.databasePoolSize,
    // Half of a request's time: a request that waited for a lock can still say why it failed.
    statementTimeoutMs: config.requestTimeoutMs / 2,
    backfillLanes: config.backfillLanes,
  });
  try {
    const traced = isTraced ? tracePools(pools) : pools;
    const replica = openReplica(config, traced, isTraced, context.log);
    try {
      await serve(config, server, { ...traced, replica }, context);
    } finally {
      await replica?.close();
    }
  } finally {
    await pools.close();
  }
}

function openReplica(
  { databaseReadUrl, databaseReadMaxLagMs, databasePoolSize }: Config,
  { requests, watch }: ServicePools,
  isTraced: boolean,
  log: Logger,
): ReadReplica | null {
  if (databaseReadUrl === null) return null;
  return openReadReplica(databaseReadUrl, {
    primary: requests.sql,
    watch: watch.sql,
    connections: databasePoolSize,
    maxLagMs: databaseReadMaxLagMs,
    log,
    ...(isTraced ? { trace: traceStatements } : {}),
  });
}

function tracePools({ requests, background, watch, close }: ServicePools): ServicePools {
  const traced = (pool: Pool) => ({ ...pool, sql: traceStatements(pool.sql) });
  return { requests: traced(requests), background: traced(background), watch: traced(watch), close };
}

async function serve(
  config: Config,
  database: CommandServer,
  { replica, ...pools }: ServicePools & { replica: ReadReplica | null },
  { log, signal, print }: ProcessContext,
): Promise<void> {
  // Only a service with its own database makes a token for the run; with DATABASE_URL callers are configured.
  const tokenOfThisRun = config.tokens.length > 0 || database.embedded === null ? null : createToken();
  const tokens: readonly Token[] = tokenOfThisRun === null
    ? config.tokens
    : [{ name: "local-admin", role: "admin", sha256: tokenOfThisRun.sha256 }];
  const draining = new AbortController();
  const outageLog = createOutageLog(log);
  const metrics = createMetrics();
  const app = createApp({
    sql: pools.requests.sql,
    watchSql: pools.watch.sql,
    replica,
    pools: {
      api: pools.requests.use,
      background: pools.background.use,
      watch: pools.watch.use,
      ...(replica === null ? {} : { replica: replica.use }),
    },
    tokens,
    openId: config.openId,
    verifyJwt: config.jwt === null ? null : createJwtVerifier(config.jwt, { log }),
    memberColumns: config.memberColumns,
    memberHook: config.memberHook,
    webhooks: { keys: config.webhookKeys, allowPrivate: config.webhookAllowPrivate },
    corsOrigins: config.corsOrigins,
    requestTimeoutMs: config.requestTimeoutMs,
    rateLimitPerMinute: config.rateLimitPerMinute,
    trustedProxies: config.trustedProxies,
    log,
    outageLog,
    metrics,
    stopping: signal,
    shutdown: draining.signal,
  });
  const server = listen(
    config,
    log,
    (request, info) => signal.aborted ? answerLast(request, info, app) : app.fetch(request, info),
  );
  const address = `http://${displayHost(server.addr.hostname)}:${server.addr.port}`;
  const background = startBackgroundWork({ sql: pools.background.sql, log, outageLog, metrics }, config);
  await database.embedded?.announce(address);
  log.info({ address }, "listening");
  if (database.embedded !== null) {
    print("");
    print(`  Service      ${address}`);
    print(`  API          ${address}/docs`);
    print(`  Database     ${database.url}`);
    print(
      `  Admin token  ${tokenOfThisRun?.secret ?? "as configured"}${tokenOfThisRun ? " (for this run)" : ""}`,
    );
    print(`  Admin page   ${address}/admin/login${tokenOfThisRun ? `#token=${tokenOfThisRun.secret}` : ""}`);
    print("");
    print("  Ctrl-C stops the service and the database.");
    print("");
  }

  await aborted(signal);
  log.info({ delayMs: config.shutdownDelayMs }, "stopping");
  const backgroundAtRest = background.stop();
  if (config.shutdownDelayMs > 0) {
    await new Promise((resolve) => setTimeout(resolve, config.shutdownDelayMs));
  }
  draining.abort();
  if (!await endsInTime(Promise.all([server.shutdown(), backgroundAtRest]), DRAIN_TIMEOUT_MS)) {
    log.warn({ timeoutMs: DRAIN_TIMEOUT_MS }, "requests or background work cut off");
  }
}

/** Asks the caller to close the connection, which the next request could find closed. */
async function answerLast(request: Request, info: Deno.ServeHandlerInfo, app: App): Promise<Response> {
  const { body, status, headers } = await app.fetch(request, info);
  const response = new Response(body, { status, headers });
  response.headers.set("Connection", "close");
  return response;
}

function listen(config: Config, log: Logger, handler: Deno.ServeHandler<Deno.NetAddr>): Listener {
  try {
    return keepListening({ hostname: config.host, port: config.port }, handler, log);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new OperatorError(
        `port ${config.port} is taken: stop what listens there, or choose another with PORT`,
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`cannot listen on HOST ${config.host}, PORT ${config.port}: ${reason}`);
  }
}

/** Requires an admin token or an identity provider: otherwise nobody could administer the service. */
function requireAdmins({ tokens, openId, jwt }: Config): void {
  if (openId !== null || jwt !== null || tokens.some(({ role }) => role === "admin")) return;
  throw new OperatorError(
    "ADMIN_TOKENS is missing: make a token with `deno task token NAME admin`, or name a provider with AUTH_ISSUER",
  );
}

/** Returns a host that a browser can open, also for "all addresses". */
function displayHost(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
