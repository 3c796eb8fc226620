import { z } from "zod";
import { AUDIT_ACTIONS, type AuditFilter } from "../../history/audit_lines.ts";
import { Day, readId } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { cleanSearch } from "../picker/read_pick.ts";

export const MAX_NAME_LENGTH = 320;
const DAY_MS = 24 * 60 * 60 * 1000;
const LAST_DAY = "9999-12-31";

const Text = z.string().transform(cleanSearch).transform((text) => text || undefined).optional();
const AskedDay = Day.optional().catch(undefined);
const Id = z.string().transform((text) => readId(text)).optional();

/** What the address of the history asks for. Whatever is no filter is left out. */
const Asked = z.object({
  actor: Text,
  action: z.enum(AUDIT_ACTIONS).optional().catch(undefined),
  subject: Text,
  memberId: Id,
  trainerId: Id,
  /** The first day. */
  from: AskedDay,
  /** The last day. */
  to: AskedDay,
});

export type AskedHistory = z.infer<typeof Asked>;

/** Reads the filters of an address. */
export function readAsked(query: Record<string, string>): AskedHistory {
  return Asked.parse(query);
}

/** Tells whether a field has a day that there is not: without it, other lines would be shown than were asked for. */
export function namesNoDay({ from = "", to = "" }: Record<string, string>): boolean {
  return [from, to].some((text) => text !== "" && !Day.safeParse(text).success);
}

/** Makes the filter of the lines. Days are UTC, and the last one is included. */
export function filterOf({ from, to, ...asked }: AskedHistory): AuditFilter {
  return {
    ...asked,
    from: from === undefined ? undefined : new Date(from),
    // No later day can be written, and none is needed.
    to: to === undefined || to === LAST_DAY ? undefined : new Date(new Date(to).getTime() + DAY_MS),
  };
}

/** Writes the address of a part of the history, or of its download. */
export function historyPath(asked: Partial<AskedHistory>, path: string = paths.history): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
