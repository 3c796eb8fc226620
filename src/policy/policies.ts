import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import type { PolicyDocument } from "./document.ts";

/** One version of the policy. The highest is in force; none is ever changed. */
export interface Policy {
  /** From 1. */
  version: number;
  policy: PolicyDocument;
  comment: string | null;
  createdAt: Date;
  /** A token's name, `jwt:` and the subject, or `migration` for version 1. */
  createdBy: string;
}

/** What is amiss with a policy that only the database can tell. */
export interface PolicyProblem {
  /** A JSON pointer into the document: `/rules/2/when/all/0/field`. */
  pointer: string;
  detail: string;
}

/**
 * Reads the policy in force, or one version of it.
 * @throws {AppError} `policy_version_not_found`
 */
export async function getPolicy(sql: Sql, version?: number): Promise<Policy> {
  const [policy] = await sql<Row[]>`
    select version, document::text, comment, created_at, created_by
    from assignment.policies
    ${version === undefined ? sql`` : sql`where version = ${version}`}
    order by version desc
    limit 1
  `;
  if (policy === undefined) {
    throw new AppError("policy_version_not_found", `the policy has no version ${version ?? 1}`);
  }
  return toPolicy(policy);
}

/** Lists versions of the policy, newest first. @param page.after the last version already seen */
export async function listPolicyVersions(
  sql: Sql,
  page: { limit: number; after?: number | undefined },
): Promise<Policy[]> {
  const rows = await sql<Row[]>`
    select version, document::text, comment, created_at, created_by
    from assignment.policies
    ${page.after === undefined ? sql`` : sql`where version < ${page.after}`}
    order by version desc
    limit ${page.limit}
  `;
  return rows.map(toPolicy);
}

/**
 * Finds what is amiss with a policy: errors keep it from being put, warnings do not (a rule that never matches).
 * Fields and trainers are looked up in the database.
 */
export async function findPolicyProblems(
  sql: Sql,
  policy: PolicyDocument,
): Promise<{ errors: PolicyProblem[]; warnings: PolicyProblem[] }> {
  const problems = await sql<(PolicyProblem & { isWarning: boolean })[]>`
    select pointer, detail, is_warning
    from assignment.find_policy_problems(${JSON.stringify(policy)}::text::jsonb)
    order by pointer
  `;
  const pick = (isWarning: boolean) =>
    problems.filter((problem) => problem.isWarning === isWarning).map(({ pointer, detail }) => ({
      pointer,
      detail,
    }));
  return { errors: pick(false), warnings: pick(true) };
}

/**
 * Makes the next version of the policy, in force for whoever signs up from then on.
 * @param options.expectedVersion the version that the change was made from; any, where it is left out
 * @throws {AppError} `policy_invalid` with `details.errors` of {@link PolicyProblem}, or `policy_changed` when another
 *   version is in force.
 */
export async function putPolicy(
  sql: Sql,
  policy: PolicyDocument,
  by: string,
  options: { comment?: string | undefined; expectedVersion?: number | undefined } = {},
): Promise<{ policy: Policy; warnings: PolicyProblem[] }> {
  const { errors, warnings } = await findPolicyProblems(sql, policy);
  if (errors.length > 0) {
    throw new AppError("policy_invalid", "the policy does not fit this database", { errors });
  }
  const [{ version }] = await withAppErrors(sql<[{ version: number }]>`
    select assignment.put_policy(
      ${JSON.stringify(policy)}::text::jsonb, ${by}, ${options.comment ?? null}, ${
    options.expectedVersion ?? null
  }
    ) as version
  `);
  return { policy: await getPolicy(sql, version), warnings };
}

/**
 * Makes a member the default trainer: the next version of the policy, with its rules as they are. Nobody is moved.
 * @throws {AppError} `trainer_not_found` when the trainer is not a member, `policy_changed`
 */
export async function setDefaultTrainer(sql: Sql, trainerId: string, by: string): Promise<Policy> {
  await withAppErrors(sql`select assignment.set_default_trainer(${trainerId}, ${by})`);
  return await getPolicy(sql);
}

/** The document as text, for inside of json the driver would rename its keys. */
type Row = Omit<Policy, "policy"> & { document: string };

function toPolicy({ document, ...rest }: Row): Policy {
  const { version, comment, createdAt, createdBy } = rest;
  return { version, policy: JSON.parse(document), comment, createdAt, createdBy };
}
