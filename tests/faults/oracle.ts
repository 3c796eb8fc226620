import type { Sql } from "../../src/database/sql.ts";
import { type Entry, isForeignFailure, type Outcome, readJournal } from "./journal.ts";
import { policyRules, rulesTable } from "./oracle_policy_rules.ts";
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
  statement: number;
  /** Versions of the policy that were in force at some time of the signup. */
  lowestVersion: number | null;
  highestVersion: number | null;
}

/** What the journal says of a member and a trainer. */
interface PairExpectation {
  memberId: string;
  trainerId: string;
  standing: "standing" | "ended" | "open";
}

/**
 * Holds the database against the journal, once all is at rest: who was acknowledged exists; each member has exactly one
 * of an active assignment, a recorded failure, an assignment ended on purpose, unless a rule leaves them alone; each
 * assignment says by which rule; seats equal clients; counters equal rows; runs are proven; and no signup failed for a
 * reason of ours. Returns what does not hold.
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
        create temporary table journal (
          id uuid primary key, presence text, statement integer, lowest_version integer, highest_version integer
        ) on commit drop
      `;
      const expected = [...expectedOf(entries, options.lostAfter)];
      for (let at = 0; at < expected.length; at += 10_000) {
        const part = expected.slice(at, at + 10_000);
        await transaction`
          insert into journal
          select * from unnest(
            ${part.map(([id]) => id)}::uuid[],
            ${part.map(([, { exists }]) => exists)}::text[],
            ${part.map(([, { statement }]) => statement)}::integer[],
            ${part.map(([, { lowestVersion }]) => lowestVersion)}::integer[],
            ${part.map(([, { highestVersion }]) => highestVersion)}::integer[]
          )
        `;
      }
      const pairs = expectedPairs(entries, options.lostAfter);
      await transaction`
        create temporary table pairs on commit drop as
        select member_id, trainer_id, standing
        from unnest(
          ${pairs.map(({ memberId }) => memberId)}::uuid[],
          ${pairs.map(({ trainerId }) => trainerId)}::uuid[],
          ${pairs.map(({ standing }) => standing)}::text[]
        ) as p (member_id, trainer_id, standing)
      `;
      await transaction.unsafe(rulesTable);
      await transaction`create temporary table steering (run_id uuid, outcome text) on commit drop`;
      for (const { action, ids: [runId = ""], outcome } of entries) {
        if (action === "pause" || action === "resume") {
          await transaction`insert into steering values (${runId}, ${outcome})`;
        }
      }
      await transaction`analyze journal`;

      const violations: Violation[] = [];
      for (const { name, applies, query } of [...rules, ...policyRules]) {
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
  const versions = entries.filter(({ action }) => action === "policy");
  for (const entry of entries) {
    if (entry.action !== "given" && entry.action !== "signup") continue;
    const outcome = outcomeOf(entry, lostAfter);
    const before = versions.filter((version) =>
      version.outcome === "acknowledged" && version.ended < entry.began
    );
    const until = versions.filter((version) => version.began < entry.ended);
    const isSignup = entry.action === "signup";
    for (const id of entry.ids) {
      expected.set(id, {
        exists: outcome === "acknowledged" ? "yes" : outcome === "failed" ? "no" : "maybe",
        statement: entry.number,
        lowestVersion: isSignup ? Number(before.at(-1)?.ids[0] ?? 1) : null,
        highestVersion: isSignup ? Number(until.at(-1)?.ids[0] ?? 1) : null,
      });
    }
  }
  return expected;
}

function expectedPairs(entries: Entry[], lostAfter = Infinity): PairExpectation[] {
  const expected = new Map<string, PairExpectation>();
  for (const entry of entries) {
    const { action, ids: [memberId = "", trainerId = ""] } = entry;
    const outcome = outcomeOf(entry, lostAfter);
    if ((action !== "end" && action !== "assign") || outcome === "failed") continue;
    const key = `${memberId} ${trainerId}`;
    const pair = expected.get(key) ?? { memberId, trainerId, standing: "standing" };
    if (action === "end") pair.standing = outcome === "acknowledged" ? "ended" : "open";
    if (action === "assign" && outcome === "acknowledged") pair.standing = "standing";
    if (action === "assign" && outcome === "unknown" && pair.standing === "ended") pair.standing = "open";
    expected.set(key, pair);
  }
  return [...expected.values()];
}

/** What was acknowledged and then lost with a server is as good as unknown. */
function outcomeOf({ outcome, number }: Entry, lostAfter: number): Outcome {
  return outcome === "acknowledged" && number > lostAfter ? "unknown" : outcome;
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
