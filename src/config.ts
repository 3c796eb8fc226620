import { z } from "zod";
import {
  haveFormOfProvider,
  type MemberHook,
  memberHook,
  type MemberHookVariables,
} from "./config/member_hook.ts";
import { askedColumns, type MemberColumns } from "./config/member_columns.ts";
import type { Token } from "./config/tokens.ts";
import { SCHEMAS } from "./config/variables.ts";
import { hasPassword } from "./database/database_url.ts";
import { completeUrl, findMissingUrl, findWarnings } from "./database/database_variables.ts";
import { OperatorError } from "./errors.ts";

export type { Token } from "./config/tokens.ts";

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

/** What the environment says, read once. The variables are in config/variables.ts. */
export type Config = Readonly<{
  /** The address to listen on; by default this machine alone can connect. A container needs HOST=0.0.0.0. */
  host: string;
  /** 0 lets the system choose. */
  port: number;
  /**
   * With DATABASE_PASSWORD, and DATABASE_CA_FILE as its `sslrootcert`. null: the service brings a database of
   * its own.
   */
  databaseUrl: string | null;
  /** A streaming replica for checks and lists, likewise; null for none. */
  databaseReadUrl: string | null;
  /** The highest accepted lag of the replica. */
  databaseReadMaxLagMs: number;
  /** Connections for requests, and as many for reads from the replica. */
  databasePoolSize: number;
  tokens: readonly Token[];
  /** null: admins sign in with a token alone. */
  openId: OpenIdConfig | null;
  /** null: callers present configured tokens alone. */
  jwt: JwtConfig | null;
  /** Where names and e-mails of members are. */
  memberColumns: MemberColumns;
  /** How events of an identity provider are verified and read; null: they are refused. */
  memberHook: MemberHook | null;
  /** The origins whose pages may call the API with a token. */
  corsOrigins: readonly string[];
  /** What seals the secrets of webhook endpoints: the first key; all of them open. Empty: no endpoints. */
  webhookKeys: readonly Uint8Array[];
  /** Webhooks may go to private and loopback addresses, and by http. */
  webhookAllowPrivate: boolean;
  /** How many requests a minute each token may make of a replica; 0 for no limit. */
  rateLimitPerMinute: number;
  /** How long a request may take until its answer begins. */
  requestTimeoutMs: number;
  /** The number of trusted proxies in front, for the caller's address. */
  trustedProxies: number;
  backfillLanes: number;
  backfillMaxReplicaLagMs: number;
  backfillRestRatio: number;
  /** A cron pattern in UTC; null for none. */
  reconcileCron: string | null;
  /** How long it keeps answering after the signal to stop. */
  shutdownDelayMs: number;
  logLevel: "debug" | "info" | "warn" | "error";
  /** Warnings about settings without effect, or with an unexpected one. */
  warnings: readonly string[];
}>;

/** Every problem of a configuration at once. Names variables, never their values. */
export class ConfigError extends OperatorError {
  override name = "ConfigError";

  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/**
 * Parses the environment. An empty variable counts as absent, except for DATABASE_URL.
 * @throws {ConfigError}
 */
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
    memberColumns: askedColumns(data.MEMBER_NAME_COLUMN, data.MEMBER_EMAIL_COLUMN),
    memberHook: memberHook(data),
    corsOrigins: Object.freeze(data.CORS_ORIGINS),
    webhookKeys: data.WEBHOOK_KEY,
    webhookAllowPrivate: data.WEBHOOK_ALLOW_PRIVATE,
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

const variables = z.object(SCHEMAS)
  .refine((data) => !hasDuplicates(allTokens(data).map(({ name }) => name)), {
    path: ["ADMIN_TOKENS, VIEWER_TOKENS, SERVICE_TOKENS"],
    message: "two tokens have the same name",
    when: areWellFormed("_TOKENS"),
  })
  .refine((data) => !hasDuplicates(allTokens(data).map(({ sha256 }) => sha256.toHex())), {
    path: ["ADMIN_TOKENS, VIEWER_TOKENS, SERVICE_TOKENS"],
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
  .refine((data) => haveFormOfProvider(data.MEMBER_HOOK_SECRETS, data.MEMBER_HOOK_PROVIDER), {
    path: ["MEMBER_HOOK_SECRETS"],
    message: "must be whsec_… in base64, as this provider gives them",
    when: areWellFormed("_HOOK_SECRETS", "_HOOK_PROVIDER"),
  })
  .refine((data) => data.MEMBER_HOOK_SECRETS.length > 0 || !isHookDescribed(data), {
    path: ["MEMBER_HOOK_SECRETS"],
    message: "is missing: the other variables of MEMBER_HOOK_ say what to do with its events",
    when: areWellFormed("_HOOK_SECRETS", "_HOOK_PROVIDER"),
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

function isHookDescribed(data: MemberHookVariables): boolean {
  return data.MEMBER_HOOK_PROVIDER !== "standard" || data.MEMBER_HOOK_TYPES.length > 0 ||
    [data.MEMBER_HOOK_ID, data.MEMBER_HOOK_EMAIL, data.MEMBER_HOOK_NAME, data.MEMBER_HOOK_NAMESPACE].some(
      (value) => value !== undefined,
    );
}

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

function allTokens(
  data: Record<"ADMIN_TOKENS" | "VIEWER_TOKENS" | "SERVICE_TOKENS", Token[]>,
): Token[] {
  return [...data.ADMIN_TOKENS, ...data.VIEWER_TOKENS, ...data.SERVICE_TOKENS];
}

/** Lets a rule across variables run when those with these endings are valid. By default zod waits for all variables. */
function areWellFormed(...endings: string[]) {
  return ({ issues }: z.core.ParsePayload) =>
    !issues.some(({ path }) => endings.some((ending) => String(path?.[0]).endsWith(ending)));
}

function hasDuplicates(items: string[]): boolean {
  return new Set(items).size < items.length;
}
