import type { Child } from "hono/jsx";
import { isTime, OUT_OF_RANGE } from "../../times.ts";
import type { RunStatus } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "./paths.ts";
import { formatTime, reasonInWords, STATUS_TONES, STATUS_WORDS } from "./wording.ts";

export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

/** Shows a state as a word with a colour. */
export function Badge({ tone, children }: { tone: Tone; children?: Child }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function StatusBadge({ status }: { status: RunStatus }) {
  return <Badge tone={STATUS_TONES[status]}>{STATUS_WORDS[status]}</Badge>;
}

export function Time({ at }: { at: Date }) {
  if (!isTime(at)) {
    return <span title="The database has infinity, or a year outside 1 to 9999.">{OUT_OF_RANGE}</span>;
  }
  return <time datetime={at.toISOString()}>{formatTime(at)}</time>;
}

/** Shows when an assignment ended. The time is missing if another program made it inactive. */
export function EndTime({ at }: { at: Date | null }) {
  return at === null ? <>ended</> : <Time at={at} />;
}

/** Shows a figure and what it counts. */
export function Figure({ label, tone, note, children }: {
  label: string;
  tone?: Tone | undefined;
  note?: Child;
  children?: Child;
}) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd class="note">{note}</dd>}
    </div>
  );
}

/** Links to a member by name, if there is one, and id. */
export function MemberLink({ id, member, to = "member" }: {
  id: string;
  member?: Member | undefined;
  to?: "member" | "trainer";
}) {
  const name = member?.name || member?.email;
  return (
    <a class="person" href={paths[to](id)}>
      {name && <bdi class="name">{name}</bdi>}
      {name && " "}
      <code class="id">{id}</code>
    </a>
  );
}

/** Shows foreign text unchanged. Long text scrolls, by keyboard too. */
export function Message({ text }: { text: string }) {
  const mayScroll = text.length > 150 || text.includes("\n");
  return <bdi class="message" tabindex={mayScroll ? 0 : undefined}>{text}</bdi>;
}

/** Says why the database refused: the reason in plain words, the SQLSTATE, and the database's message. */
export function Reason({ sqlstate, message }: { sqlstate: string; message: string }) {
  return (
    <div>
      {reasonInWords(sqlstate)} <code>{sqlstate}</code>
      <Message text={message} />
    </div>
  );
}

/** Replaces an empty list, and says what to do. */
export function Empty({ children }: { children?: Child }) {
  return <p class="empty">{children}</p>;
}

/** Links to the next page of a list. */
export function NextPage({ path, next }: { path: string; next: string | null }) {
  if (next === null) return null;
  const url = new URL(path, "http://ours.invalid");
  url.searchParams.set("cursor", next);
  return (
    <nav class="paging" aria-label="Further pages">
      <a class="button" rel="next" href={url.pathname + url.search}>Next page</a>
    </nav>
  );
}

/** A column of a list: its title, and its cell for a row. */
export interface Column<Row> {
  title: string;
  isNumber?: boolean;
  cell: (row: Row) => Child;
}

/**
 * Shows a list as a table. One wider than the screen scrolls, by keyboard too; on a phone each row is a card.
 * The explicit roles repeat the implicit ones, which browsers drop for elements laid out as cards.
 */
export function Table<Row>({ label, columns, rows, keyOf }: {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
}) {
  const classOf = ({ isNumber = false }: Column<Row>) => isNumber ? "number" : undefined;
  return (
    <div class="table" role="region" aria-label={`List: ${label}`} tabindex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.title} scope="col" role="columnheader" class={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} data-key={keyOf(row)} role="row">
              {columns.map((column) => (
                <td key={column.title} role="cell" class={classOf(column)} data-title={column.title}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
