import { z } from "zod";
import { Notes } from "../../http/schemas.ts";
import type { MemberField } from "../../policy/member_fields.ts";
import { readId } from "../frame/pages.ts";
import { readConditionForm } from "../policy/form_fields.ts";
import { type ConditionForm, conditionOfForm, formOfCondition } from "../policy/rule_form.ts";
import { MAX_PICKED, type Plan } from "./plan.tsx";

/** The form of a transfer, as far as it is filled in. Who takes over is a picker beside it. */
export interface MoveForm extends ConditionForm {
  to: "trainer" | "policy" | "";
  whom: "all" | "picked" | "matching";
  /** The ids of clients who are ticked. */
  ticked: string[];
  /** Further ids, as pasted. */
  pasted: string;
  /** Empty: the notes are kept. */
  notes: string;
  stopsNewClients: boolean;
}

/** How many picked clients the form lists by name. */
const MAX_LISTED = 100;

const Text = z.string().catch("");
const To = z.enum(["trainer", "policy"]).catch("policy");
const Whom = z.enum(["all", "picked", "matching"]).catch("all");

/** Returns the form at first: with clients who were ticked in a list, if any. */
export function newMoveForm(ticked: string[]): MoveForm {
  return {
    to: "",
    whom: ticked.length > 0 ? "picked" : "all",
    ticked,
    pasted: "",
    notes: "",
    stopsNewClients: ticked.length === 0,
    match: "all",
    conditions: [],
  };
}

/** Reads the form. */
export function readMoveForm(form: FormData): MoveForm {
  const to = form.get("to");
  return {
    ...readConditionForm(form),
    to: to === null ? "" : To.parse(to),
    whom: Whom.parse(form.get("whom")),
    ticked: form.getAll("client").map((id) => readId(String(id))).filter((id) => id !== undefined),
    pasted: Text.parse(form.get("pasted")),
    notes: Text.parse(form.get("notes")),
    stopsNewClients: form.has("stopsNewClients"),
  };
}

/** Fills the form from a plan. */
export function formOfPlan({ trainerId, memberIds, condition, notes, stopsNewClients }: Plan): MoveForm {
  return {
    ...newMoveForm(memberIds?.slice(0, MAX_LISTED) ?? []),
    ...formOfCondition(condition ?? undefined),
    to: trainerId === null ? "policy" : "trainer",
    whom: memberIds !== null ? "picked" : condition !== null ? "matching" : "all",
    pasted: memberIds?.slice(MAX_LISTED).join("\n") ?? "",
    notes: notes ?? "",
    stopsNewClients,
  };
}

/** Makes the plan that a form describes; without one, `faults` says what is wrong, in sentences. */
export function planOfForm(
  form: MoveForm,
  trainerId: string | null,
  fields: readonly MemberField[],
): { plan: Plan | undefined; faults: string[] } {
  const { whom, stopsNewClients } = form;
  const notes = Notes.safeParse(form.notes.trim());
  const picked = whom === "picked" ? readPicked(form) : { memberIds: null, faults: [] };
  const matching = whom === "matching" ? conditionOfForm(form, fields) : { when: undefined, faults: [] };
  const faults = [...picked.faults, ...matching.faults];
  if (whom === "matching" && form.conditions.length === 0) {
    faults.push("Add a condition, or choose another answer.");
  }
  if (!notes.success) faults.push("Notes must have at most 10,000 characters, and no invalid ones.");
  if (faults.length > 0) return { plan: undefined, faults };
  const plan = {
    trainerId,
    memberIds: picked.memberIds,
    condition: matching.when ?? null,
    notes: notes.data || null,
    stopsNewClients,
  };
  return { plan, faults };
}

/** A pasted id may have spaces inside, so ids are separated by lines, commas and semicolons. */
const BETWEEN_IDS = /[\n,;]+/;

function readPicked({ ticked, pasted }: MoveForm): { memberIds: string[]; faults: string[] } {
  const parts = pasted.split(BETWEEN_IDS).map((part) => part.trim()).filter((part) => part !== "");
  const wrong = parts.find((part) => readId(part) === undefined);
  const ids = parts.map((part) => readId(part)).filter((id) => id !== undefined);
  const memberIds = [...new Set([...ticked, ...ids])];
  if (wrong !== undefined) {
    return { memberIds, faults: [`This is not a member id: ${wrong.slice(0, 80)}. Write one id a line.`] };
  }
  if (memberIds.length === 0) return { memberIds, faults: ["Pick at least one client."] };
  if (memberIds.length <= MAX_PICKED) return { memberIds, faults: [] };
  const faults = [
    `At most ${MAX_PICKED} clients can be picked at once. A condition can choose more of them.`,
  ];
  return { memberIds, faults };
}
