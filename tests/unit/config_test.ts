import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ConfigError, parseConfig } from "../../src/config.ts";
import { countDefaultLanes } from "../../src/config/lanes.ts";
import { DEFAULT_MEMBER_COLUMNS } from "../../src/config/member_columns.ts";

const hash = "ab".repeat(32);
const otherHash = "cd".repeat(32);
const webhookKey = new Uint8Array(32).fill(1).toBase64();
const formerWebhookKey = new Uint8Array(32).fill(2).toBase64();

describe("configuration", () => {
  it("is complete without variables", () => {
    assertEquals(parseConfig({}), {
      host: "127.0.0.1",
      port: 8000,
      databaseUrl: null,
      databaseReadUrl: null,
      databaseReadMaxLagMs: 5000,
      databasePoolSize: 10,
      tokens: [],
      openId: null,
      jwt: null,
      memberColumns: DEFAULT_MEMBER_COLUMNS,
      memberHook: null,
      corsOrigins: [],
      webhookKeys: [],
      webhookAllowPrivate: false,
      rateLimitPerMinute: 0,
      requestTimeoutMs: 30_000,
      trustedProxies: 0,
      backfillLanes: countDefaultLanes(),
      backfillMaxReplicaLagMs: 10_000,
      backfillRestRatio: 0,
      reconcileCron: "17 3 * * *",
      shutdownDelayMs: 0,
      logLevel: "info",
      warnings: [],
    });
  });

  it("leaves a processor to others: a lane for each but one, 1 to 16", () => {
    assertEquals([1, 2, 3, 8, 17, 64].map(countDefaultLanes), [1, 1, 2, 7, 16, 16]);
  });

  it("treats an empty variable as absent", () => {
    assertEquals(
      parseConfig({ PORT: "", DATABASE_READ_URL: "", ADMIN_TOKENS: "", LOG_LEVEL: "" }),
      parseConfig({}),
    );
  });

  it("reads every variable", () => {
    const config = parseConfig({
      HOST: "0.0.0.0",
      PORT: "80",
      DATABASE_URL: "postgresql://user:password@db.example:5433/app?sslmode=require",
      DATABASE_READ_URL: "postgres://user:password@replica.example/app",
      DATABASE_READ_MAX_LAG_MS: "1500",
      DATABASE_POOL_SIZE: "20",
      ADMIN_TOKENS: `ops=${hash}`,
      VIEWER_TOKENS: `board=${"c".repeat(64)}`,
      SERVICE_TOKENS: ` orders=${otherHash.toUpperCase()} , `,
      AUTH_ISSUER: "https://id.example/realms/staff",
      AUTH_AUDIENCE: "https://trainers.example",
      AUTH_CLIENT_ID: "trainer-assignment",
      AUTH_CLIENT_SECRET: "a secret of the provider",
      AUTH_ROLE_CLAIM: "realm_access.roles",
      MEMBER_NAME_COLUMN: "full name",
      MEMBER_EMAIL_COLUMN: "off",
      MEMBER_HOOK_SECRETS: "a secret of the provider",
      MEMBER_HOOK_PROVIDER: "workos",
      MEMBER_HOOK_TYPES: "user.created, dsync.user.created",
      MEMBER_HOOK_EMAIL: "off",
      MEMBER_HOOK_NAME: "/data/given_name",
      MEMBER_HOOK_NAMESPACE: "0195D3A1-6c1e-7b52-9c0a-5f1d2e3c4b5a",
      CORS_ORIGINS: "https://app.example, http://localhost:5173",
      WEBHOOK_KEY: `${webhookKey}, ${formerWebhookKey}`,
      WEBHOOK_ALLOW_PRIVATE: "true",
      RATE_LIMIT_PER_MINUTE: "6000",
      REQUEST_TIMEOUT_MS: "5000",
      TRUSTED_PROXIES: "1",
      BACKFILL_LANES: "4",
      BACKFILL_MAX_REPLICA_LAG_MS: "500",
      BACKFILL_REST_RATIO: "0.5",
      RECONCILE_CRON: "off",
      SHUTDOWN_DELAY_MS: "5000",
      LOG_LEVEL: "warn",
    });
    assertEquals(config, {
      host: "0.0.0.0",
      port: 80,
      databaseUrl: "postgresql://user:password@db.example:5433/app?sslmode=require",
      databaseReadUrl: "postgres://user:password@replica.example/app",
      databaseReadMaxLagMs: 1500,
      databasePoolSize: 20,
      tokens: [
        { name: "ops", role: "admin", sha256: Uint8Array.fromHex(hash) },
        { name: "board", role: "viewer", sha256: Uint8Array.fromHex("c".repeat(64)) },
        { name: "orders", role: "service", sha256: Uint8Array.fromHex(otherHash) },
      ],
      openId: {
        issuer: "https://id.example/realms/staff",
        clientId: "trainer-assignment",
        clientSecret: "a secret of the provider",
        roleClaim: "realm_access.roles",
      },
      jwt: {
        issuer: "https://id.example/realms/staff",
        audience: "https://trainers.example",
        roleClaim: "realm_access.roles",
      },
      memberColumns: {
        name: { column: "full name", isRequired: true },
        email: null,
      },
      memberHook: {
        provider: "workos",
        secrets: ["a secret of the provider"],
        scheme: "workos",
        eventId: ["/id"],
        type: "/event",
        types: ["user.created", "dsync.user.created"],
        id: ["/data/id"],
        idOfType: {},
        email: [],
        name: ["/data/given_name"],
        namespace: "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a",
      },
      corsOrigins: ["https://app.example", "http://localhost:5173"],
      webhookKeys: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
      webhookAllowPrivate: true,
      rateLimitPerMinute: 6000,
      requestTimeoutMs: 5000,
      trustedProxies: 1,
      backfillLanes: 4,
      backfillMaxReplicaLagMs: 500,
      backfillRestRatio: 0.5,
      reconcileCron: null,
      shutdownDelayMs: 5000,
      logLevel: "warn",
      warnings: [],
    });
  });

  it("cannot be changed", () => {
    const config = parseConfig({});
    assert(Object.isFrozen(config) && Object.isFrozen(config.tokens));
  });

  it("accepts a database with several hosts", () => {
    const url = "postgres://user:p%40ss,word@one:5432,[::1]:5433,two/app?target_session_attrs=read-write";
    assertEquals(parseConfig({ DATABASE_URL: url }).databaseUrl, url);
  });

  it("verifies the database against a CA file, whatever the URL says of TLS", () => {
    const verified = (url: string) =>
      parseConfig({ DATABASE_URL: url, DATABASE_CA_FILE: "./certs/ca.pem" }).databaseUrl;
    const tls = "sslmode=verify-full&sslrootcert=.%2Fcerts%2Fca.pem";
    assertEquals(verified("postgres://u@one/app"), `postgres://u@one/app?${tls}`);
    assertEquals(
      verified("postgres://u@one,two/app?sslmode=disable&prepare=false&sslrootcert=other"),
      `postgres://u@one,two/app?prepare=false&${tls}`,
    );
    assertEquals(
      parseConfig({
        DATABASE_URL: "postgres://u@one/app",
        DATABASE_READ_URL: "postgres://u@two/app?sslmode=disable",
        DATABASE_CA_FILE: "./certs/ca.pem",
      }).databaseReadUrl,
      `postgres://u@two/app?${tls}`,
    );
    const error = assertThrows(() => parseConfig({ DATABASE_CA_FILE: "./certs/ca.pem" }), ConfigError);
    assertEquals(error.problems, [
      "DATABASE_CA_FILE: needs DATABASE_URL: it says whose certificate is verified",
    ]);
  });

  it("accepts a read replica beside a primary", () => {
    const problemsOf = (environment: Record<string, string>) =>
      assertThrows(() => parseConfig(environment), ConfigError).problems;
    const DATABASE_URL = "postgres://u@one/app";
    for (
      const url of [
        "db",
        "postgres://u@two,three/app",
        "postgres://u@two/app?target_session_attrs=read-write",
      ]
    ) {
      const [problem = "", ...others] = problemsOf({ DATABASE_URL, DATABASE_READ_URL: url });
      assert(
        problem.startsWith("DATABASE_READ_URL: must be postgres://user:password@host:port/database"),
        problem,
      );
      assertEquals(others, []);
    }
    assertEquals(problemsOf({ DATABASE_READ_URL: "postgres://u@two/app" }), [
      "DATABASE_READ_URL: needs DATABASE_URL: the primary that it is a replica of",
    ]);
  });

  const wrong: [name: string, values: string[]][] = [
    ["HOST", ["two words", "http://host"]],
    ["PORT", ["x", "-1", "65536", "80.5", "1e3", " 80"]],
    ["DATABASE_URL", [
      "db",
      "mysql://db/app",
      "postgres://",
      "postgres:///app",
      "postgres://u@one:5432,/app",
      "postgres://user:50%off@one/app",
      "postgres://u@one:5432,two:port/app",
      "postgres://u@one,two/app?target_session_attrs=standby",
    ]],
    ["DATABASE_READ_MAX_LAG_MS", ["0", "499", "86400001", "5s"]],
    ["DATABASE_POOL_SIZE", ["1", "1001"]],
    ["ADMIN_TOKENS", [
      "ops",
      `=${hash}`,
      `ops=${hash.slice(1)}`,
      `ops=${hash}0`,
      `an na=${hash}`,
      `${"a".repeat(65)}=${hash}`,
    ]],
    ["VIEWER_TOKENS", ["board"]],
    ["SERVICE_TOKENS", [`orders:${hash}`]],
    ["CORS_ORIGINS", [
      "*",
      "null",
      "app.example",
      "https://app.example/",
      "https://app.example:443",
      "https://APP.example",
      "https://*.example",
      "ftp://app.example",
    ]],
    ["WEBHOOK_KEY", [
      "a key",
      webhookKey.slice(4),
      `${webhookKey.slice(0, -2)}B=`,
      webhookKey.replace("=", ""),
      `${webhookKey},${webhookKey}`,
      `${webhookKey};${formerWebhookKey}`,
    ]],
    ["WEBHOOK_ALLOW_PRIVATE", ["yes", "TRUE", "1"]],
    ["RATE_LIMIT_PER_MINUTE", ["-1", "1.5", "10000001", "100/s"]],
    ["REQUEST_TIMEOUT_MS", ["0", "999", "600001", "30s"]],
    ["BACKFILL_LANES", ["0", "17"]],
    ["BACKFILL_MAX_REPLICA_LAG_MS", ["-1", "999999999"]],
    ["BACKFILL_REST_RATIO", ["-1", "101", "half", "NaN"]],
    ["RECONCILE_CRON", ["daily", "99 3 * * *", "0 0 30 2 *"]],
    ["SHUTDOWN_DELAY_MS", ["-1", "60001"]],
    ["LOG_LEVEL", ["trace", "INFO"]],
  ];
  for (const [name, values] of wrong) {
    it(`refuses a wrong ${name} by name`, () => {
      for (const value of values) {
        const error = assertThrows(() => parseConfig({ [name]: value }), ConfigError);
        assertEquals(error.problems.length, 1, value);
        assert(error.message.startsWith(`${name}: `), error.message);
      }
    });
  }

  it("refuses a column's name that PostgreSQL would cut", () => {
    for (const name of ["n".repeat(64), "ë".repeat(32)]) {
      const error = assertThrows(() => parseConfig({ MEMBER_NAME_COLUMN: name }), ConfigError);
      assert(error.message.startsWith("MEMBER_NAME_COLUMN: must be the name of a column"), error.message);
    }
  });

  it("lists all problems at once, and no value", () => {
    const environment = Object.fromEntries(wrong.map(([name]) => [name, "hunter2 ."]));
    const error = assertThrows(() => parseConfig(environment), ConfigError);
    assertEquals(
      error.problems.map((problem) => problem.split(":")[0]).sort(),
      wrong.map(([name]) => name).sort(),
    );
    assert(!error.message.includes("hunter2"));
  });
});
