import type { Context } from "hono";
import { z } from "zod";
import { Problem } from "../../http/problems.ts";
import { OPS } from "../../policy/condition.ts";
import type { Typed } from "../frame/pages.ts";
import { type PolicyDocument, PolicySchema, type Rule } from "../../policy/document.ts";
import { type ConditionForm, type ConditionRow, EMPTY_RULE, type RuleForm } from "./rule_form.ts";

const Text = z.string().catch("");
const Version = z.string().regex(/^[1-9]\d{0,8}$/).transform(Number);
const Place = z.string().regex(/^\d{1,3}$/).transform(Number);

/**
 * Reads a form with fields that occur several times.
 * @throws {Problem} `invalid_request` for an incomplete or malformed form
 */
export async function readFields(c: Context): Promise<FormData> {
  return await c.req.formData().catch(() => {
    throw new Problem("invalid_request", "The form could not be read.");
  });
}

/** Reads one line of a form, without what no column can hold. */
export function readLine(form: FormData, name: string): string {
  return Text.parse(form.get(name)).replaceAll("\0", "").trim().slice(0, 1000);
}

/**
 * Reads the draft that a form carries. It comes from the browser, so it is parsed as any other input.
 * @throws {Problem} `invalid_request`
 */
export function readDraft(form: FormData): { draft: PolicyDocument; base: number } {
  const draft = PolicySchema.safeParse(readJson(form.get("draft")));
  const base = Version.safeParse(form.get("base"));
  if (!draft.success || !base.success) throw new Problem("invalid_request", "The draft could not be read.");
  return { draft: draft.data, base: base.data };
}

/** Reads the fields of a form that are text, for its picker. */
export function readPickerFields(form: FormData): Typed {
  const texts = [...form].flatMap(([name, value]) => typeof value === "string" ? [[name, value]] : []);
  return Object.fromEntries(texts);
}

/** Reads which button was pressed: a verb, and the places that it is about, from 0. */
export function readButton(form: FormData): { verb: string; places: number[] } {
  const [verb = "", ...places] = Text.parse(form.get("do")).split(":");
  return { verb, places: places.map((place) => Place.catch(-1).parse(place)) };
}

/** Reads the place of the rule that a form is about. */
export function readPlace(form: FormData): number {
  return Place.catch(0).parse(form.get("rule"));
}

const Choose = z.enum(["nobody", "field", "all", "spread", "most_room"]).catch(EMPTY_RULE.choose);
const Values = z.array(z.union([z.string(), z.number(), z.boolean()])).catch([]);

/** Reads the form of a condition, as far as it is filled in. */
export function readConditionForm(form: FormData): ConditionForm {
  const text = (name: string) => Text.parse(form.get(name));
  const conditions: ConditionRow[] = [];
  for (let place = 0; form.has(`c${place}.field`) || form.has(`c${place}.kept`); place++) {
    const kept = form.get(`c${place}.kept`);
    if (kept !== null) conditions.push({ kept: readCondition(kept) });
    else {
      conditions.push({
        field: text(`c${place}.field`),
        op: z.enum(OPS).catch("eq").parse(form.get(`c${place}.op`)),
        picked: Values.parse(form.getAll(`c${place}.value`).map(readJson)),
        typed: text(`c${place}.typed`),
      });
    }
  }
  return { match: text("match") === "any" ? "any" : "all", conditions };
}

/** Reads the form of a rule, as far as it is filled in. */
export function readRuleForm(form: FormData): RuleForm {
  const text = (name: string) => Text.parse(form.get(name));
  const trainers: RuleForm["trainers"] = [];
  for (let place = 0; form.has(`t${place}.id`); place++) {
    trainers.push({ trainerId: text(`t${place}.id`), weight: text(`t${place}.weight`) || "1" });
  }
  return {
    ...readConditionForm(form),
    name: text("name"),
    choose: Choose.parse(form.get("choose")),
    choiceField: text("choiceField"),
    trainers,
    whenFull: text("whenFull") === "wait" ? "wait" : "next",
  };
}

/** Reads a condition as a rule of a policy would have it. */
function readCondition(text: FormDataEntryValue): NonNullable<Rule["when"]> {
  const { data } = PolicySchema.shape.rules.safeParse([
    { name: "kept", when: readJson(text), assign: { choose: "nobody" } },
  ]);
  const when = data?.[0]?.when;
  if (when === undefined) throw new Problem("invalid_request", "A condition could not be read.");
  return when;
}

function readJson(text: FormDataEntryValue | null): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
