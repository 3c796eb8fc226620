import postgres from "postgres";
import { parse as parseArray } from "postgres-array";
import { findWritable, mustFindWritable, splitHosts } from "./driver/hosts.ts";
import { watchForDeadConnections } from "./driver/dead_connections.ts";
import { countStatements, waitForQuietTurn } from "./driver/quiet_turn.ts";
import { socketMaker } from "./driver/sockets.ts";
import { readTls, type Tls, withoutTls } from "./driver/tls.ts";
import { surviveLostConnections } from "./driver/lost_connections.ts";
import { disablePipelining } from "./driver/pipelining.ts";
import type { Sql } from "./sql.ts";
import { parseTime } from "../times.ts";

export interface DatabaseOptions {
  /** The most connections that are open at once. */
  max: number;
  /** What `pg_stat_activity` shows, so that an operator can tell the connections apart. */
  applicationName: string;
  /** Never closes a connection for being idle or old: for one that holds a lock. */
  staysOpen?: boolean;
  /** Called for each connection that closes. */
  onClose?: () => void;
  /** Settings of each connection, such as `{ statement_timeout: 5000 }`. Poolers refuse most of them. */
  settings?: Record<string, string | number>;
  /**
   * Closes a connection that has waited this long for an answer, unless the server, asked over another connection, is
   * still working. By default never.
   */
  suspectAfterMs?: number;
  /** Closes a connection that has waited this long in any case: no statement may take longer. */
  longestStatementMs?: number;
}

/** How long a pool waits for an answer before it suspects a dead connection. */
export const SUSPECT_AFTER_MS = 5_000;

const CONNECT_TIMEOUT_MS = 10_000;
/** The same when another host can be tried. */
const CONNECT_TO_ONE_TIMEOUT_MS = 3_000;
const PROBE_SUSPECT_AFTER_MS = 3_000;

/** Session settings that every pooler passes on. `session_settings.ts` has the others. */
const PASSED_ON = { DateStyle: "ISO, MDY", TimeZone: "UTC", standard_conforming_strings: "on" };

/**
 * Opens a pool of connections. It connects at the first query, and reconnects by itself.
 *
 * - Columns are camelCase in results (`client_id` → `clientId`), also inside json, and snake_case in statements.
 * - Pass arrays of strings and numbers with a cast: `${ids}::uuid[]`. Pass booleans and dates, whose type the
 *   driver would guess by the first item, as `sql.array(items, 1000)` and `sql.array(items, 1185)` (see
 *   `ARRAY_TYPES`).
 * - {@link readTls} decides the encryption.
 * - A connection that breaks rejects its statement or transaction, and is replaced.
 * - A pooler in transaction mode needs `prepare=false` in the URL.
 * - With several hosts, `one:5432,two:5432`, each new connection goes to the one that takes writes.
 *
 * @param url `postgres://user:password@host:port/database?options`
 * @throws {OperatorError} when the file of `sslrootcert` cannot be read
 */
export function openDatabase(url: string, options: DatabaseOptions): Sql {
  const tls = readTls(url);
  if (!mustFindWritable(url)) return open(url, options, tls);
  const urls = splitHosts(url) ?? [];
  return open(urls[0] ?? url, options, tls, findWritable(urls, (each) => openProbe(each, tls)));
}

/**
 * Returns the URL of the one server that takes writes if the URL names several hosts or asks for one; else the
 * URL.
 */
export async function resolveDatabaseUrl(url: string): Promise<string> {
  if (!mustFindWritable(url)) return url;
  const tls = readTls(url);
  return await findWritable(splitHosts(url) ?? [], (each) => openProbe(each, tls))();
}

function openProbe(url: string, tls: Tls | null): Sql {
  const bounds = { suspectAfterMs: PROBE_SUSPECT_AFTER_MS, longestStatementMs: PROBE_SUSPECT_AFTER_MS };
  return open(url, { max: 1, applicationName: "trainer-assignment probe", ...bounds }, tls);
}

