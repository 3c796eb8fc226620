import type { ColumnType } from "./column_type.ts";

const NUMBERS: ColumnType["matches"] = [
  ["eq", 5, ["five"]],
  ["ne", 5, ["minus", "zero", "more"]],
  ["in", [5, 0, 99], ["five", "zero"]],
  ["not_in", [5, 0], ["minus", "more"]],
  ["lt", 0, ["minus"]],
  ["lte", 0, ["minus", "zero"]],
  ["gt", -3, ["zero", "five", "more"]],
  ["gte", -3, ["minus", "zero", "five", "more"]],
  ["gt", 4.5, ["five", "more"]],
  ["eq", 1e300, []],
  ["exists", undefined, ["minus", "zero", "five", "more"]],
  ["missing", undefined, ["absent"]],
];

const NUMBER_PROBLEMS: (type: string) => NonNullable<ColumnType["problems"]> = (type) => [
  ["eq", "5", "/value", `must be a number: the column value is of type ${type}`],
  ["in", [5, true], "/value", `must be a number: the column value is of type ${type}`],
  ["starts_with", "5", "/op", `starts_with does not apply to the column value of type ${type}`],
  ["contains", 5, "/op", `contains does not apply to the column value of type ${type}`],
];

const NUMBER_VALUES = { minus: "-3", zero: "0", five: "5", more: "1000", absent: "null" };

const DAYS = {
  before: "'2025-12-31'",
  day: "'2026-01-01'",
  after: "'2026-01-02'",
  never: "'-infinity'",
  always: "'infinity'",
  ancient: "'0044-03-15 BC'",
  distant: "'20260-01-01'",
  absent: "null",
};

