import { fileURLToPath } from "node:url";

/** An object that the migrations make. */
export interface SchemaObject {
  kind: ObjectKind;
  /** Includes the schema. The name of a column, constraint or trigger begins with its table: `public.members id`. */
  name: string;
  /** The table that it is part of. */
  table: string | null;
  /** What the server's description of it must be; null if its name is enough. */
  definition: string | null;
  /** Creates it, with its comments. */
  statement: string;
  /** A foreign key that cannot be added `not valid`: PostgreSQL 15 has no such key on a partitioned table. */
  isCheckedAtOnce?: true;
}

export type ObjectKind =
  | "schema"
  | "type"
  | "function"
  | "table"
  | "partitioning"
  | "column"
  | "sequence"
  | "view"
  | "constraint"
  | "index"
  | "trigger"
  | "row security";

/** All that must exist, in an order in which it can be created. */
export interface Schema {
  objects: SchemaObject[];
  /** Grants and revokes. Running them again does no harm. */
  rights: string[];
}

const FILE = fileURLToPath(new URL("../../../db/schema.sql", import.meta.url));
const HEADING = /^-- ([A-Z ]+): (.+)$/;

let schema: Promise<Schema> | undefined;

/** Reads db/schema.sql, once per process. */
export function readSchema(): Promise<Schema> {
  return schema ??= Deno.readTextFile(FILE).then(parseSchema);
}

/** Writes the heading of a statement: what it creates. */
export function formatHeading(type: string, name: string): string {
  return `-- ${type}: ${name}`;
}

/** Reads the objects from a dump with headings. Leaves out the table `members`, which belongs to the application. */
export function parseSchema(text: string): Schema {
  const objects: SchemaObject[] = [];
  const rights: string[] = [];
  for (const { type, name, statement } of splitByHeadings(text)) {
    if (type === "ACL") rights.push(statement);
    else if (type === "POLICY") continue; // names the dumped server's roles; assignment.close_table creates it
    else if (!isOfMembers(type, name)) objects.push(...toObjects(type, name, statement));
  }
  return { objects, rights };
}

function splitByHeadings(text: string): { type: string; name: string; statement: string }[] {
  const blocks: { type: string; name: string; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const [, type, name] = HEADING.exec(line) ?? [];
    if (type !== undefined && name !== undefined) blocks.push({ type, name, lines: [] });
    else blocks.at(-1)?.lines.push(line);
  }
  return blocks.map(({ lines, ...block }) => ({ ...block, statement: lines.join("\n").trim() }));
}

function isOfMembers(type: string, name: string): boolean {
  return type !== "TRIGGER" && /^public\.members\b/.test(name);
}

function toObjects(type: string, name: string, statement: string): SchemaObject[] {
  const table = name.split(" ")[0] ?? name;
  switch (type) {
    case "SCHEMA":
      return [{ kind: "schema", name, table: null, definition: null, statement }];
    case "TYPE":
      return [
        { kind: "type", name, table: null, definition: null, statement },
        ...attributesOf(name, statement),
      ];
    case "FUNCTION":
    case "VIEW":
    case "SEQUENCE":
      return [{ kind: KINDS[type], name, table: null, definition: null, statement }];
    case "TABLE":
      return [{ kind: "table", name, table: null, definition: null, statement }, ...partsOf(name, statement)];
    case "CONSTRAINT":
    case "FK CONSTRAINT":
      return [{
        kind: "constraint",
        name,
        table,
        definition: capture(/ADD CONSTRAINT \S+ ([^;]+);/, statement),
        statement,
      }];
    case "INDEX":
      return [{
        kind: "index",
        name,
        table: capture(/ ON (\S+)/, statement),
        definition: firstOf(statement),
        statement,
      }];
    case "TRIGGER":
      return [{ kind: "trigger", name, table, definition: firstOf(statement), statement }];
    case "ROW SECURITY":
      return [{ kind: KINDS[type], name, table, definition: null, statement }];
    default:
      throw new Error(`db/schema.sql has a ${type}, which is neither compared nor repaired yet`);
  }
}

const KINDS = {
  FUNCTION: "function",
  VIEW: "view",
  SEQUENCE: "sequence",
  "ROW SECURITY": "row security",
} as const;

/** Reads the columns and checks of a table, one per line of the dump. */
function partsOf(table: string, statement: string): SchemaObject[] {
  const lines = capture(/^CREATE TABLE \S+ \(\n([^]*?)\n\);/, statement).split("\n");
  return lines.map((line) => {
    const [, constraint, name = "", definition = ""] = /^\s*(CONSTRAINT )?(\S+) (.+?),?$/.exec(line) ?? [];
    const addition = constraint === undefined ? "COLUMN" : "CONSTRAINT";
    const comment = new RegExp(`^COMMENT ON ${addition} ${table}\\.${name} IS '(?:[^']|'')*';$`, "m").exec(
      statement,
    );
    return {
      kind: constraint === undefined ? "column" : "constraint",
      name: `${table} ${name}`,
      table,
      definition,
      statement: `ALTER TABLE ${table} ADD ${addition} ${name} ${definition}; ${comment?.[0] ?? ""}`,
    };
  });
}

/** Reads the columns of a composite type. */
function attributesOf(type: string, statement: string): SchemaObject[] {
  const lines = capture(/^CREATE TYPE \S+ AS \(\n([^]*?)\n\);/, statement).split("\n");
  return lines.map((line) => {
    const [, name = "", definition = ""] = /^\s*(\S+) (.+?),?$/.exec(line) ?? [];
    return {
      kind: "column",
      name: `${type} ${name}`,
      table: type,
      definition,
      statement: `ALTER TYPE ${type} ADD ATTRIBUTE ${name} ${definition};`,
    };
  });
}

function firstOf(statement: string): string {
  return capture(/^([^;]+);/, statement);
}

function capture(pattern: RegExp, text: string): string {
  const [, found] = pattern.exec(text) ?? [];
  if (found === undefined) throw new Error(`db/schema.sql: ${pattern} is not in ${text}`);
  return found;
}
