import type { MemberColumns } from "../config/member_columns.ts";
import type { MemberHook } from "../config/member_hook.ts";
import { appliedMigrations } from "../database/migrate.ts";
import { listMigrations } from "../database/migration_files.ts";
import { LOCKED, type Locked, LOOK_LOCK_TIMEOUT_MS, orHidden, orLocked } from "../database/locks.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import { checkStructure } from "../database/structure/check_structure.ts";
import type { Difference } from "../database/structure/differences.ts";
import { findMembersTable, isReadable, type MembersTable } from "../database/structure/members_table.ts";
import { type Access, readAccess } from "./access.ts";
import { findMemberHookState, type MemberHookState } from "./member_hook.ts";
import { findNames, type Names } from "./names.ts";
import { type MembersTrigger, readMembersTrigger } from "./members_trigger.ts";
import { readRuleFaults, type RuleFault } from "./policy_state.ts";

/**
 * What a look at the database found. Null: it depends on something that `differences` or `members` reports as
 * missing.
 */
export interface HealthFindings {
  migrations: Migrations | Locked;
  differences: Difference[] | Locked;
  members: MembersTable;
  trigger: MembersTrigger | null | Locked;
  defaultTrainer: DefaultTrainer | null | Locked;
  ruleFaults: RuleFault[] | null | Locked;
  failures: { waiting: number; oldestAt: Date | null } | null | Locked;
  access: Access | null | Locked;
  names: Names | Locked;
  memberHook: MemberHookState | null | Locked;
}

/** Whether the default trainer is a member. `none`: the policy names none. */
export type DefaultTrainer = "member" | "no_member" | "none";

/** How the database's migrations compare with the program's. */
export interface Migrations {
  applied: number;
  pending: number;
  isNewerThanProgram: boolean;
}

/** The functions that {@link readAccess} calls. */
const ACCESS_FUNCTIONS = [
  "assignment.own_tables()",
  "assignment.hides_rows(regclass, name)",
  "assignment.explain_hidden_rows(name)",
];

/** What {@link readRuleFaults} reads, settings aside. */
const RULE_RELATIONS = ["assignment.policy_rules", "assignment.member_columns"];

/** Reads everything that auto-assignment depends on, in a constant number of statements. Skips what is missing. */
export async function findHealth(
  sql: Sql,
  memberColumns: MemberColumns,
  memberHook: MemberHook | null,
  timeoutMs: number,
): Promise<HealthFindings> {
  const differences = await checkStructure(sql);
  const members = await findMembersTable(sql);
  const isUsable = (name: string) =>
    differences === LOCKED || differences.every(({ object, found }) => !isNeededFor(name, object, found));

  /** Reads in a separate transaction. The driver's savepoints would never end over a lost connection. */
  const look = <T>(read: (transaction: SqlOrTransaction) => Promise<T>) =>
    (differences === LOCKED ? orHidden : orLocked)(sql.begin("read only", async (transaction) => {
      // A look at a locked table would keep its connection after the caller has given up.
      await transaction`
        select set_config('statement_timeout', ${String(timeoutMs)}, true),
          set_config('lock_timeout', ${String(LOOK_LOCK_TIMEOUT_MS)}, true)
      `;
      return await read(transaction);
    }));
  const defaultTrainer = isReadable(members) && isUsable("assignment.settings")
    ? await look(findDefaultTrainer)
    : null;
  return {
    migrations: await look(countMigrations),
    differences,
    members,
    trigger: isUsable("assignment.members_trigger") ? await look(readMembersTrigger) : null,
    defaultTrainer,
    // Reads the same tables, so it would wait for the same locks.
    ruleFaults: defaultTrainer === LOCKED
      ? LOCKED
      : defaultTrainer !== null && RULE_RELATIONS.every(isUsable)
      ? await look(readRuleFaults)
      : null,
    failures: isUsable("assignment.failures") ? await look(countFailures) : null,
    access: ACCESS_FUNCTIONS.every(isUsable) ? await look(readAccess) : null,
    names: await look((transaction) => findNames(transaction, memberColumns)),
    memberHook: await look((transaction) => findMemberHookState(transaction, memberHook, memberColumns)),
  };
}

/** Tells whether a missing object makes the relation unreadable: the relation itself, or one of its columns. */
function isNeededFor(
  relation: string,
  { kind, name, table }: Difference["object"],
  found: string | null,
): boolean {
  return found === null && (name === relation || (kind === "column" && table === relation));
}

async function countMigrations(sql: SqlOrTransaction): Promise<Migrations> {
  const applied = new Set(await appliedMigrations(sql));
  const known = (await listMigrations()).map(({ version }) => version);
  return {
    applied: applied.size,
    pending: known.filter((version) => !applied.has(version)).length,
    isNewerThanProgram: !applied.isSubsetOf(new Set(known)),
  };
}

async function findDefaultTrainer(sql: SqlOrTransaction): Promise<DefaultTrainer> {
  const [row] = await sql<{ defaultTrainer: DefaultTrainer }[]>`
    select
      case
        when s.default_trainer_id is null then 'none'
        when exists (select from public.members m where m.id = s.default_trainer_id) then 'member'
        else 'no_member'
      end as default_trainer
    from assignment.settings s
  `;
  return row?.defaultTrainer ?? "no_member";
}

async function countFailures(sql: SqlOrTransaction): Promise<{ waiting: number; oldestAt: Date | null }> {
  const [row] = await sql<[{ waiting: number; oldestAt: Date | null }]>`
    select count(*) as waiting, min(first_failed_at) as oldest_at from assignment.failures
  `;
  return row;
}
