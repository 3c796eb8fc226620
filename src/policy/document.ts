import { z } from "zod";
import { isStorable } from "../storable_text.ts";
import { type Condition, FieldName, When } from "./condition.ts";

/** Who trains whom: the first rule that matches and has a trainer to give decides, at last the default trainer. */
export interface PolicyDocument {
  /** The trainer of members whom no rule takes. Null: nobody; such a member is a recorded failure. */
  defaultTrainerId: string | null;
  /** Whether an active assignment to anybody is enough. */
  respectsOtherTrainers: boolean;
  rules: Rule[];
}

export interface Rule {
  /** For people; 1 to 200 characters, no two alike. */
  name: string;
  /** Left out: every member. */
  when?: Condition | undefined;
  assign: Choice;
}

/** Whom a rule assigns. `whenFull`: go on with the rules after it, or wait for room. */
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

export const MAX_RULES = 100;
export const MAX_TRAINERS = 100;
export const MAX_WEIGHT = 1000;
export const MAX_NAME_CHARACTERS = 200;

const TrainerId = z.guid("must be a UUID").toLowerCase();
const WhenFull = z.enum(["next", "wait"], "must be next or wait").default("next");
const WEIGHT = `must be a whole number from 1 to ${MAX_WEIGHT}`;

const Trainers = z.array(
  z.strictObject({
    trainerId: TrainerId,
    weight: z.int(WEIGHT).min(1, WEIGHT).max(MAX_WEIGHT, WEIGHT).default(1),
  }, "must be an object with trainerId and weight"),
  "must be a list of trainers",
).min(1, "must have at least one trainer").max(MAX_TRAINERS, `must have at most ${MAX_TRAINERS} trainers`)
  .superRefine((trainers, context) => {
    const seen = new Set<string>();
    for (const [index, { trainerId }] of trainers.entries()) {
      const path = [index, "trainerId"];
      if (seen.has(trainerId)) context.addIssue({ code: "custom", path, message: "is in the list already" });
      seen.add(trainerId);
    }
  });

const Assign = z.discriminatedUnion("choose", [
  z.strictObject({ choose: z.literal("nobody") }),
  z.strictObject({ choose: z.literal("field"), field: FieldName, whenFull: WhenFull }),
  z.strictObject({
    choose: z.enum(["all", "spread", "most_room"]),
    trainers: Trainers,
    whenFull: WhenFull,
  }),
], "must choose nobody, field, all, spread or most_room");

export const RuleSchema = z.strictObject({
  name: z.string("must be a text").trim().min(1, "must have a name")
    .max(MAX_NAME_CHARACTERS, `must have at most ${MAX_NAME_CHARACTERS} characters`)
    .refine(isStorable, "has characters that cannot be kept"),
  when: When.optional(),
  assign: Assign,
}, "must be an object with name, when and assign");

/** Parses a policy and fills in what it leaves out. What only the database knows is found by `parsePolicy`. */
export const PolicySchema = z.strictObject({
  defaultTrainerId: z.guid("must be a UUID, or null for no default trainer").toLowerCase().nullable(),
  respectsOtherTrainers: z.boolean("must be true or false").default(false),
  rules: z.array(RuleSchema, "must be a list of rules")
    .max(MAX_RULES, `must have at most ${MAX_RULES} rules`)
    .default([])
    .superRefine((rules, context) => {
      const seen = new Set<string>();
      for (const [index, { name }] of rules.entries()) {
        const path = [index, "name"];
        if (seen.has(name)) {
          context.addIssue({ code: "custom", path, message: "is the name of a rule above" });
        }
        seen.add(name);
      }
    }),
}, "must be an object with defaultTrainerId and rules");
