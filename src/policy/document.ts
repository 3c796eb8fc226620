import { z } from "zod";

/** A test of one field of a member's row. An absent field and a null one match nothing but `missing`. */
export interface Leaf {
  /** A column of members, or with dots a path into a json column: `profile.language`. */
  field: string;
  op: Op;
  /** None for `exists` and `missing`; for `in` and `not_in` 1 to 100 values. */
  value?: Value | Value[];
}

/** Which members a rule is for. */
export type Condition = { all: Condition[] } | { any: Condition[] } | { not: Condition } | Leaf;

type Value = string | number | boolean;

/** What a leaf can ask of its field. */
export const OPS = [
  ...["eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte"] as const,
  ...["exists", "missing", "starts_with", "contains"] as const,
] as const;
export type Op = typeof OPS[number];

/** Whom a rule assigns. `whenFull`: go on with the rules behind it, or wait for room. */
export type Choice =
  | { choose: "nobody" }
  | { choose: "field"; field: string; whenFull?: WhenFull }
  | { choose: "all" | "spread" | "most_room"; trainers: WeightedTrainer[]; whenFull?: WhenFull };

type WhenFull = "next" | "wait";

export interface WeightedTrainer {
  trainerId: string;
  /** 1 to 1000, for `spread`; 1 by default. */
  weight?: number;
}

export interface Rule {
  /** For people; 1 to 200 characters, no two alike. */
  name: string;
  /** Everybody, where it is left out. */
  when?: Condition | undefined;
  assign: Choice;
}

/** Who trains whom: the first rule that matches and can serve decides, at last the default trainer. */
export interface PolicyDocument {
  /** The trainer of members whom no rule takes. */
  defaultTrainerId: string;
  /** Whether an active assignment to anybody is enough. */
  respectsOtherTrainers: boolean;
  rules: Rule[];
}

const MAX_RULES = 100;
const MAX_LEAVES = 50;
const MAX_LEVELS = 5;
const MAX_TRAINERS = 100;
const MAX_VALUES = 100;

const FieldName = z.string().min(1, "must name a column of members").max(
  200,
  "must have at most 200 characters",
)
  .refine(isStorable, "has characters that cannot be kept");
const Scalar = z.union([
  z.string().max(1000, "must have at most 1,000 characters").refine(
    isStorable,
    "has characters that cannot be kept",
  ),
  z.number(),
  z.boolean(),
], "must be a text, a number, true or false");
const TrainerId = z.guid("must be a UUID").toLowerCase();
const WhenFull = z.enum(["next", "wait"], "must be next or wait");

const Leaf = z.strictObject({
  field: FieldName,
  op: z.enum(OPS, `must be one of ${OPS.join(", ")}`),
  value: z.union([
    Scalar,
    z.array(Scalar).min(1, "must have at least one value").max(
      MAX_VALUES,
      `must have at most ${MAX_VALUES} values`,
    ),
  ], "must be a text, a number, true or false, or a list of these").optional(),
}).superRefine(({ op, value }, context) => {
  const fault = findValueFault(op, value);
  if (fault !== null) context.addIssue({ code: "custom", path: ["value"], message: fault });
});

function findValueFault(op: Op, value: unknown): string | null {
  switch (op) {
    case "exists":
    case "missing":
      return value === undefined ? null : `must be left out with ${op}`;
    case "in":
    case "not_in":
      return Array.isArray(value) ? null : `must be a list with ${op}`;
    case "starts_with":
      return typeof value === "string" ? null : `must be a text with ${op}`;
    default:
      return value === undefined || Array.isArray(value) ? `must be one value with ${op}` : null;
  }
}

/** By hand rather than as a union of schemas, so that each fault is told in its place. */
const When = z.unknown().transform((input, context): Condition => {
  let leaves = 0;

  function parse(node: unknown, path: PropertyKey[], level: number): Condition {
    if (level > MAX_LEVELS) return refuse(path, `must have at most ${MAX_LEVELS} levels`);
    if (!isObject(node)) return refuse(path, "must be an object with all, any, not, or field, op and value");
    const [kind] = ["all", "any", "not"].filter((key) => key in node);
    if (kind === undefined) return parseLeaf(node, path);
    const [stranger] = Object.keys(node).filter((key) => key !== kind);
    if (stranger !== undefined) refuse([...path, stranger], `does not go together with ${kind}`);
    const child = node[kind];
    if (kind === "not") return { not: parse(child, [...path, kind], level + 1) };
    if (!Array.isArray(child) || child.length === 0) {
      return refuse([...path, kind], "must be a list of at least one condition");
    }
    const children = child.map((each, index) => parse(each, [...path, kind, index], level + 1));
    return kind === "all" ? { all: children } : { any: children };
  }

  function parseLeaf(node: object, path: PropertyKey[]): Condition {
    leaves++;
    if (leaves === MAX_LEAVES + 1) refuse(path, `must have at most ${MAX_LEAVES} tests`);
    const { data, error } = Leaf.safeParse(node);
    for (const issue of error?.issues ?? []) {
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) refuse([...path, key], "is unknown");
      } else refuse([...path, ...issue.path], issue.message);
    }
    if (data === undefined) return { all: [] };
    const { value, ...leaf } = data;
    return value === undefined ? leaf : { ...leaf, value };
  }

  function refuse(path: PropertyKey[], message: string): Condition {
    context.addIssue({ code: "custom", path, message });
    return { all: [] };
  }

  return parse(input, [], 1);
});

const Trainers = z.array(
  z.strictObject({
    trainerId: TrainerId,
    weight: z.int("must be a whole number from 1 to 1000").min(1, "must be at least 1").max(
      1000,
      "must be at most 1000",
    )
      .default(1),
  }),
).min(1, "must have at least one trainer").max(MAX_TRAINERS, `must have at most ${MAX_TRAINERS} trainers`)
  .superRefine((trainers, context) => {
    for (const [index, { trainerId }] of trainers.entries()) {
      if (trainers.findIndex((other) => other.trainerId === trainerId) < index) {
        context.addIssue({ code: "custom", path: [index, "trainerId"], message: "is in the list already" });
      }
    }
  });

const Assign = z.discriminatedUnion("choose", [
  z.strictObject({ choose: z.literal("nobody") }),
  z.strictObject({ choose: z.literal("field"), field: FieldName, whenFull: WhenFull.default("next") }),
  z.strictObject({
    choose: z.enum(["all", "spread", "most_room"]),
    trainers: Trainers,
    whenFull: WhenFull.default("next"),
  }),
], "must choose nobody, field, all, spread or most_room");

const Rule = z.strictObject({
  name: z.string("must be a text").trim().min(1, "must have a name").max(
    200,
    "must have at most 200 characters",
  )
    .refine(isStorable, "has characters that cannot be kept"),
  when: When.optional(),
  assign: Assign,
});

/** Parses a policy and fills in what it leaves out. What only the database knows is found by `findPolicyProblems`. */
export const PolicySchema = z.strictObject({
  defaultTrainerId: TrainerId,
  respectsOtherTrainers: z.boolean("must be true or false").default(false),
  rules: z.array(Rule, "must be a list of rules").max(MAX_RULES, `must have at most ${MAX_RULES} rules`)
    .default([])
    .superRefine((rules, context) => {
      for (const [index, { name }] of rules.entries()) {
        if (rules.findIndex((other) => other.name === name) < index) {
          context.addIssue({
            code: "custom",
            path: [index, "name"],
            message: "is the name of a rule before",
          });
        }
      }
    }),
});

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}

/** PostgreSQL cannot keep a NUL, and half a surrogate pair is no character. */
function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}
