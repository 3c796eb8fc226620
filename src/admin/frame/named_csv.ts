import type { Context } from "hono";
import { byId, findMembers, listReadableFields } from "../../assignments/member_lookup.ts";
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
  const addNames = async (rows: Row[]) => {
    const members = await findMembers(services, [...new Set(rows.map((row) => String(row[idColumn])))]);
    const known = byId(members);
    return rows.map((row) => {
      const member = known.get(String(row[idColumn]));
      return { memberName: member?.name, memberEmail: member?.email, ...row };
    });
  };
  return await streamRows(c.env.request, {
    chunks: mapChunks(chunks, fields.length === 0 ? (rows) => rows : addNames, lastRow),
    format: spreadsheetCsv([idColumn, ...fields.map((field) => NAME_COLUMNS[field]), ...others]),
    filename,
    takeSlot,
    log: services.log,
  });
}

async function* mapChunks<Row>(
  chunks: AsyncIterable<Row[]>,
  map: (chunk: Row[]) => Row[] | Promise<Row[]>,
  lastRow: Row | undefined,
): AsyncGenerator<Row[]> {
  for await (const chunk of chunks) yield await map(chunk);
  if (lastRow !== undefined) yield [lastRow];
}
