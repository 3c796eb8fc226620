import type { PolicyDocument } from "../../policy/document.ts";
import { countOf } from "../frame/wording.ts";
import { type Part, respectInWords, ruleInWords, textOf } from "./sentences.ts";

/** One line of a policy that another policy has not, or has elsewhere. */
export interface Change {
  kind: "added" | "removed" | "changed" | "moved";
  /** The rule's name, or which line it is. */
  title: string;
  before?: Line;
  after?: Line;
}

/** @property position of a rule, from 1 */
interface Line {
  position?: number;
  parts: Part[];
}

/** Finds what differs between two policies: rule by rule, which are known by their names, then the rest. */
export function findChanges(before: PolicyDocument, after: PolicyDocument): Change[] {
  const former = new Map(linesOf(before));
  const latter = new Map(linesOf(after));
  const kept = new Set(longestCommon([...former.keys()], [...latter.keys()]));
  const rules: Change[] = [];
  for (const [title, line] of former) {
    if (!latter.has(title)) rules.push({ kind: "removed", title, before: line });
  }
  for (const [title, line] of latter) {
    const old = former.get(title);
    if (old === undefined) rules.push({ kind: "added", title, after: line });
    else if (textOf(old.parts) !== textOf(line.parts)) {
      rules.push({ kind: "changed", title, before: old, after: line });
    } else if (!kept.has(title)) rules.push({ kind: "moved", title, before: old, after: line });
  }
  return [...rules, ...otherChanges(before, after)];
}

/** Says how much differs: `1 rule added, the default trainer changed`. */
export function changesInWords(changes: readonly Change[]): string {
  const kinds = ["added", "removed", "changed", "moved"] as const;
  const rules = kinds.flatMap((kind) => {
    const count = changes.filter((change) => change.kind === kind && isOfRule(change)).length;
    return count === 0 ? [] : [`${countOf(count, "rule")} ${kind}`];
  });
  const others = changes.filter((change) => !isOfRule(change)).map(({ title }) =>
    `${title.toLowerCase()} changed`
  );
  return [...rules, ...others].join(", ") || "nothing changed";
}

const OTHERS = [
  {
    title: "Default trainer",
    say: ({ defaultTrainerId }: PolicyDocument): Part[] => [
      defaultTrainerId === null ? "nobody" : { trainerId: defaultTrainerId },
    ],
  },
  { title: "Who has a trainer", say: (policy: PolicyDocument): Part[] => [respectInWords(policy)] },
];

function otherChanges(before: PolicyDocument, after: PolicyDocument): Change[] {
  return OTHERS.flatMap(({ title, say }) => {
    const [old, parts] = [say(before), say(after)];
    if (textOf(old) === textOf(parts)) return [];
    return [{ kind: "changed" as const, title, before: { parts: old }, after: { parts } }];
  });
}

function isOfRule({ before, after }: Change): boolean {
  return (before ?? after)?.position !== undefined;
}

function linesOf({ rules }: PolicyDocument): [string, Line][] {
  return rules.map((rule, index) => [rule.name, { position: index + 1, parts: ruleInWords(rule) }]);
}

/** The longest list of names that both lists have in the same order: what has not moved. */
function longestCommon(some: string[], others: string[]): string[] {
  // best[j]: of some, as far as seen, and the first j of others.
  let best: string[][] = others.map(() => []);
  best.unshift([]);
  for (const name of some) {
    const next: string[][] = [[]];
    for (const [index, other] of others.entries()) {
      const [above = [], aboveLeft = [], left = []] = [best[index + 1], best[index], next[index]];
      next.push(name === other ? [...aboveLeft, name] : above.length >= left.length ? above : left);
    }
    best = next;
  }
  return best.at(-1) ?? [];
}