/** @param findUrl finds the server for each new connection; by default it is the URL's */
function open(url: string, options: DatabaseOptions, tls: Tls | null, findUrl?: () => Promise<string>): Sql {
  const { applicationName, suspectAfterMs, longestStatementMs: longestMs = Infinity } = options;
  const connectTimeoutMs = readConnectTimeout(url);
  const find = findUrl ?? (() => Promise.resolve(url));
  const isAtWork = async (forMs: number) =>
    await isServerAtWork(openProbe(await find(), tls), applicationName, forMs);
  let countBegun = () => 0;
  const socket = socketMaker(find, {
    whenNothingWaits: waitForQuietTurn(() => countBegun()),
    connectTimeoutMs: findUrl ? CONNECT_TO_ONE_TIMEOUT_MS : connectTimeoutMs,
    tls,
    watch: suspectAfterMs === undefined
      ? () => {}
      : watchForDeadConnections({ suspectAfterMs, longestMs, isAtWork }),
  });
  const sql = surviveLostConnections(postgres(withoutTls(url), {
    max: options.max,
    connect_timeout: connectTimeoutMs / 1000,
    backoff: () => 0.5, // seconds; the driver's own grows to 20, and queries wait meanwhile
    idle_timeout: options.staysOpen ? 0 : 300,
    ...(options.staysOpen ? { max_lifetime: null } : {}),
    connection: { application_name: applicationName, ...PASSED_ON, ...options.settings },
    transform: postgres.camel,
    onnotice: () => {},
    ...(options.onClose === undefined ? {} : { onclose: options.onClose }),
    fetch_types: false,
    types: {
      time: { to: 1184, from: [1184], serialize: serializeTime, parse: parseTime },
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
      ...ARRAY_TYPES,
    },
    ...{ socket }, // the driver's types do not know it
    ssl: false, // the socket is encrypted already
  }));
  countBegun = countStatements(sql);
  return isPooled(url) ? disablePipelining(sql) : sql;
}

/** Reads the connection time-out as libpq does. libpq's 0 means no limit; here there always is one. */
function readConnectTimeout(url: string): number {
  const [, seconds = "0"] = /[?&]connect_timeout=(\d{1,4})(?:&|$)/.exec(url) ?? [];
  return Number(seconds) * 1000 || CONNECT_TIMEOUT_MS;
}

/** Tells whether the URL forbids prepared statements, as for a pooler. */
export function isPooled(url: string): boolean {
  return /[?&]prepare=false\b/.test(url);
}

/**
 * Tells whether the server has worked on a statement of this application for at least this long. A statement
 * that waits for its client to read the answer does not count.
 * @param probe is closed at the end
 * @throws when the server cannot say
 */
async function isServerAtWork(probe: Sql, applicationName: string, forMs: number): Promise<boolean> {
  try {
    const [row] = await probe<[{ isAtWork: boolean; isKnown: boolean }]>`
      select
        coalesce(bool_or(application_name = ${applicationName} and state = 'active'
          and wait_event_type is distinct from 'Client'
          and query_start <= clock_timestamp() - ${forMs} * interval '1 millisecond'), false) as is_at_work,
        bool_or(pid = pg_backend_pid() and state = 'active') as is_known
      from pg_catalog.pg_stat_activity
      where datname = current_database()
    `;
    if (!row.isKnown) throw new Error("the server does not track what its sessions do");
    return row.isAtWork;
  } finally {
    await closeDatabase(probe, 0);
  }
}

/** Closes the pool when its queries have ended, at the latest at the deadline. */
export async function closeDatabase(sql: Sql, timeoutSeconds = 5): Promise<void> {
  await sql.end({ timeout: timeoutSeconds });
}

/**
 * The array types in use, by their fixed object ids. Replaces the driver's query for them on every new
 * connection, whose failure is an unhandled rejection and ends the process.
 */
const ARRAY_TYPES = Object.fromEntries([
  { oid: 1000, parse: (text: string) => text === "t" }, // bool
  { oid: 1007, parse: Number }, // int4
  { oid: 1016, parse: Number }, // int8
  { oid: 1022, parse: Number }, // float8
  { oid: 1009, parse: String }, // text
  { oid: 2951, parse: String }, // uuid
  { oid: 1185, parse: parseTime }, // timestamptz
].map(({ oid, parse }) => [
  `array_${oid}`,
  {
    to: oid,
    from: [oid],
    serialize: serializeArray,
    parse: (text: string) => parseArray<unknown>(text, parse),
  },
]));

function serializeTime(time: Date | string): string {
  return time instanceof Date ? time.toISOString() : time;
}

function serializeArray(value: unknown): string {
  if (!Array.isArray(value)) return String(value); // a literal such as '{1,2}'
  const items = value.map((item) => {
    if (item === null || item === undefined) return "null";
    const text = item instanceof Date ? item.toISOString() : String(item);
    return `"${/["\\]/.test(text) ? text.replaceAll(/["\\]/g, "\\$&") : text}"`;
  });
  return `{${items.join(",")}}`;
}
