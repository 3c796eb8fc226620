import { z } from "zod";
import { databaseUrl } from "../database/database_variables.ts";
import { splitHosts } from "../database/driver/hosts.ts";
import { countDefaultLanes } from "./lanes.ts";
import { isCronPattern, isOrigin, isSecureUrl, splitList, wholeNumber } from "./formats.ts";
import { jsonPointers, memberHookProvider, memberHookSecrets } from "./member_hook.ts";
import { memberColumn } from "./member_columns.ts";
import { tokens } from "./tokens.ts";
import { webhookKeys } from "./webhook_keys.ts";

/** An environment variable: its parser and its documentation. */
export interface Variable {
  schema: z.ZodType;
  /** The default, in words for the README. */
  preset: string;
  /** The purpose, in words for the README. */
  what: string;
  /** In Kubernetes it comes from a Secret, else from the ConfigMap. */
  isSecret?: true;
  /** Why compose.yaml, the manifests and the chart do not name it. */
  notDeployed?: string;
}

/**
 * All settings, in the README's order. `deno task settings` writes the README's table, the permissions, compose.yaml
 * and the names that the Helm chart accepts from them, and compares the Kubernetes manifest and the chart's values.
 */
export const VARIABLES = {
  DATABASE_URL: {
    schema: databaseUrl().optional(),
    preset: "none: a PostgreSQL of its own in `.data/`",
    what: "`postgres://user:password@host:port/database?sslmode=…`; several hosts as `one:5432,two:5432`",
    isSecret: true,
  },
  DATABASE_PASSWORD: {
    schema: z.string().optional(),
    preset: "none",
    what: "the password, as it is, where the URL has none: in a URL it must be percent-encoded",
    isSecret: true,
  },
  DATABASE_CA_FILE: {
    schema: z.string().optional(),
    preset: "none",
    what: "a CA's PEM file: TLS verified by chain and host name, whatever the URL's `sslmode` says",
    notDeployed: "it names a file that somebody has to bring",
  },
  DATABASE_READ_URL: {
    schema: databaseUrl().refine(
      ({ url }) => splitHosts(url)?.length === 1 && !/[?&]target_session_attrs=/.test(url),
      "must be postgres://user:password@host:port/database, of one server",
    ).optional(),
    preset: "none",
    what: "a streaming replica for checks and lists; the primary serves them while it is away or too old",
    isSecret: true,
  },
  DATABASE_READ_MAX_LAG_MS: {
    schema: wholeNumber(500, 86_400_000, 5_000),
    preset: "5000",
    what: "how old their answers may be then; without a replica they are fresh",
  },
  DATABASE_POOL_SIZE: {
    schema: wholeNumber(2, 1000, 10),
    preset: "10",
    what: "connections for requests, 2 to 1,000, of each process; `BACKFILL_LANES` + 5 more for its own work",
  },
  HOST: {
    schema: z.string().regex(/^[A-Za-z0-9.:-]+$/, "must be an address or host name to listen on").default(
      "127.0.0.1",
    ),
    preset: "127.0.0.1",
    what: "the address to listen on; `0.0.0.0` for all",
    notDeployed: "the image has it",
  },
  PORT: {
    schema: wholeNumber(0, 65535, 8000),
    preset: "8000",
    what: "the port to listen on; 0 lets the system choose",
    notDeployed: "the image has it",
  },
  ADMIN_TOKENS: {
    schema: tokens("admin"),
    preset: "none",
    what: "tokens with the role admin, `name=sha256hex,…` as `deno task token NAME admin` prints them",
    isSecret: true,
  },
  VIEWER_TOKENS: {
    schema: tokens("viewer"),
    preset: "none",
    what: "tokens with the role viewer (reads everything, changes nothing), likewise",
    isSecret: true,
  },
  SERVICE_TOKENS: {
    schema: tokens("service"),
    preset: "none",
    what: "tokens with the role service, likewise",
    isSecret: true,
  },
  AUTH_ISSUER: {
    schema: z.string().refine(isSecureUrl, "must be an https URL (http on this machine alone)").optional(),
    preset: "none",
    what: "an OpenID Connect provider, for the variables below",
  },
  AUTH_AUDIENCE: {
    schema: z.string().regex(/^\S{1,1000}$/, "must be one audience, without spaces").optional(),
    preset: "none",
    what: "takes JWT access tokens of that provider for this audience",
  },
  AUTH_CLIENT_ID: {
    schema: z.string().optional(),
    preset: "none",
    what: "signing in to the admin page through that provider; needs the secret",
  },
  AUTH_CLIENT_SECRET: {
    schema: z.string().min(16, "must have at least 16 characters").optional(),
    preset: "none",
    what: "the secret of that client",
    isSecret: true,
  },
  AUTH_ROLE_CLAIM: {
    schema: z.string().optional(),
    preset: "roles",
    what: "the claim with `admin`, `viewer` or `service`: its name, or a path such as `realm_access.roles`",
  },
  MEMBER_NAME_COLUMN: {
    schema: memberColumn(),
    preset: "none: `display_name`, if there is one",
    what: "the column of `members` with the name that lists, searches and downloads show; `off` for none",
  },
  MEMBER_EMAIL_COLUMN: {
    schema: memberColumn(),
    preset: "none: `email`, if there is one",
    what: "the column of `members` with the e-mail address, likewise",
  },
  MEMBER_HOOK_SECRETS: {
    schema: memberHookSecrets(),
    preset: "none: no events are taken",
    what: "secrets of an identity provider's [events](docs/webhooks.md#events-in), separated by commas",
    isSecret: true,
  },
  MEMBER_HOOK_PROVIDER: {
    schema: memberHookProvider(),
    preset: "standard",
    what: "whose events: `standard`, `clerk`, `supabase-auth`, `supabase-database`, `workos` or `keycloak`",
  },
  MEMBER_HOOK_TYPES: {
    schema: z.string().default("").transform(splitList),
    preset: "none: that of the provider",
    what: "the types of events that say that a member was created, separated by commas",
  },
  MEMBER_HOOK_ID: {
    schema: jsonPointers().refine((pointers) => pointers?.length !== 0, "must not be off"),
    preset: "none: that of the provider",
    what:
      "where an event has the member's id: JSON pointers, separated by commas; the first that leads to something",
  },
  MEMBER_HOOK_EMAIL: {
    schema: jsonPointers(),
    preset: "none: that of the provider",
    what: "where it has the e-mail address, likewise; `off`: the column is not filled",
  },
  MEMBER_HOOK_NAME: {
    schema: jsonPointers(),
    preset: "none: that of the provider",
    what: "where it has the name, likewise; several are joined by spaces",
  },
  MEMBER_HOOK_NAMESPACE: {
    schema: z.guid("must be a UUID").optional(),
    preset: "none: a fixed one",
    what: "ids that are not UUIDs become UUIDs version 5 of this namespace",
  },
  CORS_ORIGINS: {
    schema: z.string().default("").transform(splitList)
      .refine(
        (origins) => origins.every(isOrigin),
        "must be origins such as https://app.example, without a path",
      ),
    preset: "none",
    what: "origins whose pages may call the API with a token, separated by commas; none: no CORS",
  },
  WEBHOOK_KEY: {
    schema: webhookKeys(),
    preset: "none",
    what:
      "seals webhooks' secrets, as `deno task token --webhook-key` prints it; `new,former` while it rotates",
    isSecret: true,
  },
  WEBHOOK_ALLOW_PRIVATE: {
    schema: z.enum(["true", "false"], "must be true or false").default("false").transform((text) =>
      text === "true"
    ),
    preset: "false",
    what: "true: webhooks may go to private and loopback addresses, and by http",
  },
  RATE_LIMIT_PER_MINUTE: {
    schema: wholeNumber(0, 10_000_000, 0),
    preset: "0",
    what: "requests a minute of each token to a process, beyond which it gets 429; 0: no limit",
  },
  REQUEST_TIMEOUT_MS: {
    schema: wholeNumber(1000, 600_000, 30_000),
    preset: "30000",
    what: "until an answer must have begun; then it is 504",
  },
  TRUSTED_PROXIES: {
    schema: wholeNumber(0, 10, 0),
    preset: "0",
    what: "proxies in front, whose `X-Forwarded-For` is believed for the sign-in limit",
  },
  BACKFILL_LANES: {
    schema: wholeNumber(1, 16, countDefaultLanes()),
    preset: "processors minus one, at least 1",
    what:
      "parts of the members that a process backfills at once, 1 to 16; by default as if beside its database",
  },
  BACKFILL_MAX_REPLICA_LAG_MS: {
    schema: wholeNumber(0, 86_400_000, 10_000),
    preset: "10000",
    what: "a run waits while a replica of the database lags more",
  },
  BACKFILL_REST_RATIO: {
    schema: z.string().regex(/^\d+(\.\d+)?$/, "must be a number from 0 to 100").default("0")
      .transform(Number).refine((ratio) => ratio <= 100, "must be a number from 0 to 100"),
    preset: "0",
    what: "rest after each batch, in parts of its time",
  },
  RECONCILE_CRON: {
    schema: z.string().refine(isCronPattern, "must be a cron pattern such as 17 3 * * *, or off")
      .default("17 3 * * *"),
    preset: "`17 3 * * *`",
    what: "when to start a run by itself, in UTC; `off` for never",
  },
  SHUTDOWN_DELAY_MS: {
    schema: wholeNumber(0, 60_000, 0),
    preset: "0",
    what: "how long it goes on answering after SIGTERM, not ready, until balancers have noticed",
  },
  LOG_LEVEL: {
    schema: z.enum(["debug", "info", "warn", "error"], "must be debug, info, warn or error").default("info"),
    preset: "info",
    what: "debug, info, warn or error",
  },
} as const satisfies Record<string, Variable>;

type Schemas = { [Name in keyof typeof VARIABLES]: typeof VARIABLES[Name]["schema"] };

/** The schemas by name, for one parse of all. */
export const SCHEMAS = Object.fromEntries(
  Object.entries(VARIABLES).map(([name, { schema }]) => [name, schema]),
) as Schemas; // fromEntries forgets which name has which
