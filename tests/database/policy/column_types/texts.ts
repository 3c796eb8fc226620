import type { ColumnType } from "./column_type.ts";

const TEXTS = {
  pro: "'pro'",
  Pro: "'Pro'",
  prose: "'prose'",
  empty: "''",
  absent: "null",
};

const TEXT_MATCHES: ColumnType["matches"] = [
  ["eq", "pro", ["pro"]],
  ["eq", "", ["empty"]],
  ["ne", "pro", ["Pro", "prose", "empty"]],
  ["in", ["pro", "Pro", "none"], ["pro", "Pro"]],
  ["not_in", ["pro", "Pro"], ["prose", "empty"]],
  ["lt", "pro", ["Pro", "empty"]],
  ["lte", "pro", ["Pro", "empty", "pro"]],
  ["gt", "pro", ["prose"]],
  ["gte", "pro", ["pro", "prose"]],
  ["exists", undefined, ["pro", "Pro", "prose", "empty"]],
  ["missing", undefined, ["absent"]],
  ["starts_with", "pro", ["pro", "prose"]],
  ["starts_with", "", ["pro", "Pro", "prose", "empty"]],
  ["contains", "ro", ["pro", "Pro", "prose"]],
  ["contains", "", ["pro", "Pro", "prose", "empty"]],
];

const INJECTIONS = [
  `"; drop table members; --`,
  `' or '1'='1`,
  `" || true || "`,
  `$.id`,
  `@ == @`,
  `.*`,
  `^a(b|c)+$`,
  `[`,
  `\\`,
  `\\"`,
  `%s %1$I %L`,
  `\n\t\u0001`,
  `😀é`,
  `{a,b}`,
];

const UUIDS = {
  one: "'aaaaaaaa-0000-4000-8000-000000000001'",
  two: "'bbbbbbbb-0000-4000-8000-000000000002'",
  absent: "null",
};

/** Texts of all kinds, enums and UUIDs. */
export const TEXT_COLUMNS: ColumnType[] = [
  {
    type: "text",
    values: TEXTS,
    matches: TEXT_MATCHES,
    problems: [
      ["eq", 5, "/value", "must be a string: the column value is of type text"],
      ["in", ["pro", false], "/value", "must be a string: the column value is of type text"],
      ["starts_with", 5, "/value", "must be a string: the column value is of type text"],
      ["contains", true, "/value", "must be a string: the column value is of type text"],
      [
        "eq",
        "de",
        "/field",
        "the column value is of type text: only a json column has fields inside",
        ".language",
      ],
    ],
  },
  { type: "character varying(20)", values: TEXTS, matches: TEXT_MATCHES },
  {
    type: "public.plan_name",
    prepare:
      "create domain public.short_text as varchar(20); create domain public.plan_name as public.short_text",
    values: TEXTS,
    matches: TEXT_MATCHES,
  },
  {
    type: "text (texts that look like code)",
    prepare: "alter table public.members add column value text",
    values: Object.fromEntries([
      ...INJECTIONS.map((text, index) => [`text${index}`, `convert_from('\\x${hex(text)}', 'UTF8')`]),
      ["plain", "'abc'"],
    ]),
    matches: INJECTIONS.flatMap((text, index): ColumnType["matches"] => [
      ["eq", text, [`text${index}`]],
      ["in", [text, "?"], [`text${index}`]],
      ["starts_with", text, INJECTIONS.flatMap((other, at) => other.startsWith(text) ? [`text${at}`] : [])],
      ["contains", text, INJECTIONS.flatMap((other, at) => other.includes(text) ? [`text${at}`] : [])],
    ]),
  },
  {
    type: "character(5)",
    values: { de: "'de'", full: "'de-AT'", empty: "''", absent: "null" },
    matches: [
      ["eq", "de", ["de"]],
      ["eq", "de   ", []],
      ["eq", "", ["empty"]],
      ["ne", "de", ["full", "empty"]],
      ["in", ["de", "de-AT"], ["de", "full"]],
      ["lt", "de-AT", ["de", "empty"]],
      ["starts_with", "de", ["de", "full"]],
      ["contains", "e ", []],
      ["missing", undefined, ["absent"]],
    ],
  },
  {
    type: "public.citext",
    prepare: "create extension citext schema public",
    values: { ...TEXTS, escape: "'A\\N'" },
    matches: [
      ["eq", "PRO", ["pro", "Pro"]],
      ["ne", "PRO", ["prose", "empty", "escape"]],
      ["in", ["PRO", "x"], ["pro", "Pro"]],
      ["not_in", ["PRO", "x"], ["prose", "empty", "escape"]],
      ["gt", "PRO", ["prose"]],
      ["lte", "PRO", ["pro", "Pro", "empty", "escape"]],
      ["starts_with", "PR", ["pro", "Pro", "prose"]],
      ["contains", "RO", ["pro", "Pro", "prose"]],
      ["eq", "a\\n", ["escape"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [["eq", 1, "/value", "must be a string: the column value is of type public.citext"]],
  },
  {
    type: "public.plan",
    prepare: `create type public.plan as enum ('basic', 'pro', 'it''s "odd"')`,
    values: { basic: "'basic'", pro: "'pro'", odd: `'it''s "odd"'`, absent: "null" },
    matches: [
      ["eq", "pro", ["pro"]],
      ["eq", `it's "odd"`, ["odd"]],
      ["ne", "pro", ["basic", "odd"]],
      ["in", ["pro", "basic"], ["pro", "basic"]],
      ["not_in", ["pro", "basic"], ["odd"]],
      ["exists", undefined, ["basic", "pro", "odd"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [
      ["eq", "Pro", "/value", "is not a value of the type public.plan"],
      ["in", ["pro", ""], "/value", "is not a value of the type public.plan"],
      ["eq", 1, "/value", "must be a string: the column value is of type public.plan"],
      ["lt", "pro", "/op", "lt does not apply to the column value of type public.plan"],
      ["contains", "pro", "/op", "contains does not apply to the column value of type public.plan"],
      ["starts_with", "pro", "/op", "starts_with does not apply to the column value of type public.plan"],
    ],
  },
  {
    type: "public.paid_plan",
    prepare:
      "create type public.plan as enum ('basic', 'pro'); create domain public.paid_plan as public.plan",
    values: { pro: "'pro'", absent: "null" },
    matches: [["eq", "pro", ["pro"]], ["eq", "basic", []]],
    problems: [["eq", "free", "/value", "is not a value of the type public.paid_plan"]],
  },
  {
    type: "uuid",
    values: UUIDS,
    matches: [
      ["eq", "aaaaaaaa-0000-4000-8000-000000000001", ["one"]],
      ["eq", "AAAAAAAA-0000-4000-8000-000000000001", ["one"]],
      ["ne", "AAAAAAAA-0000-4000-8000-000000000001", ["two"]],
      ["in", ["BBBBBBBB000040008000000000000002"], ["two"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [
      ["eq", "aaaa", "/value", "must be a UUID"],
      [
        "gt",
        "aaaaaaaa-0000-4000-8000-000000000001",
        "/op",
        "gt does not apply to the column value of type uuid",
      ],
    ],
  },
];

function hex(text: string): string {
  return new TextEncoder().encode(text).toHex();
}
