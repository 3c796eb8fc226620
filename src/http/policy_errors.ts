import { AppError } from "../errors.ts";
import type { InputError } from "../input_errors.ts";
import { policyErrors } from "../policy/parse.ts";
import { Problem } from "./problems.ts";
import { invalidRequest } from "./validation.ts";

/** Points at the errors of a policy, or a part of one, where the request has it. */
export async function inBody<T>(place: string, work: Promise<T>, part = "policy"): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "policy_invalid") throw error;
    const errors = below(place, policyErrors(error));
    if (error.details.isMalformed === true) throw invalidRequest(errors);
    throw new Problem(
      "policy_invalid",
      `The ${part} has ${errors.length === 1 ? "one error" : `${errors.length} errors`}. See errors.`,
      { errors },
    );
  }
}

/** Moves pointers into a document to where the request has it. */
export function below(place: string, errors: InputError[]): InputError[] {
  return errors.map(({ pointer, detail }) => ({ pointer: place + pointer, detail }));
}
