import type { Context } from "hono";
import { listReadableFields } from "../../assignments/member_lookup.ts";
import { streamNames } from "../../assignments/named_rows.ts";
import { spreadsheetCsv } from "../../http/formats.ts";
import type { Services } from "../../http/services.ts";
import type { TakeSlot } from "../../http/slots.ts";
import { streamRows } from "../../http/streaming.ts";
import type { PageEnv } from "../env.ts";

/** A list to download, with a member in each row. */
export interface NamedCsv<Row extends object> {
  chunks: AsyncIterable<Row[]>;
  /** The first column has the members' ids. Their names follow it. */
  columns: readonly [keyof Row & string, ...string[]];
  /** A last row that is not about a member, such as a remark. */
  lastRow?: Row | undefined;
  /** Without its extension. */
  filename: string;
  takeSlot: TakeSlot;
}

const NAME_COLUMNS = { name: "memberName", email: "memberEmail" };

/** Streams a list as CSV for a spreadsheet. Adds names and e-mails if the members table has them. */
export async function answerNamedCsv<Row extends object>(
  c: Context<PageEnv>,
  services: Services,
  { chunks, columns: [idColumn, ...others], lastRow, filename, takeSlot }: NamedCsv<Row>,
): Promise<Response> {
  const fields = await listReadableFields(services);
  return await streamRows(c.env.request, {
    chunks: withLastRow(fields.length === 0 ? chunks : streamNames(services, chunks, idColumn), lastRow),
    format: spreadsheetCsv([idColumn, ...fields.map((field) => NAME_COLUMNS[field]), ...others]),
    filename,
    takeSlot,
    log: services.log,
  });
}

async function* withLastRow(
  chunks: AsyncIterable<object[]>,
  lastRow: object | undefined,
): AsyncGenerator<object[]> {
  yield* chunks;
  if (lastRow !== undefined) yield [lastRow];
}
