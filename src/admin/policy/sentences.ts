import type { Condition, Leaf } from "../../policy/condition.ts";
import type { Choice, PolicyDocument, Rule } from "../../policy/document.ts";

/** A piece of a sentence. The page links trainers, and sets off fields and values from the words around them. */
export type Part = string | { field: string } | { value: string } | { trainerId: string };

/** Says a rule: `If plan is pro: spread over Anna (2), Ben (1); when full, go on with the next rules.` */
export function ruleInWords(rule: Rule): Part[] {
  const who = rule.when === undefined ? ["Everybody"] : ["If ", ...conditionInWords(rule.when)];
  return [...who, ": ", ...choiceInWords(rule.assign), "."];
}

/** Says which members a condition is for. */
export function conditionInWords(condition: Condition): Part[] {
  if ("field" in condition) return leafInWords(condition);
  if ("not" in condition) return ["not ", ...inParentheses(condition.not)];
  const [children, word] = "all" in condition ? [condition.all, " and "] : [condition.any, " or "];
  const [only] = children;
  if (children.length === 1 && only !== undefined) return conditionInWords(only);
  return joinParts(
    children.map((child) => isGroup(child) ? inParentheses(child) : conditionInWords(child)),
    word,
  );
}

/** Says whom a rule assigns. */
export function choiceInWords(choice: Choice): Part[] {
  if (choice.choose === "nobody") return ["no trainer, by intention"];
  const full = `; when full, ${WHEN_FULL[choice.whenFull ?? "next"]}`;
  if (choice.choose === "field") return ["the trainer whose id is in ", { field: choice.field }, full];
  const trainers = choice.trainers.map(({ trainerId, weight = 1 }): Part[] => [
    { trainerId },
    choice.choose === "spread" && choice.trainers.length > 1 ? ` (${weight})` : "",
  ]);
  const before = trainers.length > 1 ? CHOOSE[choice.choose] : "";
  return [before, ...joinParts(trainers, ", "), full];
}

/** Says what the default trainer is for. */
export function defaultInWords({ defaultTrainerId, rules }: PolicyDocument): Part[] {
  const who = rules.length === 0 ? "Everybody: " : "Everybody else: ";
  return [who, defaultTrainerId === null ? "nobody" : { trainerId: defaultTrainerId }, "."];
}

/** Says what becomes of members who have a trainer. */
export function respectInWords({ respectsOtherTrainers }: PolicyDocument): string {
  return respectsOtherTrainers
    ? "Whoever has a trainer, whichever one, keeps them and gets no other."
    : "Whoever has another trainer keeps them, and gets the trainer of the policy as well.";
}

/** The sentence as text, with the ids of trainers: to tell whether two say the same. */
export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => typeof part === "string" ? part : Object.values(part).join()).join("");
}

const CHOOSE = { all: "all of ", spread: "spread over ", most_room: "whoever has most room of " };
const WHEN_FULL = { next: "go on with the next rules", wait: "wait for room" };

/** What a test asks, in words: of a text or number, and of a date. */
export const OP_WORDS = {
  eq: ["is", "is"],
  ne: ["is not", "is not"],
  in: ["is one of", "is one of"],
  not_in: ["is none of", "is none of"],
  lt: ["is less than", "is before"],
  lte: ["is at most", "is on or before"],
  gt: ["is more than", "is after"],
  gte: ["is at least", "is on or after"],
  exists: ["has a value", "has a value"],
  missing: ["is empty", "is empty"],
  starts_with: ["starts with", "starts with"],
  contains: ["contains", "contains"],
} as const satisfies Record<Leaf["op"], readonly [string, string]>;

const DATE = /^\d{4}-\d{2}-\d{2}/;

function leafInWords({ field, op, value }: Leaf): Part[] {
  const values = value === undefined ? [] : [value].flat();
  const [ofOthers, ofDates] = OP_WORDS[op];
  const words = DATE.test(String(values[0])) ? ofDates : ofOthers;
  const said = values.map((one): Part[] => [{ value: one === "" ? "“”" : String(one) }]);
  return [{ field }, ` ${words}${said.length > 0 ? " " : ""}`, ...joinParts(said, ", ")];
}

function isGroup(condition: Condition): boolean {
  if ("all" in condition) return condition.all.length > 1;
  return "any" in condition && condition.any.length > 1;
}

function inParentheses(condition: Condition): Part[] {
  return ["(", ...conditionInWords(condition), ")"];
}

function joinParts(lists: Part[][], word: string): Part[] {
  return lists.flatMap((parts, index) => index === 0 ? parts : [word, ...parts]);
}
