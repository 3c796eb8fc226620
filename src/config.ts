import { Cron } from "croner";
import { z } from "zod";
import { hasPassword } from "./database/database_url.ts";
import { completeUrl, databaseUrl, findMissingUrl, findWarnings } from "./database/database_variables.ts";
import { splitHosts } from "./database/driver/hosts.ts";
import { OperatorError } from "./errors.ts";

/** A bearer token that a caller may present, known by its hash alone. */
export interface Token {
  /** What records name: who started, paused, changed. */
  name: string;
  /** `admin` may do all that `service` may. */
  role: "admin" | "service";
  sha256: Uint8Array;
}

/** The OpenID Connect provider through which admins may sign in to the page. */
export interface OpenIdConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** The claim that must be, or hold, `admin`; a path such as `realm_access.roles` reaches inside of claims. */
  roleClaim: string;
}

/** Which JWTs are taken as bearer tokens: those of this provider, for this audience. */
export interface JwtConfig {
  issuer: string;
  audience: string;
  /** The claim that must be, or hold, `admin` or `service`; a path as in {@link OpenIdConfig}. */
  roleClaim: string;
}

/** What the environment says, read once. The table of variables is in the README. */
export type Config = Readonly<{
  /** The address to listen on; by default this machine alone can connect. A container needs HOST=0.0.0.0. */
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /** With DATABASE_PASSWORD, and DATABASE_CA_FILE as its `sslrootcert`. null: the service brings a database of its own. */
  databaseUrl: string | null;
  /** A streaming replica for checks and lists, likewise; null for none. */
  databaseReadUrl: string | null;
  /** How old what is read there may be. */
  databaseReadMaxLagMs: number;
  /** Connections for requests, and as many for reads from the replica. */
  databasePoolSize: number;
  tokens: readonly Token[];
  /** null: admins sign in with a token alone. */
  openId: OpenIdConfig | null;
  /** null: callers present configured tokens alone. */
  jwt: JwtConfig | null;
  /** The origins whose pages may call the API with a token. */
  corsOrigins: readonly string[];
  /** How many requests a minute each token may make of a replica; 0 for no limit. */
  rateLimitPerMinute: number;
  /** How long a request may take until its answer begins. */
  requestTimeoutMs: number;
  /** How many proxies in front are believed about the caller's address. */
  trustedProxies: number;
  backfillLanes: number;
  backfillMaxReplicaLagMs: number;
  backfillRestRatio: number;
  /** A cron pattern in UTC; null for none. */
  reconcileCron: string | null;
  /** How long it goes on answering after it was told to stop. */
  shutdownDelayMs: number;
  logLevel: "debug" | "info" | "warn" | "error";
  /** What was given and has no effect, or not the one that may be expected. */
  warnings: readonly string[];
}>;

