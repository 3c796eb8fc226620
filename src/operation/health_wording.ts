import { LOCKED } from "../database/locks.ts";
import { describeDifferences } from "../database/structure/differences.ts";
import { describeMembersTable } from "../database/structure/members_table.ts";
import { describeSchemaState, isMigrated } from "../database/schema_state.ts";
import { formatIsoTime } from "../times.ts";
import { describeAccess } from "./access.ts";
import type { HealthFindings } from "./health_findings.ts";
import { describeMemberHook } from "./member_hook.ts";
import { describeMembersTrigger } from "./members_trigger.ts";
import { describeNames } from "./names.ts";
import { describeRuleFaults } from "./policy_state.ts";
import { MOST_FAILURES } from "./waiting_failures.ts";

/** `degraded`: it works, but needs attention. `failed`: it cannot work. */
export type CheckStatus = "ok" | "degraded" | "failed";
export type CheckName =
  | "database"
  | "migrations"
  | "schema"
  | "trigger"
  | "defaultTrainer"
  | "policy"
  | "failures"
  | "access"
  | "names"
  | "memberHook";

export interface Check {
  status: CheckStatus;
  detail: string;
}

/** Describes each check: what was found and, unless it is ok, what to do. */
export function describeFindings(findings: HealthFindings): Record<Exclude<CheckName, "database">, Check> {
  return {
    migrations: describeMigrations(findings),
    schema: describeSchema(findings),
    trigger: describeTrigger(findings),
    defaultTrainer: describeDefaultTrainer(findings),
    policy: describePolicy(findings),
    failures: describeFailures(findings),
    access: findings.access === LOCKED ? degraded(`unknown: ${LOCK_HELD}`) : describeAccess(findings.access),
    names: describeMemberNames(findings),
    memberHook: describeHook(findings),
  };
}

const LOCK_HELD =
  "another session holds a table locked, as a migration does; if that lasts, see docs/operating.md#connections";

const ok = (detail: string): Check => ({ status: "ok", detail });
const degraded = (detail: string): Check => ({ status: "degraded", detail });

function describeMigrations({ migrations }: HealthFindings): Check {
  if (migrations === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  const mismatch = describeSchemaState(migrations);
  if (mismatch === null) return ok("up to date");
  return migrations.pending.length > 0 ? degraded(mismatch) : ok(mismatch);
}

/** Compares nothing while migrations are pending: they create most of what is missing. */
function describeSchema({ migrations, members, differences }: HealthFindings): Check {
  if (migrations !== LOCKED && !isMigrated(migrations)) return degraded("missing: run deno task migrate");
  const membersProblem = describeMembersTable(members);
  if (membersProblem !== null) return degraded(membersProblem);
  if (migrations === LOCKED) return degraded(`not compared: ${LOCK_HELD}`);
  if (migrations.pending.length > 0) return ok("compared once the pending migrations are applied");
  if (migrations.unknown.length > 0) return ok("not compared: a newer version of this program migrated it");
  if (differences === LOCKED) return degraded(`not compared: ${LOCK_HELD}`);
  const others = differences.filter(({ object }) =>
    object.kind !== "trigger" || object.table !== "public.members"
  ); // the trigger has its own check
  return others.length === 0
    ? ok("complete")
    : degraded(`${describeDifferences(others)}; run: deno task migrate repair`);
}

function describeTrigger({ trigger, migrations }: HealthFindings): Check {
  if (trigger === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  if (trigger === null) {
    return degraded(`unknown: its view is missing; run: ${remedyOf(migrations)}`);
  }
  return trigger.isFine ? ok(trigger.state) : degraded(describeMembersTrigger(trigger));
}

function describeDefaultTrainer({ defaultTrainer, members, access, migrations }: HealthFindings): Check {
  if (defaultTrainer === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  if (defaultTrainer === null) {
    return degraded(
      migrations !== LOCKED && !isMigrated(migrations)
        ? "none: run deno task migrate"
        : members.mayRead || members.idType === null
        ? "unknown while members or settings cannot be read: see schema"
        : "unknown: the service may not read public.members; run as the owner of the schema assignment: " +
          "select assignment.grant_service('…role…')",
    );
  }
  if (defaultTrainer === "none") return ok("none: members whom no rule takes are recorded as failures");
  if (defaultTrainer === "member") return ok("is a member");
  return degraded(
    access !== LOCKED && access?.hidden
      ? `may be a member, but cannot be seen: ${access.hidden}`
      : "is not a member: insert them, or set another with PUT /v1/policy",
  );
}

function describePolicy({ ruleFaults, access }: HealthFindings): Check {
  if (ruleFaults === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  if (ruleFaults === null) return degraded("unknown while members or the policy cannot be read: see schema");
  if (ruleFaults.length === 0) return ok("its rules and trainers are in the database");
  if (access !== LOCKED && access?.hidden) {
    return degraded(`some of its trainers cannot be seen: ${access.hidden}`);
  }
  return degraded(describeRuleFaults(ruleFaults));
}

function describeFailures({ failures, migrations }: HealthFindings): Check {
  if (failures === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  if (failures === null) return degraded(`not recorded; run: ${remedyOf(migrations)}`);
  const { noRoom, noRoomSince, other, otherSince } = failures;
  const most = noRoom + other >= MOST_FAILURES ? "at least " : "";
  const waitForRoom = noRoomSince &&
    `${most}${noRoom} wait for room, the oldest since ${formatIsoTime(noRoomSince)}`;
  if (otherSince === null) return ok(waitForRoom ?? "none waiting");
  const fail = `${most}${other} waiting for a retry, the oldest since ${formatIsoTime(otherSince)}`;
  return degraded(waitForRoom === null ? fail : `${fail}; besides, ${waitForRoom}`);
}

function describeMemberNames({ names, members }: HealthFindings): Check {
  if (names === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  return members.relation === null
    ? degraded("unknown while members is missing: see schema")
    : describeNames(names);
}

function describeHook({ memberHook, members }: HealthFindings): Check {
  if (memberHook === LOCKED) return degraded(`unknown: ${LOCK_HELD}`);
  return memberHook !== null && members.relation === null
    ? degraded("unknown while members is missing: see schema")
    : describeMemberHook(memberHook);
}

/** Names the command that creates what is missing. */
function remedyOf(migrations: HealthFindings["migrations"]): string {
  return migrations !== LOCKED && migrations.pending.length > 0
    ? "deno task migrate"
    : "deno task migrate repair";
}
