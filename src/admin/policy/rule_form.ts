import type { Condition, Leaf, Op } from "../../policy/condition.ts";
import type { Choice, Rule } from "../../policy/document.ts";
import type { MemberField } from "../../policy/member_fields.ts";

type Value = string | number | boolean;

/** A condition as a form has it. */
export interface ConditionForm {
  match: "all" | "any";
  /** None: for everybody. */
  conditions: ConditionRow[];
}

/** A rule as a form has it. */
export interface RuleForm extends ConditionForm {
  name: string;
  choose: Choice["choose"];
  /** For `field`. */
  choiceField: string;
  trainers: { trainerId: string; weight: string }[];
  whenFull: "next" | "wait";
}

/** A test with its values, picked and typed; or a condition with others inside, which the form keeps as it is. */
export type ConditionRow = { field: string; op: Op; picked: Value[]; typed: string } | { kept: Condition };

export const EMPTY_RULE: RuleForm = {
  name: "",
  match: "all",
  conditions: [],
  choose: "spread",
  choiceField: "",
  trainers: [],
  whenFull: "next",
};

/** Fills a form from a rule. */
export function formOfRule({ name, when, assign }: Rule): RuleForm {
  return {
    ...EMPTY_RULE,
    ...formOfCondition(when),
    name,
    choose: assign.choose,
    ...("field" in assign ? { choiceField: assign.field } : {}),
    ...("trainers" in assign
      ? {
        trainers: assign.trainers.map(({ trainerId, weight = 1 }) => ({ trainerId, weight: String(weight) })),
      }
      : {}),
    ...("whenFull" in assign ? { whenFull: assign.whenFull ?? "next" } : {}),
  };
}

/** Fills the form of a condition; none: for everybody. */
export function formOfCondition(when: Condition | undefined): ConditionForm {
  const match = when !== undefined && "any" in when ? "any" : "all";
  const conditions = when === undefined ? [] : "all" in when ? when.all : "any" in when ? when.any : [when];
  return { match, conditions: conditions.map(rowOfCondition) };
}

function rowOfCondition(condition: Condition): ConditionRow {
  if (!("field" in condition)) return { kept: condition };
  const { field, op, value } = condition;
  const picked = value === undefined ? [] : [value].flat();
  return { field, op: SINGULAR[op] ?? op, picked, typed: "" };
}

/** The form asks `is` and `is not` of one value or several. */
const SINGULAR: Partial<Record<Op, Op>> = { in: "eq", not_in: "ne" };
const PLURAL: Partial<Record<Op, Op>> = { eq: "in", ne: "not_in" };

/**
 * Makes the rule that a form describes.
 * @returns the rule, to be parsed as part of the policy; and what is wrong with the form, in sentences
 */
export function ruleOfForm(form: RuleForm, fields: readonly MemberField[]): { rule: Rule; faults: string[] } {
  const { when, faults } = conditionOfForm(form, fields);
  if (form.name.trim() === "") faults.push("Give the rule a name.");
  const assign = choiceOfForm(form, faults);
  return { rule: { name: form.name.trim(), ...(when === undefined ? {} : { when }), assign }, faults };
}

/** Makes the condition that a form describes; undefined: for everybody. */
export function conditionOfForm(
  { match, conditions: rows }: ConditionForm,
  fields: readonly MemberField[],
): { when: Condition | undefined; faults: string[] } {
  const faults: string[] = [];
  const conditions = rows.map((row): Condition => {
    if ("kept" in row) return row.kept;
    const { leaf, fault } = leafOfRow(row, fields.find(({ field }) => field === row.field));
    if (fault !== undefined) faults.push(fault);
    return leaf;
  });
  const when = conditions.length <= 1
    ? conditions[0]
    : match === "all"
    ? { all: conditions }
    : { any: conditions };
  return { when, faults };
}

/** Adds an empty test of a field; the form as it is if there is no such field. */
export function addTest<Form extends ConditionForm>(
  form: Form,
  field: string,
  fields: readonly MemberField[],
): Form {
  const known = fields.find((each) => each.field === field);
  if (known === undefined) return form;
  const op = known.kind === "array" ? "contains" : known.kind === "other" ? "exists" : "eq";
  return { ...form, conditions: [...form.conditions, { field, op, picked: [], typed: "" }] };
}

/** Removes a condition by its place, from 0. */
export function removeTest<Form extends ConditionForm>(form: Form, place: number): Form {
  return { ...form, conditions: form.conditions.toSpliced(place, 1) };
}

function choiceOfForm({ choose, choiceField, trainers, whenFull }: RuleForm, faults: string[]): Choice {
  if (choose === "nobody") return { choose };
  if (choose === "field") {
    if (choiceField === "") faults.push("Say in which column the trainer's id is.");
    return { choose, field: choiceField, whenFull };
  }
  if (trainers.length === 0) faults.push("Add at least one trainer.");
  const weighted = trainers.map(({ trainerId, weight }) => ({ trainerId, weight: Number(weight) }));
  if (weighted.some(({ weight }) => !Number.isInteger(weight) || weight < 1 || weight > 1000)) {
    faults.push("A share must be a whole number from 1 to 1,000.");
  }
  return { choose, trainers: weighted, whenFull };
}

function leafOfRow(
  { field, op, picked, typed }: Extract<ConditionRow, { field: string }>,
  known: MemberField | undefined,
): { leaf: Leaf; fault?: string } {
  if (op === "exists" || op === "missing") return { leaf: { field, op } };
  const lines = typed.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const values = [...new Set([...picked, ...lines.map((line) => readValue(line, known))])];
  const [value] = values;
  if (value === undefined) {
    return { leaf: { field, op, value: "" }, fault: `Pick or type a value of ${field}.` };
  }
  const wrong = known?.valueKind === "number" && values.find((one) => typeof one !== "number");
  const fault = wrong !== undefined && wrong !== false ? `${field}: ${wrong} is not a number.` : undefined;
  if (values.length === 1) return { leaf: { field, op, value }, ...(fault === undefined ? {} : { fault }) };
  const plural = PLURAL[op];
  if (plural === undefined) {
    return { leaf: { field, op, value }, fault: `Give one value of ${field}, not several.` };
  }
  return { leaf: { field, op: plural, value: values }, ...(fault === undefined ? {} : { fault }) };
}

/** Reads a typed value as what the column holds. In a json field, that is what the frequent values are. */
function readValue(line: string, known: MemberField | undefined): Value {
  const { valueKind: kind, values } = known ?? { valueKind: "text", values: [] };
  const same = values.find((value) => String(value) === line);
  if (same !== undefined) return same;
  const holds = (type: string) =>
    kind === type || (kind === "json" && values.length > 0 && values.every((value) => typeof value === type));
  if (holds("number") && Number.isFinite(Number(line))) return Number(line);
  if (holds("boolean") && ["true", "false"].includes(line)) return line === "true";
  return line;
}