/** Numbers, booleans, dates and times. */
export const NUMBER_AND_TIME_COLUMNS: ColumnType[] = [
  { type: "integer", values: NUMBER_VALUES, matches: NUMBERS, problems: NUMBER_PROBLEMS("integer") },
  { type: "smallint", values: NUMBER_VALUES, matches: NUMBERS },
  { type: "bigint", values: NUMBER_VALUES, matches: NUMBERS, problems: NUMBER_PROBLEMS("bigint") },
  { type: "numeric(10,2)", values: NUMBER_VALUES, matches: NUMBERS },
  { type: "double precision", values: NUMBER_VALUES, matches: NUMBERS },
  {
    type: "numeric",
    values: {
      huge: "1e400",
      exact: "9007199254740991",
      beyond: "9007199254740993",
      small: "1e-30",
      nan: "'NaN'",
      infinite: "'Infinity'",
      absent: "null",
    },
    matches: [
      ["eq", 9007199254740991, ["exact"]],
      ["gt", 9007199254740991, ["beyond", "huge"]],
      ["gt", 1e308, ["huge"]],
      ["eq", 1e-30, ["small"]],
      ["lt", 0.5, ["small"]],
      ["ne", 5, ["huge", "exact", "beyond", "small", "nan", "infinite"]],
      ["gte", 0, ["huge", "exact", "beyond", "small"]],
      ["exists", undefined, ["huge", "exact", "beyond", "small", "nan", "infinite"]],
    ],
  },
  {
    type: "real",
    values: { tenth: "0.1", nan: "'NaN'", infinite: "'-Infinity'", absent: "null" },
    matches: [["eq", 0.1, ["tenth"]], ["lt", 1, ["tenth"]], ["missing", undefined, ["absent"]]],
  },
  {
    type: "boolean",
    values: { yes: "true", no: "false", absent: "null" },
    matches: [
      ["eq", true, ["yes"]],
      ["eq", false, ["no"]],
      ["ne", true, ["no"]],
      ["in", [true, false], ["yes", "no"]],
      ["not_in", [true], ["no"]],
      ["exists", undefined, ["yes", "no"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [
      ["eq", "true", "/value", "must be a boolean: the column value is of type boolean"],
      ["eq", 1, "/value", "must be a boolean: the column value is of type boolean"],
      ["gt", true, "/op", "gt does not apply to the column value of type boolean"],
    ],
  },
  {
    type: "date",
    values: DAYS,
    matches: [
      ["eq", "2026-01-01", ["day"]],
      ["ne", "2026-01-01", ["before", "after", "never", "always", "ancient", "distant"]],
      ["in", ["2026-01-01", "2025-12-31"], ["day", "before"]],
      ["not_in", ["2026-01-01", "2025-12-31"], ["after", "never", "always", "ancient", "distant"]],
      ["lt", "2026-01-01", ["before", "never"]],
      ["lte", "2026-01-01", ["before", "day", "never"]],
      ["gt", "2026-01-01", ["after", "always", "distant"]],
      ["gte", "2026-01-01", ["day", "after", "always", "distant"]],
      ["exists", undefined, ["before", "day", "after", "never", "always", "ancient", "distant"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [
      ["eq", "01.02.2026", "/value", "must be a date such as 2026-11-28"],
      ["eq", "2026-02-30", "/value", "must be a date such as 2026-11-28"],
      ["eq", "2026-01-01T00:00:00Z", "/value", "must be a date such as 2026-11-28"],
      ["lt", "now", "/value", "must be a date such as 2026-11-28"],
      ["lt", "infinity", "/value", "must be a date such as 2026-11-28"],
      ["eq", "", "/value", "must be a date such as 2026-11-28"],
      ["eq", 2026, "/value", "must be a string: the column value is of type date"],
      ["contains", "2026", "/op", "contains does not apply to the column value of type date"],
      ["starts_with", "2026", "/op", "starts_with does not apply to the column value of type date"],
    ],
  },
  {
    type: "timestamp with time zone",
    values: {
      before: "'2025-12-31 23:59:59.999999+00'",
      there: "'2026-01-01 13:45:00+13:45'", // midnight in UTC
      after: "'2026-01-01 00:00:00.000001+00'",
      never: "'-infinity'",
      always: "'infinity'",
      ancient: "'0044-03-15 00:00:00+00 BC'",
      distant: "'20260-01-01 00:00:00+00'",
      absent: "null",
    },
    matches: [
      ["eq", "2026-01-01T00:00:00Z", ["there"]],
      ["eq", "2026-01-01", ["there"]],
      ["eq", "2026-01-01T00:00:00", ["there"]],
      ["eq", "2026-01-01T02:00:00+02:00", ["there"]],
      ["eq", "2026-01-01 00:00:00.000001Z", ["after"]],
      ["ne", "2026-01-01T00:00:00Z", ["before", "after", "never", "always", "ancient", "distant"]],
      ["in", ["2026-01-01T01:00:00+01", "2026-01-01T00:00:00.000001Z"], ["there", "after"]],
      ["not_in", ["2026-01-01"], ["before", "after", "never", "always", "ancient", "distant"]],
      ["lt", "2026-01-01", ["before", "never"]],
      ["lte", "2026-01-01", ["before", "there", "never"]],
      ["gt", "2026-01-01", ["after", "always", "distant"]],
      ["gte", "2026-01-01", ["there", "after", "always", "distant"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [
      ["eq", "yesterday", "/value", "must be a time such as 2026-11-28T09:30:00Z"],
      ["eq", "2026-01-01T25:00:00Z", "/value", "must be a time such as 2026-11-28T09:30:00Z"],
      ["eq", "2026-01-01T00:00:00 Europe/Vienna", "/value", "must be a time such as 2026-11-28T09:30:00Z"],
      ["eq", true, "/value", "must be a string: the column value is of type timestamp with time zone"],
    ],
  },
  {
    type: "timestamp without time zone",
    values: {
      before: "'2025-12-31 23:59:59'",
      there: "'2026-01-01 00:00:00'",
      after: "'2026-01-01 00:00:00.5'",
      always: "'infinity'",
      absent: "null",
    },
    matches: [
      ["eq", "2026-01-01T00:00:00", ["there"]],
      ["eq", "2026-01-01T00:00:00Z", ["there"]],
      ["eq", "2026-01-01T01:00:00+01:00", ["there"]],
      ["gt", "2026-01-01", ["after", "always"]],
      ["lte", "2026-01-01", ["before", "there"]],
      ["missing", undefined, ["absent"]],
    ],
    problems: [["gt", "soon", "/value", "must be a time such as 2026-11-28T09:30:00Z"]],
  },
];
