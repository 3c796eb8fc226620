import { parseArgs } from "node:util";
import { type AppError, OperatorError } from "../errors.ts";
import { toInputErrors } from "../input_errors.ts";
import { type Condition, When } from "../policy/condition.ts";
import { policyErrors } from "../policy/parse.ts";
import { isActive, joinTransfer } from "../runs/join.ts";
import { MOST_SELECTED } from "../runs/runs.ts";
import { type Command, UsageError } from "./command.ts";
import { readInput } from "./read_input.ts";
import { isId, requireId, runToEnd } from "./run_to_end.ts";

/** Moves the clients of a trainer from the terminal, beside the service or without it. */
export const transfer: Command = {
  usage: "FROM [TO] [--members FILE] [--condition JSON] [--notes TEXT] [--dry-run] [--json] | --resume RUN",
  summary: "move a trainer's clients; without TO as the policy says; FILE may be - for standard input",
  async run(context) {
    const { values, positionals: [from, to, ...rest] } = parseFlags(context.args);
    const { members, condition, notes, "dry-run": dryRun, json = false, resume } = values;
    requireId("FROM", from);
    requireId("TO", to);
    requireId("--resume", resume);
    if (rest.length > 0) throw new UsageError("transfer takes FROM and TO, and no further trainer");
    if (resume === undefined) {
      if (from === undefined) throw new UsageError("transfer takes FROM: whose clients?");
    } else if ([from, members, condition, notes].some((given) => given !== undefined) || dryRun) {
      throw new UsageError("--resume goes on with a run as it was started: with no flag but --json");
    }
    const request = {
      fromTrainerId: from ?? "",
      trainerId: to,
      condition: condition === undefined ? undefined : parseCondition(condition),
      memberIds: members === undefined ? undefined : parseMembers(members, await readInput(members)),
      notes,
      dryRun,
    };
    return await runToEnd(context, {
      kind: "transfer",
      json,
      resume,
      explain,
      start: (sql, requestedBy) => joinTransfer(sql, { ...request, requestedBy }),
    });
  },
};

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        members: { type: "string" },
        condition: { type: "string" },
        notes: { type: "string" },
        "dry-run": { type: "boolean" },
        json: { type: "boolean" },
        resume: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseCondition(text: string): Condition {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--condition is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const { data, error } = When.safeParse(input);
  if (data !== undefined) return data;
  const faults = toInputErrors(error, ["condition"]).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  throw new UsageError(faults.join("\n"));
}

/** Reads ids between white space or commas: a line each, or a column of a CSV without a header. */
function parseMembers(file: string, text: string): string[] {
  const ids = [...new Set(text.split(/[\s,]+/).filter((word) => word !== "").map((id) => id.toLowerCase()))];
  const wrong = ids.find((id) => !isId(id));
  if (wrong !== undefined) throw new OperatorError(`${file} has ids of members only: ${wrong} is not a UUID`);
  if (ids.length === 0 || ids.length > MOST_SELECTED) {
    throw new OperatorError(`${file} has ${ids.length} members: a transfer takes 1 to ${MOST_SELECTED}`);
  }
  return ids;
}

function explain(error: AppError): string {
  switch (error.code) {
    case "policy_invalid":
      return policyErrors(error).map(({ pointer, detail }) => `${pointer}: ${detail}`).join("\n");
    case "no_successor":
      return `${error.message}: name who takes over as TO`;
    default:
      return isActive(error)
        ? `${error.message}: follow it with --resume ${error.details["runId"]}`
        : error.message;
  }
}