/** Every problem of a configuration at once. Names variables, never their values. */
export class ConfigError extends OperatorError {
  override name = "ConfigError";

  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** Parses the environment; an empty variable counts as absent, but for an empty DATABASE_URL. @throws {ConfigError} */
export function parseConfig(environment: Record<string, string>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = variables.safeParse(given);
  const problems = [
    ...findMissingUrl(environment),
    ...(result.error?.issues ?? []).map(({ path, message }) => `${String(path[0])}: ${message}`),
  ];
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  const { data } = result;
  return Object.freeze({
    host: data.HOST,
    port: data.PORT,
    databaseUrl: completeUrl(data.DATABASE_URL?.url, data),
    databaseReadUrl: completeUrl(data.DATABASE_READ_URL?.url, data),
    databaseReadMaxLagMs: data.DATABASE_READ_MAX_LAG_MS,
    databasePoolSize: data.DATABASE_POOL_SIZE,
    tokens: Object.freeze(allTokens(data)),
    openId: openIdConfig(data),
    jwt: jwtConfig(data),
    corsOrigins: Object.freeze(data.CORS_ORIGINS),
    rateLimitPerMinute: data.RATE_LIMIT_PER_MINUTE,
    requestTimeoutMs: data.REQUEST_TIMEOUT_MS,
    trustedProxies: data.TRUSTED_PROXIES,
    backfillLanes: data.BACKFILL_LANES,
    backfillMaxReplicaLagMs: data.BACKFILL_MAX_REPLICA_LAG_MS,
    backfillRestRatio: data.BACKFILL_REST_RATIO,
    reconcileCron: data.RECONCILE_CRON === "off" ? null : data.RECONCILE_CRON,
    shutdownDelayMs: data.SHUTDOWN_DELAY_MS,
    logLevel: data.LOG_LEVEL,
    warnings: Object.freeze(findWarnings(given, data)),
  });
}

const variables = z.object({
  PORT: wholeNumber(0, 65535, 8000),
  HOST: z.string().regex(/^[A-Za-z0-9.:-]+$/, "must be an address or host name to listen on").default(
    "127.0.0.1",
  ),
  DATABASE_URL: databaseUrl().optional(),
  DATABASE_PASSWORD: z.string().optional(),
  DATABASE_CA_FILE: z.string().optional(),
  DATABASE_READ_URL: databaseUrl().refine(
    ({ url }) => splitHosts(url)?.length === 1 && !/[?&]target_session_attrs=/.test(url),
    "must be postgres://user:password@host:port/database, of one server",
  ).optional(),
  DATABASE_READ_MAX_LAG_MS: wholeNumber(500, 86_400_000, 5_000),
  DATABASE_POOL_SIZE: wholeNumber(2, 1000, 10),
  ADMIN_TOKENS: tokens("admin"),
  SERVICE_TOKENS: tokens("service"),
  AUTH_ISSUER: z.string().refine(isSecureUrl, "must be an https URL (http on this machine alone)").optional(),
  AUTH_AUDIENCE: z.string().regex(/^\S{1,1000}$/, "must be one audience, without spaces").optional(),
  AUTH_CLIENT_ID: z.string().optional(),
  AUTH_CLIENT_SECRET: z.string().min(16, "must have at least 16 characters").optional(),
  AUTH_ROLE_CLAIM: z.string().optional(),
  CORS_ORIGINS: z.string().default("").transform(splitList)
    .refine(
      (origins) => origins.every(isOrigin),
      "must be origins such as https://app.example, without a path",
    ),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 10_000_000, 0),
  REQUEST_TIMEOUT_MS: wholeNumber(1000, 600_000, 30_000),
  TRUSTED_PROXIES: wholeNumber(0, 10, 0),
  BACKFILL_LANES: wholeNumber(1, 16, 2),
  BACKFILL_MAX_REPLICA_LAG_MS: wholeNumber(0, 86_400_000, 10_000),
  BACKFILL_REST_RATIO: z.string().regex(/^\d+(\.\d+)?$/, "must be a number from 0 to 100").default("0")
    .transform(Number).refine((ratio) => ratio <= 100, "must be a number from 0 to 100"),
  RECONCILE_CRON: z.string().refine(isCronPattern, "must be a cron pattern such as 17 3 * * *, or off")
    .default("17 3 * * *"),
  SHUTDOWN_DELAY_MS: wholeNumber(0, 60_000, 0),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error").default("info"),
})
  .refine((data) => !hasDuplicates(allTokens(data).map(({ name }) => name)), {
    path: ["ADMIN_TOKENS, SERVICE_TOKENS"],
    message: "two tokens have the same name",
    when: areWellFormed("_TOKENS"),
  })
  .refine((data) => !hasDuplicates(allTokens(data).map(({ sha256 }) => sha256.toHex())), {
    path: ["ADMIN_TOKENS, SERVICE_TOKENS"],
    message: "the same token is given twice",
    when: areWellFormed("_TOKENS"),
  })
  .refine((data) => data.DATABASE_CA_FILE === undefined || data.DATABASE_URL !== undefined, {
    path: ["DATABASE_CA_FILE"],
    message: "needs DATABASE_URL: it says whose certificate is verified",
    when: () => true,
  })
  .refine((data) => data.DATABASE_PASSWORD === undefined || data.DATABASE_URL !== undefined, {
    path: ["DATABASE_PASSWORD"],
    message: "needs DATABASE_URL: it says whose password this is",
    when: areWellFormed("_URL"),
  })
  .refine((data) => data.DATABASE_PASSWORD === undefined || !hasPassword(data.DATABASE_URL?.url ?? ""), {
    path: ["DATABASE_PASSWORD"],
    message: "DATABASE_URL has a password as well: keep one of the two",
    when: areWellFormed("_URL"),
  })
  .refine((data) => data.DATABASE_READ_URL === undefined || data.DATABASE_URL !== undefined, {
    path: ["DATABASE_READ_URL"],
    message: "needs DATABASE_URL: the primary that it is a replica of",
    when: () => true,
  })
  .refine((data) => (data.AUTH_CLIENT_ID === undefined) === (data.AUTH_CLIENT_SECRET === undefined), {
    path: ["AUTH_CLIENT_ID, AUTH_CLIENT_SECRET"],
    message: "set both, or none",
    when: () => true,
  })
  .refine((data) => data.AUTH_ISSUER !== undefined || dependsOnIssuer(data).length === 0, {
    path: ["AUTH_ISSUER"],
    message: "is missing: the other variables of AUTH_ say what to do with that provider",
    when: () => true,
  })
  .refine((data) => data.AUTH_ISSUER === undefined || isProviderUsed(data), {
    path: ["AUTH_ISSUER"],
    message: "needs AUTH_AUDIENCE (to take JWTs of the provider), " +
      "or AUTH_CLIENT_ID and AUTH_CLIENT_SECRET (to sign in to the admin page), or all three",
    when: () => true,
  });

