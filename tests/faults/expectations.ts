import { type Action, type Entry, type Outcome, requestIdOf } from "./journal.ts";

/** What the journal says of one member. */
export interface Expectation {
  /** `left`: deleted, after having been there; `open`: whether that was done is not known. */
  exists: "yes" | "no" | "maybe" | "left" | "open";
  statement: number;
  /** Versions of the policy that were in force at some time of the signup. */
  lowestVersion: number | null;
  highestVersion: number | null;
}

/** What the journal says of a member and a trainer. */
export interface PairExpectation {
  memberId: string;
  trainerId: string;
  standing: "standing" | "ended" | "open";
}

/** What must have become of each member. */
export function expectedOf(entries: Entry[], lostAfter?: number): Map<string, Expectation> {
  const expected = new Map<string, Expectation>();
  const versions = entries.filter(({ action }) => action === "policy");
  for (const entry of entries) {
    const outcome = outcomeOf(entry, lostAfter);
    if (entry.action === "leave" && outcome !== "failed") {
      const who = expected.get(entry.ids[0] ?? "");
      if (who) who.exists = outcome === "acknowledged" ? "left" : "open";
    }
    if (entry.action !== "given" && entry.action !== "signup") continue;
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

/** What must have become of each pair that somebody changed. */
export function expectedPairs(entries: Entry[], lostAfter?: number): PairExpectation[] {
  const expected = new Map<string, PairExpectation>();
  for (const entry of entries) {
    const outcome = outcomeOf(entry, lostAfter);
    if (outcome === "failed") continue;
    for (const { memberId, trainerId, action } of pairsOf(entry)) {
      const key = `${memberId} ${trainerId}`;
      const pair = expected.get(key) ?? { memberId, trainerId, standing: "standing" };
      if (action === "delete") pair.standing = "open"; // an ended row of before may be left, or a run may assign anew
      if (action === "end") pair.standing = outcome === "acknowledged" ? "ended" : "open";
      if (action === "assign" && outcome === "acknowledged") pair.standing = "standing";
      if (action === "assign" && outcome === "unknown" && pair.standing === "ended") pair.standing = "open";
      expected.set(key, pair);
    }
  }
  return [...expected.values()];
}

/** The pairs that an entry makes or ends. */
function pairsOf(
  { action, ids }: Entry,
): { action: "end" | "assign" | "delete"; memberId: string; trainerId: string }[] {
  if (action === "end" || action === "assign") {
    return [{ action, memberId: ids[0] ?? "", trainerId: ids[1] ?? "" }];
  }
  if (action !== "endDirectly" && action !== "deleteDirectly") return [];
  const change = action === "endDirectly" ? "end" : "delete";
  return directChangesOf(ids).map(({ memberId, trainerId }) => ({ action: change, memberId, trainerId }));
}

/** The assignments of a change past the service. */
function directChangesOf(ids: string[]): { id: string; memberId: string; trainerId: string }[] {
  return Array.from({ length: ids.length / 3 }, (_, at) => {
    const [id = "", memberId = "", trainerId = ""] = ids.slice(3 * at, 3 * at + 3);
    return { id, memberId, trainerId };
  });
}

/** The line of the audit log that a journaled action leaves, for each that does. */
const LINES: Partial<Record<Action, string>> = {
  assign: "assignment.made",
  end: "assignment.ended",
  start: "run.started",
  pause: "run.paused",
  resume: "run.resumed",
  policy: "policy.changed",
  trainer: "trainer.changed",
};

/** A change that leaves exactly one line; an assignment that is there already leaves none. */
export interface ExpectedLine {
  requestId: string;
  line: string;
  least: number;
  most: number;
}

/** The lines that the audit log must have, by the ids of their requests. */
export function expectedLines(entries: Entry[], lostAfter?: number): ExpectedLine[] {
  return entries.flatMap((entry) => {
    const line = LINES[entry.action];
    if (line === undefined) return [];
    const outcome = outcomeOf(entry, lostAfter);
    const least = outcome === "acknowledged" && entry.action !== "assign" ? 1 : 0;
    return [{ requestId: requestIdOf(entry.number), line, least, most: outcome === "failed" ? 0 : 1 }];
  });
}

/** A change of an assignment past the service. */
export interface DirectChange {
  statement: number;
  assignmentId: string;
  line: "assignments.changed" | "assignments.deleted";
  outcome: Outcome;
}

export function directChanges(entries: Entry[], lostAfter?: number): DirectChange[] {
  return entries.flatMap((entry) => {
    const { action, ids, number: statement } = entry;
    if (action !== "endDirectly" && action !== "deleteDirectly") return [];
    const line = action === "endDirectly" ? "assignments.changed" : "assignments.deleted";
    const outcome = outcomeOf(entry, lostAfter);
    return directChangesOf(ids).map(({ id }) => ({ statement, assignmentId: id, line, outcome }));
  });
}

/** What was acknowledged and then lost with a server is as good as unknown. */
function outcomeOf({ outcome, number }: Entry, lostAfter = Infinity): Outcome {
  return outcome === "acknowledged" && number > lostAfter ? "unknown" : outcome;
}
