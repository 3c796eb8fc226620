import { splitHosts } from "./driver/hosts.ts";

/** A database's address, or why it is refused. The reason quotes no part of the address. */
export type DatabaseUrl =
  | { url: string; /** Parameters without effect, each with what to use instead. */ ignored: string[] }
  | { problem: string };

const RIGHT_FORM = "postgres://user:password@host:port/database";

const NOT_ENCODED = "the user name or the password is not percent-encoded: " +
  "write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25, or give the password as DATABASE_PASSWORD";

/** Formats of other clients. */
const FOREIGN: readonly [pattern: RegExp, whose: string][] = [
  [/^jdbc:/i, "JDBC"],
  [/^ecto:/i, "Ecto"],
  [/^postgres(?:ql)?\+\w+:/i, "SQLAlchemy"],
  [/^(?:postgis|pgsql|psql|postgresql_psycopg2):/i, "another client"],
  [/^\w+\s*=/, "libpq's keywords"],
];

/** Parameters of other clients, and settings that the service sets itself. */
const IGNORED = new Map([
  ...because(
    "DATABASE_POOL_SIZE sets the number of connections",
    "connection_limit pool_size pool_timeout max",
  ),
  ...because("the schemas are public and assignment", "schema currentschema"),
  ...because(
    "the service names its connections",
    "application_name applicationname fallback_application_name",
  ),
  ...because("TLS alone says who the server is: see DATABASE_CA_FILE", "channel_binding"),
  ...because(
    "the service sets it",
    "datestyle timezone intervalstyle client_encoding standard_conforming_strings extra_float_digits " +
      "statement_timeout lock_timeout transaction_timeout idle_session_timeout " +
      "idle_in_transaction_session_timeout default_transaction_isolation",
  ),
  ...because(
    "it means nothing here",
    "gssencmode krbsrvname gsslib gssdelegation keepalives keepalives_idle keepalives_interval " +
      "keepalives_count tcp_user_timeout load_balance_hosts sslcompression sslsni sslaccept sslcertmode " +
      "ssl_min_protocol_version uselibpqcompat binary_parameters statement_cache_size preparethreshold " +
      "rewritebatchedinserts stringtype socket_timeout sockettimeout supa",
  ),
]);

function because(reason: string, names: string): [name: string, reason: string][] {
  return names.split(" ").map((name) => [name, reason]);
}

/** Unsupported parameters that must not be ignored: the connection would not be the requested one. */
const REFUSED: Readonly<Record<string, string>> = {
  sslcert: "client certificates are not supported: remove it, and sign in with a password",
  sslkey: "client certificates are not supported: remove it, and sign in with a password",
  sslidentity: "client certificates are not supported: remove it, and sign in with a password",
  sslcrl: "lists of revoked certificates are not supported: remove it",
  sslnegotiation: "only the usual negotiation is supported: remove it",
  require_auth: "it is not supported: remove it",
  requirepeer: "it is not supported: remove it",
  hostaddr: "it is not supported: write the address as the host",
  service: "libpq's service files are not read: write host, user and database",
  passfile: "libpq's password files are not read: write the password, or give it as DATABASE_PASSWORD",
};

const CLIENT_CERTIFICATES = ["sslcert", "sslkey", "sslidentity"];
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/** Other clients' values for the same modes. */
const SSL_SYNONYMS: Readonly<Record<string, string>> = {
  "no-verify": "require",
  true: "verify-full",
  "1": "verify-full",
  false: "disable",
  "0": "disable",
};

/**
 * Reads a database's address in the forms that providers hand out. Removes quotes and white space around it.
 * Accepts `host`, `port`, `user`, `password` and `dbname` as parameters. Translates, ignores or refuses
 * parameters of other clients.
 */
