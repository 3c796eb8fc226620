import { describe } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { among, putRules, setCapacity } from "./policies.ts";

/** A policy under which every member gets the default trainer, by one way or another. */
export interface SignupPolicy {
  hasRules: boolean;
  put(sql: Sql): Promise<void>;
}

/** More seats than any of these tests takes. */
const CAPACITY = 1000;

const RULES: SignupPolicy = {
  hasRules: true,
  async put(sql) {
    await putRules(sql, [
      {
        name: "Left alone",
        when: { field: "email", op: "starts_with", value: "nobody@" },
        assign: { choose: "nobody" },
      },
      {
        name: "Everybody",
        when: { any: [{ field: "id", op: "exists" }, { field: "display_name", op: "exists" }] },
        assign: among("spread", [DEFAULT_TRAINER_ID]),
      },
    ]);
    await setCapacity(sql, DEFAULT_TRAINER_ID, CAPACITY);
  },
};

/** Describes what holds without rules, and again with rules and seats. */
export function describeByPolicy(what: string, tests: (policy: SignupPolicy) => void): void {
  describe(what, () => tests({ hasRules: false, put: () => Promise.resolve() }));
  describe(`${what} (with rules)`, () => tests(RULES));
}
