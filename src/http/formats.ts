import { stringify } from "csv-stringify/sync";
import { isTime } from "../times.ts";

/** A format of downloads, written chunk by chunk. A chunk is an array of rows by default. */
export interface ExportFormat<Chunk = object[]> {
  contentType: string;
  extension: string;
  head: string;
  write(chunk: Chunk): string | Uint8Array;
}

/** One JSON object per line. */
export const NDJSON = {
  contentType: "application/x-ndjson",
  extension: "ndjson",
  head: "",
  write: (rows) => rows.map((row) => JSON.stringify(row) + "\n").join(""),
} satisfies ExportFormat;

/**
 * CSV by RFC 4180: a header line, CRLF, quotes where they are needed; UTF-8 without a byte order mark. Text
 * that a spreadsheet would run as a formula (it begins with = + - @ or a tab) is given a leading apostrophe, as
 * OWASP advises: https://owasp.org/www-community/attacks/CSV_Injection. NDJSON carries the same text untouched.
 */
function csv(columns: readonly string[]): ExportFormat {
  const options = {
    columns: [...columns],
    record_delimiter: "\r\n",
    quote_record_delimiter: true,
    escape_formulas: true,
    cast: { date: (date: Date) => isTime(date) ? date.toISOString() : "" },
  };
  return {
    contentType: "text/csv; charset=utf-8; header=present",
    extension: "csv",
    head: stringify([[...columns]], options),
    write: (rows) => stringify(rows, options),
  };
}

/**
 * The same CSV with a byte order mark, without which spreadsheets do not read it as UTF-8.
 * For downloads of the admin page alone: programs would read the mark as part of the first column's name.
 */
export function spreadsheetCsv(columns: readonly string[]): ExportFormat {
  const format = csv(columns);
  return { ...format, head: `\ufeff${format.head}` };
}

/** The media types in which a whole list can be downloaded, beside JSON pages. */
export const LIST_TYPES = ["application/json", "application/x-ndjson", "text/csv"] as const;

/** Finds the format for one of {@link LIST_TYPES}; undefined for JSON, which is paged. */
export function exportFormat(
  type: (typeof LIST_TYPES)[number],
  columns: readonly string[],
): ExportFormat | undefined {
  if (type === "text/csv") return csv(columns);
  return type === "application/x-ndjson" ? NDJSON : undefined;
}
