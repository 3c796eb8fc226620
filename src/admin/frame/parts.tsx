import type { Child } from "hono/jsx";
import type { RunStatus } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "./paths.ts";
import { formatTime, STATUS_TONES, STATUS_WORDS } from "./wording.ts";

export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

/** A state in a word, its colour beside it. */
export function Badge({ tone, children }: { tone: Tone; children?: Child }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function StatusBadge({ status }: { status: RunStatus }) {
  return <Badge tone={STATUS_TONES[status]}>{STATUS_WORDS[status]}</Badge>;
}

export function Time({ at }: { at: Date }) {
  return <time datetime={at.toISOString()}>{formatTime(at)}</time>;
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

/** Text from elsewhere, whatever it holds, as it is; a long one scrolls by itself, also by keyboard. */
export function Message({ text }: { text: string }) {
  const mayScroll = text.length > 150 || text.includes("\n");
  return <bdi class="message" tabindex={mayScroll ? 0 : undefined}>{text}</bdi>;
}

/** What there is instead of a list's rows, and what to do about it. */
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

/** A list that scrolls by itself where it is wider than the screen, reachable by keyboard. */
export function Table({ label, head, numbers = [], children }: {
  label: string;
  head: string[];
  /** The titles of the last columns, which hold numbers. */
  numbers?: string[];
  children?: Child;
}) {
  return (
    <div class="table" role="region" aria-label={`List: ${label}`} tabindex={0}>
      <table>
        <thead>
          <tr>
            {head.map((title) => <th key={title} scope="col">{title}</th>)}
            {numbers.map((title) => <th key={title} scope="col" class="number">{title}</th>)}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
