import type { MemberHook } from "../config/member_hook.ts";
import type { MemberColumns } from "../config/member_columns.ts";
import type { SqlOrTransaction } from "../database/sql.ts";

/** What stands in the way of events of the identity provider. */
export interface MemberHookState {
  provider: string;
  /** What every event would fail at, and what to do; null: the service may not ask. */
  problems: string[] | null;
  /** Events of the last 24 hours that could not be taken. */
  failures: number;
}

/** Asks the database whether it would take events; null where none are configured. */
export async function findMemberHookState(
  sql: SqlOrTransaction,
  hook: MemberHook | null,
  { name, email }: MemberColumns,
): Promise<MemberHookState | null> {
  if (hook === null) return null;
  const { provider } = hook;
  const [granted] = await sql<[{ mayAsk: boolean }]>`
    select coalesce(
      has_function_privilege(to_regprocedure('assignment.find_member_hook_problems(name[])'), 'execute')
        and has_table_privilege(to_regclass('assignment.member_hook_failures'), 'select'),
      false
    ) as may_ask
  `;
  if (!granted.mayAsk) return { provider, problems: null, failures: 0 };
  const filled = [
    ...(name === null || hook.name.length === 0 ? [] : [name.column]),
    ...(email === null || hook.email.length === 0 ? [] : [email.column]),
  ];
  const [row] = await sql<[{ problems: string[]; failures: number }]>`
    select
      array(select assignment.find_member_hook_problems(${filled}::text[]::name[])) as problems,
      (select count(*) from assignment.member_hook_failures where last_failed_at > now() - interval '24 hours') as failures
  `;
  return { provider, ...row };
}

/** Describes it for the check `memberHook` of `/readyz`. */
export function describeMemberHook(
  state: MemberHookState | null,
): { status: "ok" | "degraded"; detail: string } {
  if (state === null) return { status: "ok", detail: "off: MEMBER_HOOK_SECRETS is not set" };
  const { provider, problems, failures } = state;
  if (problems === null) {
    return {
      status: "degraded",
      detail:
        "not known: run deno task migrate, then as the owner: select assignment.grant_service('…role…')",
    };
  }
  const found = [
    ...problems,
    ...(failures === 0
      ? []
      : [`${failures} events of the last 24 hours could not be taken: see GET /v1/hooks/members/failures`]),
  ];
  return found.length === 0
    ? { status: "ok", detail: `takes events of the provider ${provider}` }
    : { status: "degraded", detail: found.join("; ") };
}
