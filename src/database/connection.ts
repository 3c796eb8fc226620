import postgres from "postgres";
import { connectToWritable, findWritable, mustFindWritable, splitHosts } from "./hosts.ts";
import { readTls, type VerifiedTls, withoutTls } from "./tls.ts";

/** The database handle that every function takes first. `bigint` columns arrive as numbers, `timestamptz` as Date. */
export type Sql = postgres.Sql<{ bigint: number }>;

export interface DatabaseOptions {
  /** The most connections that are open at once. */
  max: number;
  /** What `pg_stat_activity` shows, so that an operator can tell the connections apart. */
  applicationName: string;
  /** Never closes a connection for being idle or old: for one that holds a lock. */
  staysOpen?: boolean;
  /** What each connection sets when it begins, such as `{ statement_timeout: 5000 }`. Poolers refuse most of them. */
  settings?: Record<string, string | number>;
}

/**
 * Opens a pool of connections; connects at the first query, and again by itself after the server was away.
 *
 * - Results have camelCase columns (`client_id` → `clientId`), also inside of json; written identifiers go back to snake_case.
 * - Arrays of strings and numbers are passed plainly with a cast, `${ids}::uuid[]`; booleans and dates, whose type the
 *   driver guesses by the first item, as `sql.array(items, 1000)` and `sql.array(items, 1185)` (see `arrayTypes`).
 * - TLS verified, chain and host name, where the URL has an `sslrootcert`, which is read now. Else as its `sslmode` says; where it says nothing, none on this machine, else TLS where the server offers it.
 * - For a pooler in transaction mode add `prepare=false` to the URL.
 * - Of several hosts, `one:5432,two:5432`, each new connection goes to the one that takes writes.
 *
 * @param url `postgres://user:password@host:port/database?options`
 * @throws {OperatorError} when the file of `sslrootcert` cannot be read
 */
export function openDatabase(url: string, options: DatabaseOptions): Sql {
  const tls = readTls(url);
  if (!mustFindWritable(url)) return open(url, options, tls);
  const urls = splitHosts(url) ?? [];
  return open(urls[0] ?? url, options, tls, connectToWritable(findWritable(urls, probe(tls))));
}

/** Of a URL that names several hosts, or asks for one that takes writes: the URL of the one that does. */
export async function resolveDatabaseUrl(url: string): Promise<string> {
  return mustFindWritable(url) ? await findWritable(splitHosts(url) ?? [], probe(readTls(url)))() : url;
}

function probe(tls: VerifiedTls | null): (url: string) => Sql {
  return (url) => open(url, { max: 1, applicationName: "trainer-assignment probe" }, tls);
}

function open(
  url: string,
  options: DatabaseOptions,
  tls: VerifiedTls | null,
  socket?: ReturnType<typeof connectToWritable>,
): Sql {
  return postgres(tls === null ? url : withoutTls(url), {
    max: options.max,
    connect_timeout: 10,
    backoff: () => 0.5, // seconds; the driver's own grows to 20, and queries wait meanwhile
    idle_timeout: options.staysOpen ? 0 : 300,
    ...(options.staysOpen ? { max_lifetime: null } : {}),
    connection: { application_name: options.applicationName, ...options.settings },
    transform: postgres.camel,
    onnotice: () => {},
    fetch_types: false,
    types: {
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
      ...arrayTypes,
    },
    ...(socket === undefined ? {} : { socket }),
    ...(tls !== null ? { ssl: tls } : saysTls(url) || isLoopback(url) ? {} : { ssl: "prefer" }),
  });
}

/** Closes the pool once its queries have ended; after the deadline, without them. */
export async function closeDatabase(sql: Sql, timeoutSeconds = 5): Promise<void> {
  await sql.end({ timeout: timeoutSeconds });
}

/**
 * The array types in use, by their fixed object ids. The driver would ask the server for all of them on every new
 * connection, and a connection that breaks off during that question is an unhandled rejection, which ends the process.
 */
const arrayTypes = Object.fromEntries([
  { oid: 1000, parse: (text: string) => text === "t" }, // bool
  { oid: 1007, parse: Number }, // int4
  { oid: 1016, parse: Number }, // int8
  { oid: 1022, parse: Number }, // float8
  { oid: 1009, parse: String }, // text
  { oid: 2951, parse: String }, // uuid
  { oid: 1185, parse: (text: string) => new Date(text) }, // timestamptz
].map(({ oid, parse }) => [
  `array_${oid}`,
  {
    to: oid,
    from: [oid],
    serialize: serializeArray,
    parse: (text: string) => parseArray(text).map((item) => item === null ? null : parse(item)),
  },
]));

function serializeArray(value: unknown): string {
  if (!Array.isArray(value)) return String(value); // a literal such as '{1,2}'
  const items = value.map((item) => {
    if (item === null || item === undefined) return "null";
    const text = item instanceof Date ? item.toISOString() : String(item);
    return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, "\\$&") : text}"`;
  });
  return `{${items.join(",")}}`;
}

/** Reads a one-dimensional array as the server prints it. */
function parseArray(text: string): (string | null)[] {
  return Array.from(text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|[^,]+/gs), ([item, quoted]) => {
    if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, "$1");
    return item === "NULL" ? null : item;
  });
}

function saysTls(url: string): boolean {
  return /[?&](?:sslmode|ssl)=/.test(url);
}

function isLoopback(url: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname);
}
