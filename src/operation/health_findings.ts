import postgres from "postgres";
import type { MemberColumns } from "../config/member_columns.ts";
import type { MemberHook } from "../config/member_hook.ts";
import { LOCKED, type Locked, LOOK_LOCK_TIMEOUT_MS, orHidden, orLocked } from "../database/locks.ts";
import { readSchemaState, type SchemaState } from "../database/schema_state.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import { checkStructure } from "../database/structure/check_structure.ts";
import type { Difference } from "../database/structure/differences.ts";
import { findMembersTable, isReadable, type MembersTable } from "../database/structure/members_table.ts";
import { type Access, readAccess } from "./access.ts";
import { findMemberHookState, type MemberHookState } from "./member_hook.ts";
import { findNames, type Names } from "./names.ts";
import { type MembersTrigger, readMembersTrigger } from "./members_trigger.ts";
import { readRuleFaults, type RuleFault } from "./policy_state.ts";
import { readWaitingFailures, type WaitingFailures } from "./waiting_failures.ts";

/**
 * What a look at the database found. Null: it depends on something that `differences` or `members` reports as
 * missing.
 */
export interface HealthFindings {
  migrations: SchemaState | Locked;
  differences: Difference[] | Locked;
  members: MembersTable;
  trigger: MembersTrigger | null | Locked;
  defaultTrainer: DefaultTrainer | null | Locked;
  ruleFaults: RuleFault[] | null | Locked;
  failures: WaitingFailures | null | Locked;
  access: Access | null | Locked;
  names: Names | Locked;
  memberHook: MemberHookState | null | Locked;
}

/** Whether the default trainer is a member. `none`: the policy names none. */
export type DefaultTrainer = "member" | "no_member" | "none";

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

  const canReadPolicy = isReadable(members) && isUsable("assignment.settings");
  const reads = {
    migrations: readSchemaState,
    trigger: isUsable("assignment.members_trigger") ? readMembersTrigger : skip,
    defaultTrainer: canReadPolicy ? findDefaultTrainer : skip,
    ruleFaults: canReadPolicy && RULE_RELATIONS.every(isUsable) ? readRuleFaults : skip,
    failures: isUsable("assignment.failures") ? readWaitingFailures : skip,
    access: ACCESS_FUNCTIONS.every(isUsable) ? readAccess : skip,
    names: (transaction: SqlOrTransaction) => findNames(transaction, memberColumns),
    memberHook: (transaction: SqlOrTransaction) =>
      findMemberHookState(transaction, memberHook, memberColumns),
  };
  const found = await readAll(sql, reads, timeoutMs) ??
    await readEach(sql, reads, timeoutMs, differences === LOCKED ? orHidden : orLocked);
  return { ...found, differences, members };
}

/** A look that finds nothing, because what it would look at is missing. */
function skip(): Promise<null> {
  return Promise.resolve(null);
}

type Reads = Record<string, (transaction: SqlOrTransaction) => Promise<unknown>>;
type Found<R extends Reads> = { [Name in keyof R]: Awaited<ReturnType<R[Name]>> };

/** Reads all at once in one transaction; undefined if one of them cannot be read, which each by itself then tells. */
async function readAll<R extends Reads>(
  sql: Sql,
  reads: R,
  timeoutMs: number,
): Promise<Found<R> | undefined> {
  try {
    return await readInTransaction(sql, timeoutMs, async (transaction) => {
      const found = await Promise.all(
        Object.entries(reads).map(async ([name, read]) => [name, await read(transaction)]),
      );
      return Object.fromEntries(found);
    });
  } catch (error) {
    if (error instanceof postgres.PostgresError) return undefined;
    throw error;
  }
}

/** Reads one after the other, each in a transaction of its own. Savepoints would never end over a lost connection. */
async function readEach<R extends Reads>(
  sql: Sql,
  reads: R,
  timeoutMs: number,
  orUnknown: typeof orLocked,
): Promise<{ [Name in keyof R]: Found<R>[Name] | Locked }> {
  const found: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(reads)) {
    // The faults of rules are read from the tables of the default trainer: it would wait for the same locks.
    found[name] = name === "ruleFaults" && found.defaultTrainer === LOCKED
      ? LOCKED
      : await orUnknown(readInTransaction(sql, timeoutMs, read));
  }
  return found as { [Name in keyof R]: Found<R>[Name] | Locked };
}

/**
 * A look at a locked table would keep its connection after the caller has given up. Compiling takes longer than all looks
 * together, and a pooler keeps our sessions' `jit` from the server.
 */
async function readInTransaction<T>(
  sql: Sql,
  timeoutMs: number,
  read: (transaction: SqlOrTransaction) => Promise<T>,
): Promise<T> {
  return await sql.begin("read only", async (transaction) => {
    await transaction`
      select set_config('statement_timeout', ${String(timeoutMs)}, true),
        set_config('lock_timeout', ${String(LOOK_LOCK_TIMEOUT_MS)}, true),
        set_config('jit', 'off', true)
    `;
    return await read(transaction);
  }) as T;
}

/** Tells whether a missing object makes the relation unreadable: the relation itself, or one of its columns. */
function isNeededFor(
  relation: string,
  { kind, name, table }: Difference["object"],
  found: string | null,
): boolean {
  return found === null && (name === relation || (kind === "column" && table === relation));
}

async function findDefaultTrainer(sql: SqlOrTransaction): Promise<DefaultTrainer> {
  const [settings] = await sql<
    { id: string | null }[]
  >`select default_trainer_id as id from assignment.settings`;
  if (settings === undefined) return "no_member";
  if (settings.id === null) return "none";
  const found = await sql`select from public.members where id = ${settings.id}`;
  return found.length > 0 ? "member" : "no_member";
}
