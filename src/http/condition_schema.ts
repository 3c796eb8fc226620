import { z } from "@hono/zod-openapi";
import { MAX_LEAVES, MAX_LEVELS, MAX_VALUES, OPS } from "../policy/condition.ts";

const Value = z.union([z.string(), z.number(), z.boolean()]);

const Test = z.strictObject({
  field: z.string().min(1).max(200).openapi({
    description: "A column of `members`, or with dots a path into a json column.",
    example: "profile.language",
  }),
  op: z.enum(OPS).openapi({
    description:
      "How `field` is compared with `value`. A field that is absent or null matches `missing` only.",
    example: "in",
  }),
  value: z.union([Value, z.array(Value).min(1).max(MAX_VALUES)]).optional().openapi({
    description:
      `A list of 1 to ${MAX_VALUES} with \`in\` and \`not_in\`; left out with \`exists\` and \`missing\`. ` +
      "Dates and times are ISO 8601, without a zone in UTC.",
    example: ["de", "de-AT"],
  }),
}).openapi("Test", { description: "A test of one field of the member's row." });

const Nested = z.unknown().openapi({ allOf: [{ $ref: "#/components/schemas/Condition" }] });
const Group = z.array(Nested).min(1).max(MAX_LEAVES);

/** Whom a rule, or a transfer, is for. */
export const Condition = z.union([
  Test,
  z.strictObject({ all: Group }),
  z.strictObject({ any: Group }),
  z.strictObject({ not: Nested }).openapi({ required: ["not"] }),
]).openapi("Condition", {
  description:
    `A test, or \`all\`, \`any\` or \`not\` around others. At most ${MAX_LEAVES} tests and ${MAX_LEVELS} levels.`,
});
