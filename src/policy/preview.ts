import { prepareReads } from "../database/distributed.ts";
import { CANCELED } from "../database/error_kinds.ts";
import type { Sql } from "../database/sql.ts";
import { errorCode, withAppErrors } from "../errors.ts";
import type { PolicyDocument } from "./document.ts";

/** What becomes of a member by a policy. */
export const OUTCOMES = [
  ...["assign", "excluded", "already_assigned", "ended", "is_trainer", "no_room"] as const,
] as const;
export type Outcome = typeof OUTCOMES[number];

/** What a policy would do, were it put now. */
export interface PolicyPreview {
  /** How many were looked at. */
  members: number;
  /** Whether that is a sample of all members, by chance: multiply by `100 / percent`. */
  isSample: boolean;
  percent: number;
  /** What a run would do: members by rule (null: the default trainer), trainer and outcome. */
  outcomes: { rule: number | null; trainerId: string | null; outcome: Outcome; members: number }[];
  /** Members of whose kind a signup would go to somebody else than now. */
  changed: number;
  /** Signups like the members, by the trainer whom they would go to by the policy in force and by this one. */
  shares: { trainerId: string | null; before: number; after: number }[];
}

/** What the policy in force says of one member, rule by rule. */
export interface Decision {
  memberId: string;
  policyVersion: number;
  /** One; of a rule that chooses all trainers one a trainer. */
  choices: { outcome: Outcome; rule: number | null; trainerId: string | null }[];
  rules: {
    rule: number;
    name: string;
    matches: boolean;
    /** Those whom the rule can choose. `room` null: no limit. */
    trainers: { trainerId: string; isMember: boolean; acceptsClients: boolean; room: number | null }[];
  }[];
}

/** Up to so many members are all looked at; of more, about as many at random. */
export const MAX_PREVIEW_MEMBERS = 100_000;
/** The size of the sample when the first look takes longer than {@link LONG_LOOK_MS}. */
export const SLOW_PREVIEW_MEMBERS = 10_000;
const LONG_LOOK_MS = 10_000;
const SHORT_LOOK_MS = 5_000;

/**
 * Looks at what a policy would do: over all members, or over a sample that says so.
 * @param options.longLookMs after this time it takes a smaller sample instead, within another 5 s
 * @throws {postgres.PostgresError} 57014 if the smaller sample takes too long as well
 */
export async function previewPolicy(
  sql: Sql,
  policy: PolicyDocument,
  { longLookMs = LONG_LOOK_MS } = {},
): Promise<PolicyPreview> {
  await prepareReads(sql);
  try {
    return await lookAt(sql, policy, MAX_PREVIEW_MEMBERS, longLookMs);
  } catch (error) {
    if (errorCode(error) !== CANCELED) throw error;
    return await lookAt(sql, policy, SLOW_PREVIEW_MEMBERS, SHORT_LOOK_MS);
  }
}

/** Looks at up to `mostMembers` in a READ ONLY transaction; each statement may take `timeoutMs`. */
async function lookAt(
  sql: Sql,
  policy: PolicyDocument,
  mostMembers: number,
  timeoutMs: number,
): Promise<PolicyPreview> {
  return await sql.begin("read only isolation level repeatable read", async (transaction) => {
    await transaction`select set_config('statement_timeout', ${String(timeoutMs)}, true)`;
    const [{ members }] = await transaction<[{ members: number }]>`
      select case
        when counted.members <= ${MAX_PREVIEW_MEMBERS} then counted.members
        else greatest(counted.members, (select sum(members)::bigint from assignment.member_tables()))
      end as members
      from (select count(*) as members from (select id from public.members limit ${
      MAX_PREVIEW_MEMBERS + 1
    }) as looked_at) as counted
    `;
    const percent = members <= mostMembers ? 100 : 100 * mostMembers / members;
    const document = JSON.stringify(policy);
    const [{ preview }] = await withAppErrors(
      transaction<[{ preview: Omit<PolicyPreview, "isSample" | "percent"> }]>`
        select assignment.preview_policy(${document}::text::jsonb, ${percent}::real) as preview
      `,
    );
    return { ...preview, isSample: percent < 100, percent };
  });
}

/**
 * Says what the policy in force would do with a member now, and why.
 * @throws {AppError} `member_not_found`
 */
export async function explainDecision(sql: Sql, memberId: string): Promise<Decision> {
  const [{ decision }] = await withAppErrors(sql<[{ decision: Omit<Decision, "memberId"> }]>`
    select assignment.explain_decision(${memberId}) as decision
  `);
  return { memberId, ...decision };
}
