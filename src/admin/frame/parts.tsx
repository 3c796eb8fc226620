import type { Child } from "hono/jsx";
import { isTime, OUT_OF_RANGE } from "../../times.ts";
import type { RunStatus } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "./paths.ts";
import { formatTime, reasonInWords, STATUS_TONES, STATUS_WORDS } from "./wording.ts";

export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

/** A state in a word, its colour beside it. */
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

/** When an assignment ended; the time is missing where it was made inactive past this service. */
export function EndTime({ at }: { at: Date | null }) {
  return at === null ? <>ended</> : <Time at={at} />;
}

/** A figure with what it counts. */
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

/** A member: their name where there is one, their id in any case. */
export function MemberLink({ id, member, to = "member" }: {
  id: string;
  member?: Member | undefined;
  to?: "member" | "trainer";
}) {
  const name = member?.displayName || member?.email;
  return (
    <a class="person" href={paths[to](id)}>
      {name && <bdi class="name">{name}</bdi>}
      {name && " "}
      <code class="id">{id}</code>
    </a>
  );
}

/** Shows text from elsewhere unchanged; a long one scrolls, also by keyboard. */
export function Message({ text }: { text: string }) {
  const mayScroll = text.length > 150 || text.includes("\n");
  return <bdi class="message" tabindex={mayScroll ? 0 : undefined}>{text}</bdi>;
}

/** Says why the database refused: in our words, by its code, then in its own words. */
export function Reason({ sqlstate, message }: { sqlstate: string; message: string }) {
  return (
    <div>
      {reasonInWords(sqlstate)} <code>{sqlstate}</code>
      <Message text={message} />
    </div>
  );
}

/** Takes the place of an empty list, and says what to do. */
export function Empty({ children }: { children?: Child }) {
  return <p class="empty">{children}</p>;
}

/** Leads to the next page of a list. */
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

/** A column of a list: its title, and what it says of a row. */
export interface Column<Row> {
  title: string;
  isNumber?: boolean;
  cell: (row: Row) => Child;
}

/**
 * A list. Where it is wider than the screen it scrolls by itself, reachable by keyboard; on a phone each row is a card. The
 * roles are what the elements have by nature, and lose when they are laid out as cards.
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
