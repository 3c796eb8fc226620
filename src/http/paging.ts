import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Problem } from "./problems.ts";
import { invalidRequest } from "./validation.ts";

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
const LONG_ROWS_AT_ONCE = 100;
const MOST_BYTES_OF_LONG_ROWS = 1_000_000;

/** The query parameters of every list. */
export const PAGE_QUERY = {
  limit: z.string().regex(/^\d{1,4}$/, "Must be a whole number.").default(String(DEFAULT_LIMIT))
    .transform(Number).refine(
      (limit) => limit >= 1 && limit <= MAX_LIMIT,
      `Must be from 1 to ${MAX_LIMIT}.`,
    )
    .openapi({
      description: "Rows per page.",
      type: "integer",
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
      example: DEFAULT_LIMIT,
    }),
  cursor: z.string().optional().openapi({
    description: "`next` of the previous page, unchanged. Without it the list starts at the beginning.",
  }),
};

const VERSION = 1;
const KEY_BYTES = 16;
const DIGEST_BYTES = 16;
// 33 bytes are exactly 44 characters of base64url. There are no unused bits, so every changed character is noticed.
const CURSOR = /^[A-Za-z0-9_-]{44}$/;

/**
 * Writes the place in a list after the row with this id. The cursor is bound to its list and filter by a
 * digest, so that an altered, shortened or misplaced one is refused. The digest has no key on purpose: a forged
 * cursor only starts a list that the caller may read at another id. Without a key, cursors stay valid across
 * replicas, restarts and changes of tokens.
 * @param list names the list with all its filters, such as `clients/<trainer id>/active`.
 */
export function writeCursor(list: string, id: string): string {
  const key = Buffer.from(id.replaceAll("-", ""), "hex");
  return Buffer.concat([Uint8Array.of(VERSION), key, digest(list, id)]).toString("base64url");
}

/**
 * Reads the id after which the list goes on; undefined at its start.
 * @throws {Problem} `invalid_cursor` when {@link writeCursor} has not made it for this very list.
 */
export function readCursor(list: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  if (CURSOR.test(cursor)) {
    const bytes = Buffer.from(cursor, "base64url");
    const id = toUuid(bytes.toString("hex", 1, 1 + KEY_BYTES));
    if (bytes[0] === VERSION && digest(list, id).equals(bytes.subarray(1 + KEY_BYTES))) return id;
  }
  throw new Problem(
    "invalid_cursor",
    "The cursor must be `next` of the same list with the same filters, unchanged.",
  );
}

/**
 * Reads one page: asks for one row more than wanted, to know whether there is a next page without another query.
 * Sets `Link: <…>; rel="next"` where there is one.
 * @param options.rowsAreLong a row may have many kilobytes: the page ends before its rows exceed 1 MB, but has at least one
 */
export async function readPage<Row>(
  c: Context,
  { list, limit, cursor, read, idOf, rowsAreLong = false }: {
    list: string;
    limit: number;
    cursor: string | undefined;
    read: (page: { limit: number; after: string | undefined }) => Promise<Row[]>;
    idOf: (row: Row) => string;
    rowsAreLong?: boolean;
  },
): Promise<{ rows: Row[]; next: string | null }> {
  const atOnce = rowsAreLong ? LONG_ROWS_AT_ONCE : Infinity;
  const rows: Row[] = [];
  let bytes = 0;
  for (let after = readCursor(list, cursor);;) {
    const wanted = Math.min(limit + 1 - rows.length, atOnce);
    const part = await read({ limit: wanted, after });
    for (const row of part) {
      if (rowsAreLong) bytes += Buffer.byteLength(JSON.stringify(row));
      const last = rows.at(-1);
      if (last !== undefined && (rows.length === limit || bytes > MOST_BYTES_OF_LONG_ROWS)) {
        const next = writeCursor(list, idOf(last));
        c.header("Link", `<${nextPath(c.req.url, next)}>; rel="next"`);
        return { rows, next };
      }
      rows.push(row);
      after = idOf(row);
    }
    if (part.length < wanted) return { rows, next: null };
  }
}

/**
 * Refuses `limit` and `cursor` where the whole list is downloaded, rather than ignoring them.
 * @throws {Problem} `invalid_request`
 */
export function refusePaging(c: Context): void {
  const given = ["limit", "cursor"].filter((name) => c.req.query(name) !== undefined);
  if (given.length === 0) return;
  throw invalidRequest(
    given.map((name) => ({
      pointer: `/query/${name}`,
      detail: "Not allowed in a download, which contains the whole list.",
    })),
  );
}

function nextPath(url: string, cursor: string): string {
  const next = new URL(url);
  next.searchParams.set("cursor", cursor);
  return next.pathname + next.search;
}

function digest(list: string, id: string) {
  return hash("sha256", `cursor ${VERSION}\n${list}\n${id}`, "buffer").subarray(0, DIGEST_BYTES);
}

function toUuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