type AuthVariables = Partial<
  Record<
    "AUTH_ISSUER" | "AUTH_AUDIENCE" | "AUTH_CLIENT_ID" | "AUTH_CLIENT_SECRET" | "AUTH_ROLE_CLAIM",
    string | undefined
  >
>;

const PRESET_ROLE_CLAIM = "roles";

function openIdConfig(data: AuthVariables): OpenIdConfig | null {
  const { AUTH_ISSUER: issuer, AUTH_CLIENT_ID: clientId, AUTH_CLIENT_SECRET: clientSecret } = data;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return null;
  return Object.freeze({
    issuer,
    clientId,
    clientSecret,
    roleClaim: data.AUTH_ROLE_CLAIM ?? PRESET_ROLE_CLAIM,
  });
}

function jwtConfig(
  { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, ...data }: AuthVariables,
): JwtConfig | null {
  if (issuer === undefined || audience === undefined) return null;
  return Object.freeze({ issuer, audience, roleClaim: data.AUTH_ROLE_CLAIM ?? PRESET_ROLE_CLAIM });
}

function dependsOnIssuer(data: AuthVariables): string[] {
  const { AUTH_AUDIENCE, AUTH_CLIENT_ID, AUTH_CLIENT_SECRET, AUTH_ROLE_CLAIM } = data;
  return [AUTH_AUDIENCE, AUTH_CLIENT_ID, AUTH_CLIENT_SECRET, AUTH_ROLE_CLAIM].filter((value) =>
    value !== undefined
  );
}

function isProviderUsed(data: AuthVariables): boolean {
  return [data.AUTH_AUDIENCE, data.AUTH_CLIENT_ID, data.AUTH_CLIENT_SECRET].some((value) =>
    value !== undefined
  );
}

/** OpenID Connect asks for https; a provider on this machine may do without. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text);
  const isLoopback = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url?.protocol === "https:" || (isLoopback && url.protocol === "http:");
}

function allTokens(data: { ADMIN_TOKENS: Token[]; SERVICE_TOKENS: Token[] }): Token[] {
  return [...data.ADMIN_TOKENS, ...data.SERVICE_TOKENS];
}

/** By default zod would look at several variables only once every other one is right. */
function areWellFormed(ending: "_TOKENS" | "_URL") {
  return ({ issues }: z.core.ParsePayload) => !issues.some(({ path }) => String(path?.[0]).endsWith(ending));
}

function wholeNumber(least: number, most: number, preset: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.string().regex(/^\d{1,9}$/, message).default(String(preset)).transform(Number)
    .refine((number) => number >= least && number <= most, message);
}

function tokens(role: Token["role"]) {
  return z.string().default("").transform((text, context): Token[] =>
    splitList(text).flatMap((entry, index) => {
      const [, name, sha256] = /^([A-Za-z0-9._-]{1,64})=([0-9a-fA-F]{64})$/.exec(entry) ?? [];
      if (name !== undefined && sha256 !== undefined) {
        return [{ name, role, sha256: Uint8Array.fromHex(sha256) }];
      }
      context.addIssue({
        code: "custom",
        message: `entry ${index + 1} must be name=sha256 (make one: deno task token NAME ${role})`,
      });
      return [];
    })
  );
}

function splitList(text: string): string[] {
  return text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

/** Exactly as browsers write it: lower-case, without a path, without a port that goes without saying. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ["https:", "http:"].includes(url.protocol) && url.origin === text &&
    !text.includes("*");
}

function isCronPattern(text: string): boolean {
  if (text === "off") return true;
  try {
    return new Cron(text, { paused: true, timezone: "UTC" }).nextRun() !== null;
  } catch {
    return false;
  }
}

function hasDuplicates(items: string[]): boolean {
  return new Set(items).size < items.length;
}
