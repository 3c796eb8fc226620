import type { Sql } from "../../src/database/sql.ts";
import { type Entry, isForeignFailure, readJournal } from "./journal.ts";
import type { Feature } from "./left_out.ts";
import { auditRules } from "./oracle_audit_rules.ts";
import { historyRules } from "./oracle_history_rules.ts";
import { policyRules } from "./oracle_policy_rules.ts";
import { rules } from "./oracle_rules.ts";
import { makeTables, makeWebhookTables } from "./oracle_tables.ts";
import { webhookRules } from "./oracle_webhook_rules.ts";
import type { Consumed } from "./webhooks.ts";

/** A promise that did not hold, with examples. */
export interface Violation {
  rule: string;
  detail: string;
}

export interface OracleOptions {
  trainerId: string;
  /** Tells whether the world has what a rule needs; by default all. */
  has?: (feature: Feature) => boolean;
  /** Every run must have ended by itself. */
  runsEnded?: boolean;
  /** Nobody was there whom a run's closing proof had to find: all signups went through the trigger. */
  noStragglers?: boolean;
  /** Every failure must have been made good by now. */
  drained?: boolean;
  /** How long a signup may have taken. */
  longestSignupMs?: number;
  /** A server was lost together with what it had not passed on: what was acknowledged after this entry may be gone. */
  lostAfter?: number;
  /** Codes with which signups may fail, for a reason that is the caller's own. */
  allowedCodes?: readonly string[];
  /** What consumers of messages got, once everything was delivered. */
  webhooks?: Consumed | undefined;
}

const ALL_RULES = [...rules, ...policyRules, ...historyRules, ...auditRules, ...webhookRules];

/**
 * Holds the database against the journal, once all is at rest: who was acknowledged exists; each member has exactly one
 * of an active assignment, a recorded failure, an assignment ended on purpose, unless a rule leaves them alone; each
 * assignment says by which rule, by whom and why it ended; seats equal clients; counters equal rows; runs are proven, and
 * transfers leave nobody behind; the audit log has one line for each change; consumers of messages hear of each change; and no signup failed for a reason of ours. Returns what does not hold.
 */
export async function consultOracle(
  sql: Sql,
  journalPath: string,
  options: OracleOptions,
): Promise<Violation[]> {
  const entries = await readJournal(journalPath);
  await sql`analyze public.members, public.trainer_client_assignments`;
  return [
    ...judgeSignups(entries, options),
    ...await sql.begin("isolation level repeatable read", async (transaction) => {
      await makeTables(transaction, entries, options.lostAfter);
      if (options.webhooks !== undefined) await makeWebhookTables(transaction, options.webhooks);
      const violations: Violation[] = [];
      for (const { name, applies, needs = [], query } of ALL_RULES) {
        if (!applies(options) || !needs.every((feature) => options.has?.(feature) ?? true)) continue;
        const broken = await transaction.unsafe<{ what: string; count: number }[]>(
          `select what, count(*) over () as count from (${query}) as broken (what) order by what limit 3`,
          query.includes("$1") ? [options.trainerId] : [],
        );
        const [first] = broken;
        if (first) {
          violations.push({
            rule: name,
            detail: `${first.count}: ${broken.map((row) => row.what).join("; ")}`,
          });
        }
      }
      return violations;
    }),
  ];
}

/** The part that needs no database: what callers were told. */
function judgeSignups(entries: Entry[], options: OracleOptions): Violation[] {
  const { longestSignupMs = Infinity, allowedCodes = [] } = options;
  const violations: Violation[] = [];
  const blocked = entries.filter(({ action, outcome, code }) =>
    outcome === "failed" && code !== undefined && !isForeignFailure(code) && !allowedCodes.includes(code) &&
    (action === "signup" || (action === "assign" && code !== "55P03"))
  );
  if (blocked.length > 0) {
    const codes = [...new Set(blocked.map(({ action, code }) => `${action} ${code}`))].join(", ");
    violations.push({ rule: "no signup is blocked", detail: `${blocked.length} failed: ${codes}` });
  }
  const slow = entries.filter(({ action, ms }) => action === "signup" && ms > longestSignupMs);
  if (slow.length > 0) {
    const longest = Math.max(...slow.map(({ ms }) => ms));
    violations.push({
      rule: "no signup waits beyond the lock budget",
      detail: `${slow.length} took more than ${longestSignupMs} ms, up to ${longest} ms`,
    });
  }
  return violations;
}

/** Counts what the journal holds, for an experiment's figures. */
export async function countJournal(
  path: string,
): Promise<{ acknowledged: number; failed: number; unknown: number; longestMs: number; medianMs: number }> {
  const signups = (await readJournal(path)).filter(({ action }) => action === "signup");
  const count = (outcome: string) => signups.filter((entry) => entry.outcome === outcome).length;
  const times = signups.filter(({ outcome }) => outcome === "acknowledged").map(({ ms }) => ms).sort((a, b) =>
    a - b
  );
  return {
    acknowledged: count("acknowledged"),
    failed: count("failed"),
    unknown: count("unknown"),
    longestMs: times.at(-1) ?? 0,
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
  };
}
