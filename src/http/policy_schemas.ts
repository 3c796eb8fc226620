import { z } from "@hono/zod-openapi";
import { ACTOR_FORMS } from "../actor.ts";
import { MAX_NAME_CHARACTERS, MAX_RULES, MAX_TRAINERS, MAX_WEIGHT } from "../policy/document.ts";
import { Condition } from "./condition_schema.ts";
import { EXAMPLE, Time, TrainerId } from "./schemas.ts";

/**
 * The policy as it is documented. `parsePolicy` checks what callers send, because it points at each part that is
 * wrong. tests/http/policy_schema_test.ts holds the two against each other.
 */
const WhenFull = z.enum(["next", "wait"]).optional().openapi({
  default: "next",
  description:
    "If no trainer of the rule has room. `next`: go on with the rules after it. `wait`: the member waits, as a failure " +
    "that is retried as soon as there is room.",
});

const Choice = z.discriminatedUnion("choose", [
  z.strictObject({ choose: z.literal("nobody") }),
  z.strictObject({
    choose: z.literal("field"),
    field: z.string().openapi({
      description: "The field with the trainer's id. If it names nobody, the rule does not match.",
      example: "preferred_coach_id",
    }),
    whenFull: WhenFull,
  }),
  z.strictObject({
    choose: z.enum(["all", "spread", "most_room"]),
    trainers: z.array(z.strictObject({
      trainerId: TrainerId,
      weight: z.int().min(1).max(MAX_WEIGHT).optional().openapi({
        default: 1,
        description: "For `spread`: a trainer with weight 2 gets twice as many members as one with 1.",
      }),
    })).min(1).max(MAX_TRAINERS),
    whenFull: WhenFull,
  }),
]).openapi("Choice", {
  description:
    "Whom the rule assigns. `nobody`: the members stay without a trainer. `field`: the trainer named in the member's row. " +
    "`all`: each of the trainers. `spread`: one of them, by weight. `most_room`: the one with the largest share of " +
    "free places.",
});

const Rule = z.strictObject({
  name: z.string().min(1).max(MAX_NAME_CHARACTERS).openapi({
    description: "For people. No two rules may have the same.",
    example: "Pro members who speak German",
  }),
  when: Condition.optional(),
  assign: Choice,
}).openapi("Rule", {
  description:
    "Whom it is for (`when`; left out: every member), and whom they get (`assign`). The first rule that matches and has " +
    "a trainer to give decides.",
});

const DefaultTrainerId = TrainerId.nullable().openapi({
  description:
    "The trainer of members whom no rule takes. Null: nobody; a member whom no rule takes is a recorded failure.",
});
const RESPECTS =
  "Whether members with any active assignment get no further trainer. False: only an assignment, active or ended, to a " +
  "trainer of the rule counts.";

/** A policy with nothing left out. */
export const PolicyDocument = z.object({
  defaultTrainerId: DefaultTrainerId,
  respectsOtherTrainers: z.boolean().openapi({ description: RESPECTS }),
  rules: z.array(Rule).max(MAX_RULES),
}).openapi("PolicyDocument");

/** What callers send; checked by `parsePolicy`. */
export const PolicyRequest = z.looseObject({}).openapi("PolicyRequest", {
  type: "object",
  description: "A policy: who trains whom.",
  required: ["defaultTrainerId"],
  properties: {
    defaultTrainerId: {
      type: ["string", "null"],
      format: "uuid",
      description:
        "The trainer of members whom no rule takes. Null: nobody; a member whom no rule takes is a recorded failure.",
    },
    respectsOtherTrainers: { type: "boolean", default: false, description: RESPECTS },
    rules: {
      type: "array",
      maxItems: MAX_RULES,
      default: [],
      items: { $ref: "#/components/schemas/Rule" },
    },
  },
  additionalProperties: false,
});

const Version = z.int().min(1).openapi({ description: "1, 2, 3, …", example: 3 });

const VERSION_FIELDS = {
  version: Version,
  comment: z.string().nullable().openapi({ description: "What its author said of it." }),
  createdAt: Time,
  createdBy: z.string().openapi({
    description: `Who made the version: ${ACTOR_FORMS}.`,
    example: "ops",
  }),
};

export const Policy = z.object({ ...VERSION_FIELDS, policy: PolicyDocument }).openapi("Policy");

const Warning = z.object({
  pointer: z.string().openapi({
    description: "JSON Pointer (RFC 6901) into `{body}`.",
    example: "/body/rules/2",
  }),
  detail: z.string().openapi({ example: "never matches: rule 1 takes every member before" }),
}).openapi("Warning");

export const WrittenPolicy = Policy.extend({
  warnings: z.array(Warning).openapi({
    description: "What is probably a mistake, such as a rule that never matches.",
  }),
}).openapi("WrittenPolicy");

export const PolicyVersion = z.object({
  ...VERSION_FIELDS,
  defaultTrainerId: TrainerId.nullable(),
  rules: z.int().min(0).openapi({ description: "How many rules it has." }),
}).openapi("PolicyVersion");

export const PolicyVersionPage = z.object({
  versions: z.array(PolicyVersion),
  next: z.string().nullable(),
}).openapi("PolicyVersionPage");

export const DOCUMENT_EXAMPLE = {
  defaultTrainerId: EXAMPLE.trainerId,
  respectsOtherTrainers: false,
  rules: [
    {
      name: "Staff and deleted accounts",
      when: {
        any: [
          { field: "deleted_at", op: "exists" as const },
          { field: "is_staff", op: "eq" as const, value: true },
        ],
      },
      assign: { choose: "nobody" as const },
    },
    {
      name: "Asked for a coach",
      assign: { choose: "field" as const, field: "preferred_coach_id", whenFull: "next" as const },
    },
    {
      name: "Pro members who speak German",
      when: {
        all: [
          { field: "plan", op: "eq" as const, value: "pro" },
          { field: "profile.language", op: "in" as const, value: ["de", "de-AT"] },
        ],
      },
      assign: {
        choose: "spread" as const,
        trainers: [
          { trainerId: EXAMPLE.memberId, weight: 2 },
          { trainerId: EXAMPLE.otherMemberId, weight: 1 },
        ],
        whenFull: "next" as const,
      },
    },
  ],
};

export const VERSION_EXAMPLE = {
  version: 3,
  comment: "German-speaking coaches for pro members",
  createdAt: EXAMPLE.time,
  createdBy: "ops",
};
