import { parseArgs } from "node:util";
import { changesInWords, findChanges } from "../admin/policy/changes.ts";
import { defaultInWords, respectInWords, ruleInWords, textOf } from "../admin/policy/sentences.ts";
import { parseConfig } from "../config.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, OperatorError } from "../errors.ts";
import type { InputError } from "../input_errors.ts";
import { parsePolicy, policyErrors } from "../policy/parse.ts";
import { getPolicy, listPolicyHistory, putPolicy } from "../policy/policies.ts";
import { formatIsoTime } from "../times.ts";
import { actorAtTerminal } from "./actor.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { openCommandDatabase } from "./open_database.ts";
import { readInput } from "./read_input.ts";

const PAGE_ROWS = 100;

/** Shows and changes the policy from the terminal, for those who keep its document in version control. */
export const policy: Command = {
  usage: "show [--json] | check FILE | put FILE [--comment TEXT] [--expect VERSION] | history",
  summary: "who trains whom; FILE may be - for standard input",
  async run(context) {
    const { action, ...request } = parseRequest(context.args);
    const input = request.file === undefined ? undefined : await readDocument(request.file);
    const database = await openCommandDatabase(parseConfig(context.environment));
    try {
      await ACTIONS[action](database.sql, { ...request, input }, context);
      return 0;
    } catch (error) {
      throw error instanceof AppError ? new OperatorError(explain(error)) : error;
    } finally {
      await database.close();
    }
  },
};

interface Request {
  json: boolean;
  comment: string | undefined;
  /** The version that has to be in force for `put`. */
  expect: number | undefined;
  /** The document in FILE. */
  input: unknown;
}

type Action = (sql: Sql, request: Request, context: Pick<CommandContext, "print">) => Promise<void>;

const ACTIONS = { show, check, put, history } satisfies Record<string, Action>;

async function show(sql: Sql, { json }: Request, { print }: Pick<CommandContext, "print">): Promise<void> {
  const { policy, version, createdAt, createdBy, comment } = await getPolicy(sql);
  if (json) return JSON.stringify(policy, null, 2).split("\n").forEach(print);
  print(
    `Version ${version}, ${formatIsoTime(createdAt)}, ${createdBy}${comment === null ? "" : `: ${comment}`}`,
  );
  for (const [index, rule] of policy.rules.entries()) {
    print(`${index + 1}. ${rule.name}: ${textOf(ruleInWords(rule))}`);
  }
  print(textOf(defaultInWords(policy)));
  print(respectInWords(policy));
}

async function check(sql: Sql, { input }: Request, { print }: Pick<CommandContext, "print">): Promise<void> {
  const { policy, warnings } = await parsePolicy(sql, input);
  printWarnings(warnings, print);
  const { policy: former, version } = await getPolicy(sql);
  print(`valid; compared with version ${version}: ${changesInWords(findChanges(former, policy))}`);
}

async function put(
  sql: Sql,
  { input, comment, expect }: Request,
  { print }: Pick<CommandContext, "print">,
): Promise<void> {
  const former = await getPolicy(sql);
  const { policy, warnings, isNew } = await putPolicy(sql, input, actorAtTerminal(), {
    comment,
    expectedVersion: expect ?? former.version,
  });
  printWarnings(warnings, print);
  print(
    isNew
      ? `version ${policy.version}: ${changesInWords(findChanges(former.policy, policy.policy))}`
      : `nothing changed: version ${policy.version} stays in force`,
  );
}

async function history(sql: Sql, _: Request, { print }: Pick<CommandContext, "print">): Promise<void> {
  let after: number | undefined;
  for (;;) {
    const versions = await listPolicyHistory(sql, { limit: PAGE_ROWS, after });
    for (const { version, createdAt, createdBy, rules, comment } of versions) {
      const about = `${rules} rule(s)${comment === null ? "" : `  ${comment}`}`;
      print(`${String(version).padStart(4)}  ${formatIsoTime(createdAt)}  ${createdBy}  ${about}`);
    }
    after = versions.at(-1)?.version;
    if (versions.length < PAGE_ROWS) return;
  }
}

function parseRequest(args: readonly string[]) {
  const { values: { json = false, comment, expect }, positionals } = parseFlags(args);
  const [action = "show", file, ...rest] = positionals;
  if (!isAction(action)) throw new UsageError(`policy takes show, check, put or history, not ${action}`);
  const takesFile = action === "check" || action === "put";
  if (takesFile !== (file !== undefined) || rest.length > 0) {
    throw new UsageError(takesFile ? `policy ${action} takes one FILE` : `policy ${action} takes no FILE`);
  }
  if (json && action !== "show") throw new UsageError("--json belongs to policy show");
  if ((comment ?? expect) !== undefined && action !== "put") {
    throw new UsageError("--comment and --expect belong to policy put");
  }
  if (expect !== undefined && !/^[1-9]\d{0,8}$/.test(expect)) {
    throw new UsageError("--expect takes a version: 1, 2, 3, …");
  }
  return { action, file, json, comment, expect: expect === undefined ? undefined : Number(expect) };
}

function isAction(name: string): name is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, name);
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: "boolean" }, comment: { type: "string" }, expect: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function readDocument(file: string): Promise<unknown> {
  const text = await readInput(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`${file} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function explain(error: AppError): string {
  switch (error.code) {
    case "policy_invalid":
      return policyErrors(error).map(inWords).join("\n");
    case "policy_changed":
      return `${error.message}: see deno task policy show, and put your change of that version`;
    default:
      return error.message;
  }
}

function printWarnings(warnings: InputError[], print: (line: string) => void): void {
  for (const warning of warnings) print(`warning: ${inWords(warning)}`);
}

function inWords({ pointer, detail }: InputError): string {
  return `${pointer === "" ? "the document" : pointer}: ${detail}`;
}
