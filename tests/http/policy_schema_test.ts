/** The policy's documented schema beside what parses it: they are two, because only the latter points at each error. */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { OPS } from "../../src/policy/condition.ts";
import { PolicySchema } from "../../src/policy/document.ts";
import { DOCUMENT_EXAMPLE } from "../../src/http/policy_schemas.ts";
import { ownDocument } from "../../tools/client_operations.ts";
import { Contract } from "./contract.ts";

const ID = "00000000-0000-4000-8000-000000000001";
const SCHEMA = { $ref: "#/components/schemas/PolicyRequest" };

const contract = new Contract(await ownDocument());

describe("the documented schema of the policy", () => {
  const isDocumented = (document: unknown) => contract.mismatch(SCHEMA, document, "") === undefined;
  const isTaken = (document: unknown) => PolicySchema.safeParse(document).success;

  const values: Record<string, fc.Arbitrary<unknown>> = {
    exists: fc.constant(undefined),
    missing: fc.constant(undefined),
    starts_with: fc.string({ maxLength: 9 }),
    in: fc.array(fc.oneof(fc.string({ maxLength: 9 }), fc.integer()), { minLength: 1, maxLength: 5 }),
    not_in: fc.array(fc.boolean(), { minLength: 1, maxLength: 2 }),
  };
  const test = fc.constantFrom(...OPS).chain((op) =>
    (values[op] ??
      fc.oneof(
        fc.string({ maxLength: 9 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
      ))
      .map((value) => ({ field: "a.b", op, ...(value === undefined ? {} : { value }) }))
  );
  const { condition } = fc.letrec((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      test,
      fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie("condition"), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
      tie("condition").map((not) => ({ not })),
    ),
  }));
  const trainers = fc.record({ trainerId: fc.constant(ID), weight: fc.integer({ min: 1, max: 1000 }) }, {
    requiredKeys: ["trainerId"],
  }).map((trainer) => [trainer]);
  const whenFull = fc.constantFrom("next", "wait");
  const assign = fc.oneof(
    fc.constant({ choose: "nobody" }),
    fc.record({ choose: fc.constant("field"), field: fc.constant("coach"), whenFull }, {
      requiredKeys: ["choose", "field"],
    }),
    fc.record({ choose: fc.constantFrom("all", "spread", "most_room"), trainers, whenFull }, {
      requiredKeys: ["choose", "trainers"],
    }),
  );
  const rule = fc.record({ name: fc.uuid(), when: condition, assign }, { requiredKeys: ["name", "assign"] });
  const policy = fc.record({
    defaultTrainerId: fc.constantFrom(ID, null),
    respectsOtherTrainers: fc.boolean(),
    rules: fc.array(rule, { maxLength: 4 }),
  }, { requiredKeys: ["defaultTrainerId"] });

  it("takes whatever is parsed", () => {
    fc.assert(fc.property(policy, (document) => {
      // Without the undefined and the negative zero, which JSON does not have.
      const sent: unknown = JSON.parse(JSON.stringify(document));
      assertEquals([isTaken(sent), isDocumented(sent)], [true, true], JSON.stringify(sent));
    }));
    assertEquals(isTaken(DOCUMENT_EXAMPLE), true);
  });

  it("refuses what is refused", () => {
    const nobody = { choose: "nobody" };
    const one = (rule: unknown) => ({ defaultTrainerId: ID, rules: [rule] });
    const when = (condition: unknown) => one({ name: "A", when: condition, assign: nobody });
    for (
      const document of [
        {},
        [],
        { defaultTrainerId: 1 },
        { defaultTrainerId: ID, more: 1 },
        { defaultTrainerId: ID, respectsOtherTrainers: "yes" },
        { defaultTrainerId: ID, rules: Array(101).fill({ name: "A", assign: nobody }) },
        one({ assign: nobody }),
        one({ name: "", assign: nobody }),
        one({ name: "A" }),
        one({ name: "A", assign: { choose: "one" } }),
        one({ name: "A", assign: { choose: "nobody", field: "x" } }),
        one({ name: "A", assign: { choose: "field" } }),
        one({ name: "A", assign: { choose: "spread", trainers: [] } }),
        one({ name: "A", assign: { choose: "spread", trainers: [{ trainerId: ID, weight: 0 }] } }),
        one({ name: "A", assign: { choose: "spread", trainers: [{ trainerId: ID }], whenFull: "never" } }),
        when({}),
        when({ all: [] }),
        when({ not: [] }),
        when({ all: [{ field: "x", op: "exists" }], any: [] }),
        when({ not: { all: [{ field: "x", op: "like" }] } }),
        when({ field: "x", op: "eq", value: null }),
        when({ field: "x", op: "eq", value: {} }),
        when({ field: "x", op: "in", value: [] }),
        when({ field: "x", op: "exists", more: 1 }),
        when({ op: "exists" }),
      ]
    ) assertEquals([isTaken(document), isDocumented(document)], [false, false], JSON.stringify(document));
  });
});
