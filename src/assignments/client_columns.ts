/** How a column is written: in SQL, in JSON and in TypeScript. A word is one of a few that a check of the table allows. */
interface Kinds {
  id: string;
  time: Date;
  optionalTime: Date | null;
  status: "active" | "inactive";
  word: string;
  optionalWord: string | null;
  optionalNumber: number | null;
  text: string;
  optionalText: string | null;
}

/**
 * The columns of a client, in the order of the CSV: each by its JSON key, with the column of
 * `trainer_client_assignments` and how it is written. Queries, lines, CSV header, types and the API's schema follow.
 */
export const CLIENT_COLUMNS = {
  clientId: { column: "client_id", kind: "id" },
  assignmentId: { column: "id", kind: "id" },
  assignmentDate: { column: "assignment_date", kind: "time" },
  status: { column: "status", kind: "status" },
  source: { column: "source", kind: "word" },
  assignedBy: { column: "assigned_by", kind: "text" },
  policyVersion: { column: "policy_version", kind: "optionalNumber" },
  rule: { column: "rule", kind: "optionalNumber" },
  endedAt: { column: "ended_at", kind: "optionalTime" },
  endedBy: { column: "ended_by", kind: "optionalText" },
  endedBecause: { column: "ended_because", kind: "optionalWord" },
  notes: { column: "notes", kind: "optionalText" },
} as const satisfies Record<string, { column: string; kind: keyof Kinds }>;

/**
 * A member as a trainer's client, in one assignment; a member has several when earlier ones ended. `endedAt`,
 * `endedBy` and `endedBecause` are null while it is active.
 */
export type Client = {
  [Key in keyof typeof CLIENT_COLUMNS]: Kinds[typeof CLIENT_COLUMNS[Key]["kind"]];
};

/** The header of the CSV. */
export const CLIENT_KEYS = Object.keys(CLIENT_COLUMNS) as [keyof Client, ...(keyof Client)[]];

const columns = Object.entries(CLIENT_COLUMNS);

/** The columns as a page of assignments has them. */
export const COLUMN_LIST = columns.map(([, { column }]) => column).join(", ");

/** The same under their keys. */
export const CLIENT_SELECT_LIST = columns.map(([key, { column }]) => `${column} as "${key}"`).join(", ");

/** An expression for a client as a line of JSON, but for the closing brace. */
export const CLIENT_LINE = concatenate(
  columns.flatMap(([key, { column, kind }], index) => [
    { text: `${index === 0 ? "{" : ","}"${key}":` },
    ...toJson(column, kind),
  ]),
);

/** A part of a line: text that is the same for every client, or an expression. */
type Part = { text: string } | { expression: string };

/** Joins parts, neighbouring texts into one: each `||` of the server copies the line so far. */
function concatenate(parts: Part[]): string {
  const operands: string[] = [];
  let text = "";
  for (const part of parts) {
    if ("text" in part) {
      text += part.text;
    } else {
      operands.push(`'${text}'`, part.expression);
      text = "";
    }
  }
  return [...operands, `'${text}'`].join(" || ");
}

function toJson(column: string, kind: keyof Kinds): Part[] {
  switch (kind) {
    case "id":
    case "status":
    case "word": // known ones, which need no escapes
      return [{ text: '"' }, { expression: column }, { text: '"' }];
    case "optionalWord":
      return [{ expression: `coalesce('"' || ${column} || '"', 'null')` }];
    case "optionalNumber":
      return [{ expression: `coalesce(${column}::text, 'null')` }];
    case "text":
    case "optionalText":
      return [{ expression: `coalesce(to_json(${column})::text, 'null')` }];
    case "time":
    case "optionalTime": // as parseTime and JSON write it: null for no time, and for one out of range
      return [{
        expression: `
          case
            when ${column} >= '0001-01-01 00:00:00Z' and ${column} < '10000-01-01 00:00:00Z'
            then '"' || to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'
            else 'null'
          end
        `,
      }];
  }
}
