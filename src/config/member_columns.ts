import { z } from "zod";

/** Which columns of members have the name and the e-mail; null: this is not to be read. */
export interface MemberColumns {
  name: AskedColumn | null;
  email: AskedColumn | null;
}

/** A column to read. */
export interface AskedColumn {
  column: string;
  /** True: it is a problem if there is no such column, or the service may not read it. */
  isRequired: boolean;
}

/** What is read unless something else is configured. */
export const DEFAULT_MEMBER_COLUMNS: MemberColumns = Object.freeze({
  name: Object.freeze({ column: "display_name", isRequired: false }),
  email: Object.freeze({ column: "email", isRequired: false }),
});

const MAX_BYTES = 63; // of a name in PostgreSQL

/** Parses the name of a column, or `off`; undefined: the preset. */
export function memberColumn() {
  return z.string().refine(
    (name) => new TextEncoder().encode(name).length <= MAX_BYTES && !name.includes("\0"),
    `must be the name of a column, of at most ${MAX_BYTES} bytes, or off`,
  ).optional();
}

/** Returns the columns that the variables ask for. */
export function askedColumns(
  name: string | undefined,
  email: string | undefined,
): MemberColumns {
  const asked = (column: string | undefined, preset: AskedColumn | null) =>
    column === undefined ? preset : column === "off" ? null : Object.freeze({ column, isRequired: true });
  return Object.freeze({
    name: asked(name, DEFAULT_MEMBER_COLUMNS.name),
    email: asked(email, DEFAULT_MEMBER_COLUMNS.email),
  });
}
