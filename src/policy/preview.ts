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

/** All of up to `members` are looked at, of more about as many at random. */
interface Look {
  members: number;
  atMostMs: number;
}

/** What a preview looks at: each next one if the one before takes too long, as on a busy server. */
export const LOOKS = [
  { members: 100_000, atMostMs: 10_000 },
  { members: 10_000, atMostMs: 3_000 },
  { members: 1_000, atMostMs: 2_000 },
] as const satisfies Look[];

/** Of more members the number is an estimate. */
const EXACTLY_COUNTED = LOOKS[0].members;

/**
 * Looks at what a policy would do: over all members, or over a sample that says so.
 * @throws {postgres.PostgresError} 57014 if the last look takes too long as well
 */
export async function previewPolicy(
  sql: Sql,
  policy: PolicyDocument,
  looks: readonly Look[] = LOOKS,
): Promise<PolicyPreview> {
  await prepareReads(sql);
  let canceled: unknown;
  for (const look of looks) {
    try {
      return await lookAt(sql, policy, look);
    } catch (error) {
      if (errorCode(error) !== CANCELED) throw error;
      canceled = error;
    }
  }
  throw canceled;
}

/** Looks in a READ ONLY transaction. */
async function lookAt(sql: Sql, policy: PolicyDocument, look: Look): Promise<PolicyPreview> {
  return await sql.begin("read only isolation level repeatable read", async (transaction) => {
    await transaction`select set_config('statement_timeout', ${String(look.atMostMs)}, true)`;
    const [{ members }] = await transaction<[{ members: number }]>`
      select case
        when counted.members <= ${EXACTLY_COUNTED} then counted.members
        else greatest(counted.members, (select sum(members)::bigint from assignment.member_tables()))
      end as members
      from (select count(*) as members from (select id from public.members limit ${
      EXACTLY_COUNTED + 1
    }) as looked_at) as counted
    `;
    const percent = members <= look.members ? 100 : 100 * look.members / members;
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
