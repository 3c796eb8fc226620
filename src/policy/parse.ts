import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { type InputError, toInputErrors } from "../input_errors.ts";
import { MAX_RULES, type PolicyDocument, PolicySchema, RuleSchema } from "./document.ts";

/** A document that can be put into force. */
export interface ParsedPolicy {
  policy: PolicyDocument;
  /** What is probably a mistake, such as a rule that never matches. */
  warnings: InputError[];
}

/**
 * Parses a policy and finds all that is wrong with it at once: its form, and what only the database knows
 * (columns, values, trainers).
 * @throws {AppError} `policy_invalid` with `details.errors` of {@link InputError}, pointers into the document;
 *   `details.isMalformed` tells that its form is wrong. `rows_hidden`
 */
export async function parsePolicy(sql: Sql, input: unknown): Promise<ParsedPolicy> {
  const { data, error } = PolicySchema.safeParse(input);
  const problems = await findProblems(sql, data ?? keepWellFormed(input));
  const malformed = error === undefined ? [] : toInputErrors(error);
  const errors = [...malformed, ...problems.filter(({ isWarning }) => !isWarning).map(toInputError)];
  if (data === undefined || errors.length > 0) {
    throw new AppError("policy_invalid", describe(errors), {
      errors: errors.sort(byPlace),
      isMalformed: malformed.length > 0,
    });
  }
  return { policy: data, warnings: problems.map(toInputError).sort(byPlace) };
}

/** What a `policy_invalid` found. */
export function policyErrors({ message, details }: AppError): InputError[] {
  if (Array.isArray(details.errors)) return details.errors;
  return [{ pointer: String(details.pointer ?? ""), detail: message }];
}

/** The rules that can be looked at in spite of the others, each in its place. */
function keepWellFormed(input: unknown): PolicyDocument {
  const { defaultTrainerId, rules } = Object(input);
  const asked = PolicySchema.shape.defaultTrainerId.safeParse(defaultTrainerId);
  return {
    defaultTrainerId: asked.data ?? null,
    respectsOtherTrainers: false,
    rules: (Array.isArray(rules) ? rules : []).slice(0, MAX_RULES).map((rule) =>
      RuleSchema.safeParse(rule).data ?? { name: "", assign: { choose: "nobody" } }
    ),
  };
}

async function findProblems(sql: Sql, policy: PolicyDocument) {
  return await withAppErrors(sql<(InputError & { isWarning: boolean })[]>`
    select pointer, detail, is_warning
    from assignment.find_policy_problems(${JSON.stringify(policy)}::text::jsonb)
  `);
}

function toInputError({ pointer, detail }: InputError): InputError {
  return { pointer, detail };
}

function byPlace(one: InputError, other: InputError): number {
  return one.pointer.localeCompare(other.pointer, "en", { numeric: true });
}

function describe(errors: InputError[]): string {
  return errors.length === 1 ? "the policy has one error" : `the policy has ${errors.length} errors`;
}
