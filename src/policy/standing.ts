import type { PolicyDocument } from "./document.ts";

/** Where a policy names a trainer, and so sends new clients to them. */
export interface Standing {
  isDefault: boolean;
  /** The names of the rules, in order. */
  rules: string[];
}

/** Finds where a policy names a trainer. Rules that take the trainer from the member's row name nobody. */
export function findStanding({ defaultTrainerId, rules }: PolicyDocument, trainerId: string): Standing {
  const names = rules.filter(({ assign }) =>
    "trainers" in assign && assign.trainers.some((trainer) => trainer.trainerId === trainerId)
  ).map(({ name }) => name);
  return { isDefault: defaultTrainerId === trainerId, rules: names };
}
