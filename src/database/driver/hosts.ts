/**
 * Replaces the driver's own choice among several hosts, which retries without pause or end while none of them
 * answers, and rejects no query.
 * @module
 */
import { inTime } from "../../deadline.ts";
import type { Sql } from "../sql.ts";

const PROBE_TIMEOUT_MS = 3_000;

/** The values of `target_session_attrs` that allow writes. */
const TARGETS = [null, "primary", "read-write"];

/**
 * Splits a database URL with several hosts, `postgres://user@one:5432,two:5432/database`, into one URL per
 * host, in the same order. Returns null for a malformed URL, and for one that asks for a standby.
 */
export function splitHosts(databaseUrl: string): string[] | null {
  const [, head, hosts, tail] = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]+)(.*)$/s.exec(databaseUrl) ??
    [];
  if (head === undefined || hosts === undefined || tail === undefined) return null;
  const urls = hosts.split(",").map((host) => URL.parse(head + host + tail));
  const isGood = urls.every((url) =>
    url !== null && url.hostname !== "" && isDecodable(url) &&
    TARGETS.includes(url.searchParams.get("target_session_attrs"))
  );
  return isGood ? urls.flatMap((url) => url ? [withoutTarget(url)] : []) : null;
}

/** Returns the folder of the socket file if the URL has one as its host (`%2Frun%2Fpostgresql`); else null. */
export function socketFolder(databaseUrl: string): string | null {
  const folder = decodeURIComponent(new URL(databaseUrl).hostname);
  return folder.startsWith("/") ? folder : null;
}

/** The driver throws at a stray percent sign, for example in a password. */
function isDecodable({ username, password, hostname, pathname }: URL): boolean {
  try {
    decodeURIComponent(username + password + hostname + pathname);
    return true;
  } catch {
    return false;
  }
}

/** Tells whether the URL names several hosts, or asks for one that takes writes. */
export function mustFindWritable(databaseUrl: string): boolean {
  return (splitHosts(databaseUrl) ?? []).length > 1 || /[?&]target_session_attrs=/.test(databaseUrl);
}

/**
 * Makes a function that finds the server that takes writes. It tries the one found last, then the others in the
 * URL's order, as libpq does. Concurrent callers share one search. It rejects when no server takes writes,
 * after at most three seconds per server.
 * @param open opens one connection to one server
 */
export function findWritable(urls: readonly string[], open: (url: string) => Sql): () => Promise<string> {
  let candidates = urls;
  let underWay: Promise<string> | undefined;
  return () => underWay ??= find().finally(() => underWay = undefined);

  async function find(): Promise<string> {
    let reason: unknown;
    for (const url of candidates) {
      try {
        if (await takesWrites(open(url))) {
          candidates = [url, ...urls.filter((other) => other !== url)];
          return url;
        }
        reason = failure("25006", "the servers that answer are standbys");
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }
}

async function takesWrites(sql: Sql): Promise<boolean> {
  const look = async () => {
    const [row] = await sql<[{ takesWrites: boolean }]>`
      select current_setting('transaction_read_only') = 'off' as takes_writes
    `;
    return row.takesWrites;
  };
  try {
    return await inTime(look(), PROBE_TIMEOUT_MS, noAnswer);
  } finally {
    await sql.end({ timeout: 0 });
  }
}

function noAnswer(): Error {
  return failure("CONNECT_TIMEOUT", "a server does not answer");
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The driver would act on this parameter, and dbmate would send it to the server. */
function withoutTarget(url: URL): string {
  url.searchParams.delete("target_session_attrs");
  return url.href;
}
