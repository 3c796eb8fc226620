import { z } from "zod";
import { UNKNOWN_NAME } from "../input_errors.ts";
import { isStorable } from "../storable_text.ts";

/** Which members a rule is for. */
export type Condition = { all: Condition[] } | { any: Condition[] } | { not: Condition } | Leaf;

/** A test of one field of a member's row. An absent field and a null one match nothing but `missing`. */
export interface Leaf {
  /** A column of members, or with dots a path into a json column: `profile.language`. */
  field: string;
  op: Op;
  /** None for `exists` and `missing`; for `in` and `not_in` 1 to 100 values. */
  value?: Value | Value[];
}

type Value = string | number | boolean;

/** What a leaf can ask of its field. */
export const OPS = [
  ...["eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte"] as const,
  ...["exists", "missing", "starts_with", "contains"] as const,
] as const;
export type Op = typeof OPS[number];

export const MAX_LEAVES = 50;
export const MAX_LEVELS = 5;
export const MAX_VALUES = 100;
export const MAX_VALUE_CHARACTERS = 1000;

export const FieldName = z.string("must be the name of a column of members")
  .min(1, "must be the name of a column of members")
  .max(200, "must have at most 200 characters")
  .refine(isStorable, "has characters that cannot be kept");

const Text = z.string()
  .max(MAX_VALUE_CHARACTERS, "must have at most 1,000 characters")
  .refine(isStorable, "has characters that cannot be kept");
const Value = z.union([Text, z.number(), z.boolean()], "must be a text, a number, true or false");
const Values = z.union([Value, z.array(Value)]);

const Leaf = z.strictObject({
  field: FieldName,
  op: z.enum(OPS, `must be one of ${OPS.join(", ")}`),
  value: z.unknown().optional(),
}).superRefine(({ op, value }, context) => {
  for (const { path, message } of findValueFaults(op, value)) {
    context.addIssue({ code: "custom", path: ["value", ...path], message });
  }
}).transform(({ field, op, value }): Leaf => {
  const { data } = Values.safeParse(value);
  return data === undefined ? { field, op } : { field, op, value: data };
});

type Fault = { path: PropertyKey[]; message: string };

function findValueFaults(op: Op, value: unknown): Fault[] {
  const fault = (message: string): Fault[] => [{ path: [], message }];
  switch (op) {
    case "exists":
    case "missing":
      return value === undefined ? [] : fault(`must be left out with ${op}`);
    case "in":
    case "not_in":
      if (!Array.isArray(value) || value.length === 0) return fault(`must be a list of values with ${op}`);
      if (value.length > MAX_VALUES) return fault(`must have at most ${MAX_VALUES} values`);
      return value.flatMap((each, index) =>
        findFaults(each).map(({ path, message }) => ({ path: [index, ...path], message }))
      );
    case "starts_with":
      if (typeof value !== "string") return fault(`must be a text with ${op}`);
      return findFaults(value);
    default:
      if (value === undefined || Array.isArray(value)) return fault(`must be one value with ${op}`);
      return findFaults(value);
  }
}

/** Of a single value. */
function findFaults(value: unknown): Fault[] {
  const { error } = Value.safeParse(value);
  if (error === undefined) return [];
  const ofText = typeof value === "string" ? Text.safeParse(value).error : undefined;
  return (ofText ?? error).issues.map(({ message }) => ({ path: [], message }));
}

/** Parses a condition. Not a union of schemas, because that could not point at the one part that is wrong. */
export const When = z.unknown().transform((input, context): Condition => {
  let leaves = 0;

  function parse(node: unknown, path: PropertyKey[], level: number): Condition {
    if (level > MAX_LEVELS) return refuse(path, `must have at most ${MAX_LEVELS} levels`);
    if (!isObject(node)) return refuse(path, "must be an object with all, any, not, or field, op and value");
    const [kind] = ["all", "any", "not"].filter((key) => Object.hasOwn(node, key));
    if (kind === undefined) return parseLeaf(node, path);
    for (const key of Object.keys(node)) {
      if (key !== kind) refuse([...path, key], `does not go together with ${kind}`);
    }
    const child = node[kind];
    if (kind === "not") return { not: parse(child, [...path, kind], level + 1) };
    if (!Array.isArray(child) || child.length === 0) {
      return refuse([...path, kind], "must be a list of at least one condition");
    }
    if (child.length > MAX_LEAVES) {
      return refuse([...path, kind], `must have at most ${MAX_LEAVES} conditions`);
    }
    const children = child.map((each, index) => parse(each, [...path, kind, index], level + 1));
    return kind === "all" ? { all: children } : { any: children };
  }

  function parseLeaf(node: object, path: PropertyKey[]): Condition {
    leaves++;
    if (leaves > MAX_LEAVES) {
      return leaves === MAX_LEAVES + 1 ? refuse([], `must have at most ${MAX_LEAVES} tests`) : NOTHING;
    }
    const { data, error } = Leaf.safeParse(node);
    for (const issue of error?.issues ?? []) {
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) refuse([...path, key], UNKNOWN_NAME);
      } else refuse([...path, ...issue.path], issue.message);
    }
    return data ?? NOTHING;
  }

  function refuse(path: PropertyKey[], message: string): Condition {
    context.addIssue({ code: "custom", path, message });
    return NOTHING;
  }

  return parse(input, [], 1);
});

/** In place of what is refused; nobody sees it. */
const NOTHING: Condition = { all: [] };

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}
