import { type By, toActor } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import type { PolicyDocument } from "./document.ts";
import { type ParsedPolicy, parsePolicy } from "./parse.ts";

/** One version of the policy. The highest is in force; none is ever changed. */
export interface Policy {
  /** From 1. */
  version: number;
  policy: PolicyDocument;
  comment: string | null;
  createdAt: Date;
  /** The actor; `migration` for version 1. */
  createdBy: string;
}

/** One version in a list: who wrote it, when and why. */
export interface PolicyVersion extends Omit<Policy, "policy"> {
  defaultTrainerId: string | null;
  /** How many rules it has. */
  rules: number;
}

/**
 * Reads the policy in force, or one version of it.
 * @throws {AppError} `policy_version_not_found`
 */
export async function getPolicy(sql: Sql, version?: number): Promise<Policy> {
  const [row] = await sql<Row[]>`
    select version, document::text, comment, created_at, created_by
    from assignment.policies
    ${version === undefined ? sql`` : sql`where version = ${version}`}
    order by version desc
    limit 1
  `;
  if (row === undefined) {
    throw new AppError("policy_version_not_found", `the policy has no version ${version ?? 1}`);
  }
  return toPolicy(row);
}

/** Lists versions with their documents, newest first. @param page.after the last version already seen */
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

/** Reads the version that made the present default trainer the default; undefined if none is set. */
export async function findDefaultTrainerVersion(
  sql: Sql,
): Promise<Pick<Policy, "version" | "createdAt" | "createdBy"> | undefined> {
  const [row] = await sql<Pick<Policy, "version" | "createdAt" | "createdBy">[]>`
    select since.version, p.created_at, p.created_by
    from assignment.settings s
    cross join lateral (
      select min(p.version) as version
      from assignment.policies p
      where p.version > coalesce(
        (
          select max(o.version)
          from assignment.policies o
          where o.document ->> 'defaultTrainerId' is distinct from s.default_trainer_id::text
        ),
        0
      )
    ) as since
    join assignment.policies p on p.version = since.version
    where s.default_trainer_id is not null
  `;
  return row;
}

/** Finds versions by their numbers. Numbers without a version are left out. */
export async function findPolicies(sql: Sql, versions: readonly number[]): Promise<Policy[]> {
  const rows = await sql<Row[]>`
    select version, document::text, comment, created_at, created_by
    from assignment.policies
    where version = any (${[...new Set(versions)]}::integer[])
    order by version
  `;
  return rows.map(toPolicy);
}

/** Lists versions without their documents, which may be large; otherwise as {@link listPolicyVersions}. */
export async function listPolicyHistory(
  sql: Sql,
  page: { limit: number; after?: number | undefined },
): Promise<PolicyVersion[]> {
  return [
    ...await sql<PolicyVersion[]>`
      select
        version,
        comment,
        created_at,
        created_by,
        document ->> 'defaultTrainerId' as default_trainer_id,
        jsonb_array_length(document -> 'rules') as rules
      from assignment.policies
      ${page.after === undefined ? sql`` : sql`where version < ${page.after}`}
      order by version desc
      limit ${page.limit}
    `,
  ];
}

/**
 * Makes the next version of the policy, in force for whoever signs up from then on. The document of the version
 * in force makes no new one, so that a repeated request does no harm.
 * @param input what {@link parsePolicy} takes
 * @param options.expectedVersion the version that the change was made from; left out: any
 * @throws {AppError} as {@link parsePolicy}, and `policy_changed` when another version is in force
 */
export async function putPolicy(
  sql: Sql,
  input: unknown,
  by: By,
  options: { comment?: string | undefined; expectedVersion?: number | undefined } = {},
): Promise<{ policy: Policy; warnings: ParsedPolicy["warnings"]; isNew: boolean }> {
  const { policy, warnings } = await parsePolicy(sql, input);
  const document = JSON.stringify(policy);
  const [unchanged] = await sql<Row[]>`
    select version, document::text, comment, created_at, created_by
    from assignment.policies
    where version = (select max(version) from assignment.policies)
      and document = ${document}::text::jsonb
  `;
  if (unchanged !== undefined) return { policy: toPolicy(unchanged), warnings, isNew: false };
  const { comment = null, expectedVersion = null } = options;
  const { actor, requestId } = toActor(by);
  const [{ version }] = await withAppErrors(sql<[{ version: number }]>`
    select assignment.put_policy(
      ${document}::text::jsonb, ${actor}, ${comment}, ${expectedVersion}, ${requestId}
    ) as version
  `);
  return { policy: await getPolicy(sql, version), warnings, isNew: true };
}

/**
 * Makes a member the default trainer: the next version of the policy, with its rules as they are. Nobody is moved.
 * @throws {AppError} `trainer_not_found` when the trainer is not a member, `policy_changed`
 */
export async function setDefaultTrainer(sql: Sql, trainerId: string, by: By): Promise<Policy> {
  const { actor, requestId } = toActor(by);
  await withAppErrors(sql`select assignment.set_default_trainer(${trainerId}, ${actor}, ${requestId})`);
  return await getPolicy(sql);
}

/** The document as text, because the driver would rename the keys of json. */
type Row = Omit<Policy, "policy"> & { document: string };

function toPolicy({ version, document, comment, createdAt, createdBy }: Row): Policy {
  return { version, policy: JSON.parse(document), comment, createdAt, createdBy };
}
