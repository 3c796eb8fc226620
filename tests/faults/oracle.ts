import type { Sql } from "../../src/database/sql.ts";
import { type Entry, isForeignFailure, readJournal } from "./journal.ts";
import { rules } from "./oracle_rules.ts";

/** A promise that did not hold, with examples. */
export interface Violation {
  rule: string;
  detail: string;
}

export interface OracleOptions {
  trainerId: string;
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
}

/** What the journal says of one member. */
interface Expectation {
  exists: "yes" | "no" | "maybe";
  assignment: "standing" | "ended" | "open";
  statement: number;
}

/**
 * Holds the database against the journal, once all is at rest: who was acknowledged exists; each member has exactly one
 * of an active assignment, a recorded failure, an assignment ended on purpose; counters equal rows; runs are proven; and
 * no signup failed for a reason of ours. Returns what does not hold.
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
      await transaction`
        create temporary table journal (id uuid primary key, presence text, standing text, statement integer) on commit drop
      `;
      const expected = [...expectedOf(entries, options.lostAfter)];
      for (let at = 0; at < expected.length; at += 10_000) {
        const part = expected.slice(at, at + 10_000);
        await transaction`
          insert into journal
          select * from unnest(
            ${part.map(([id]) => id)}::uuid[],
            ${part.map(([, { exists }]) => exists)}::text[],
            ${part.map(([, { assignment }]) => assignment)}::text[],
            ${part.map(([, { statement }]) => statement)}::integer[]
          )
        `;
      }
      await transaction`create temporary table steering (run_id uuid, outcome text) on commit drop`;
      for (const { action, ids: [runId = ""], outcome } of entries) {
        if (action === "pause" || action === "resume") {
          await transaction`insert into steering values (${runId}, ${outcome})`;
        }
      }
      await transaction`analyze journal`;

      const violations: Violation[] = [];
      for (const { name, applies, query } of rules) {
        if (!applies(options)) continue;
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

function expectedOf(entries: Entry[], lostAfter = Infinity): Map<string, Expectation> {
  const expected = new Map<string, Expectation>();
  for (const { number, action, ids, outcome: told } of entries) {
    const outcome = told === "acknowledged" && number > lostAfter ? "unknown" : told;
    for (const id of ids) {
      if (action === "given" || action === "signup") {
        const exists = outcome === "acknowledged" ? "yes" : outcome === "failed" ? "no" : "maybe";
        expected.set(id, { exists, assignment: "standing", statement: number });
        continue;
      }
      const member = expected.get(id);
      if (!member || outcome === "failed") continue;
      if (action === "end") member.assignment = outcome === "acknowledged" ? "ended" : "open";
      if (action === "assign" && outcome === "acknowledged") member.assignment = "standing";
      if (action === "assign" && outcome === "unknown" && member.assignment === "ended") {
        member.assignment = "open";
      }
    }
  }
  return expected;
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