export function readDatabaseUrl(given: string): DatabaseUrl {
  const text = given.trim().replace(/^(["'])(.*)\1$/s, "$2").trim();
  const foreign = FOREIGN.find(([pattern]) => pattern.test(text));
  if (foreign !== undefined) return { problem: `is written for ${foreign[1]}: write ${RIGHT_FORM}` };
  const [, scheme, authority, path, query] =
    /^(postgres(?:ql)?:\/\/)([^/?#]*)([^?#]*)(?:\?([^#]*))?$/is.exec(text) ?? [];
  if (scheme === undefined && /^postgres(ql)?:\/\/.+#/is.test(text)) return { problem: NOT_ENCODED };
  if (scheme === undefined || authority === undefined || path === undefined) {
    return { problem: `must be ${RIGHT_FORM}` };
  }
  if (authority.split("@").length > 2 || `${path}${query ?? ""}`.includes("@")) {
    return { problem: NOT_ENCODED };
  }
  const [userInfo, hosts] = authority.includes("@") ? authority.split("@") : ["", authority];
  if (userInfo === undefined || hosts === undefined || !isDecodable(userInfo)) {
    return { problem: NOT_ENCODED };
  }
  const parameters = readParameters(query ?? "");
  if ("problem" in parameters) return parameters;
  const address = joinAddress({ userInfo, hosts, path }, parameters.kept);
  if (address.startsWith(":") || address.startsWith("@")) {
    return { problem: `names no user: write ${RIGHT_FORM}` };
  }
  const kept = String(parameters.kept);
  const rest = kept === String(new URLSearchParams(query)) ? query ?? "" : kept;
  const url = `${scheme.toLowerCase()}${address}${rest === "" ? "" : `?${rest}`}`;
  return splitHosts(url) === null
    ? { problem: `must be ${RIGHT_FORM}` }
    : { url, ignored: parameters.ignored };
}

/** Puts a password into an address that has none. */
export function withPassword(url: string, password: string | undefined): string {
  if (password === undefined || hasPassword(url)) return url;
  return url.replace(
    /^(postgres(?:ql)?:\/\/[^:@/]*):?@/i,
    (_, head) => `${head}:${encodeURIComponent(password)}@`,
  );
}

/** Tells whether an address has a password. */
export function hasPassword(url: string): boolean {
  return /^postgres(?:ql)?:\/\/[^:@/]*:[^@]/i.test(url);
}

function readParameters(query: string): { kept: URLSearchParams; ignored: string[] } | { problem: string } {
  const kept = new URLSearchParams();
  const ignored: string[] = [];
  const given = [...new URLSearchParams(query)];
  const sslMode = readSslMode(given);
  if (sslMode === null) return { problem: `sslmode must be ${SSL_MODES.join(", ")} or no-verify` };
  if (sslMode !== undefined) kept.set("sslmode", sslMode);
  for (const [written, value] of given) {
    const name = written.toLowerCase();
    const isUseless = CLIENT_CERTIFICATES.includes(name) && sslMode === "disable";
    if (name === "sslmode" || name === "ssl") continue;
    if (isUseless) ignored.push(`${name} (there is no TLS)`);
    else if (Object.hasOwn(REFUSED, name)) return { problem: `${name}: ${REFUSED[name]}` };
    else if (name === "gssencmode" && value === "require") {
      return { problem: "gssencmode=require: GSSAPI is not supported: remove it, and use sslmode" };
    } else if (IGNORED.has(name)) ignored.push(`${name} (${IGNORED.get(name)})`);
    else if (name === "pgbouncer") {
      if (value === "true") kept.set("prepare", "false");
    } else if (name === "options") {
      const others = value.replace(/(^|\s)endpoint=\S+/g, "").trim();
      if (others !== value.trim()) ignored.push("options=endpoint=… (TLS names the host)");
      if (others !== "") kept.set("options", others);
    } else kept.append(written, value);
  }
  return { kept, ignored };
}

/** Reads the TLS mode; undefined if none is given, null if it is invalid. */
function readSslMode(given: readonly (readonly [string, string])[]): string | undefined | null {
  const said = new Map(given.map(([name, value]) => [name.toLowerCase(), value]));
  const mode = said.get("sslmode") ?? said.get("ssl");
  if (mode === undefined) return undefined;
  const known = Object.hasOwn(SSL_SYNONYMS, mode) ? SSL_SYNONYMS[mode] ?? mode : mode;
  return SSL_MODES.includes(known) ? known : null;
}

/** Builds the address from its parts and from the parameters, which take precedence as in libpq. */
function joinAddress(
  { userInfo, hosts, path }: { userInfo: string; hosts: string; path: string },
  parameters: URLSearchParams,
): string {
  const take = (name: string) => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === null ? undefined : encodeURIComponent(value);
  };
  const [user, host, port, password, database] = ["user", "host", "port", "password", "dbname"].map(take);
  const [, ownUser = "", ownPassword] = /^([^:]*)(?::(.*))?$/s.exec(userInfo) ?? [];
  const secret = password ?? ownPassword;
  const signIn = `${user ?? ownUser}${secret === undefined ? "" : `:${secret}`}`;
  const [, ownHost = "", ownPort] = /^(.*?)(?::(\d*))?$/s.exec(hosts) ?? [];
  const place = host === undefined && port === undefined
    ? hosts
    : `${host ?? ownHost}${port || ownPort ? `:${port ?? ownPort}` : ""}`;
  return `${signIn}@${place}${database === undefined ? path : `/${database}`}`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
