import { isTime, OUT_OF_RANGE } from "../../times.ts";
import type { AuditAction } from "../../history/audit_lines.ts";
import type { Run, RunStatus } from "../../runs/progress.ts";

const wholeNumbers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `20,001` */
export function formatCount(count: number): string {
  return wholeNumbers.format(count);
}

/** `1 member`, `20,001 members` */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const MAX_COUNTED_WAITING = 10_000;

/** Waiting sign-ups, which are counted up to 10,001: `8`, `10,000+`. */
export function formatWaiting(count: number): string {
  return count > MAX_COUNTED_WAITING ? `${formatCount(MAX_COUNTED_WAITING)}+` : formatCount(count);
}

/** `2026-11-23 09:30:05 UTC` */
export function formatTime(time: Date): string {
  if (!isTime(time)) return OUT_OF_RANGE;
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min` */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return join(Math.floor(whole / 60), "min", whole % 60, "s");
  return join(Math.floor(whole / 3600), "h", Math.floor(whole % 3600 / 60), "min");
}

function join(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

/** Returns how much of a run is done, in percent; 100 only when everything is done. */
export function percentOf(run: Pick<Run, "processed" | "total">): number {
  if (run.total === 0) return 100;
  return Math.min(run.processed < run.total ? 99 : 100, Math.floor(100 * run.processed / run.total));
}

export const STATUS_WORDS: Record<RunStatus, string> = {
  running: "Running",
  paused: "Paused",
  cancelled: "Cancelled",
  succeeded: "Succeeded",
  completed_with_errors: "Completed with errors",
};

/** The colours of the statuses. */
export const STATUS_TONES: Record<RunStatus, "good" | "busy" | "warn" | "bad" | "plain"> = {
  running: "busy",
  paused: "warn",
  cancelled: "plain",
  succeeded: "good",
  completed_with_errors: "bad",
};

const SOURCE_WORDS: Record<string, string> = {
  trigger: "automatically, at sign-up",
  retry: "automatically, at a retry",
  backfill: "by a backfill run",
  transfer: "by a transfer",
  manual: "by hand",
  signup: "by the application, at sign-up",
};

/** Says how an assignment was made. */
export function sourceInWords(source: string): string {
  return SOURCE_WORDS[source] ?? source;
}

const ENDED_WORDS: Record<string, string> = {
  manual: "by hand",
  transfer: "moved by a transfer",
  reassign: "the policy chose another trainer",
  direct: "changed past the service",
};

/** Says why an assignment ended. */
export function endedBecauseInWords(because: string | null): string {
  return because === null ? "made inactive by another program" : ENDED_WORDS[because] ?? because;
}

/** What was done, in the history. */
export const ACTION_WORDS: Record<AuditAction, string> = {
  "policy.changed": "Changed the policy",
  "trainer.changed": "Changed a trainer's settings",
  "assignment.made": "Assigned by hand",
  "assignment.ended": "Ended by hand",
  "assignments.changed": "Changed assignments past the service",
  "assignments.deleted": "Deleted assignments past the service",
  "members.deleted": "Deleted members",
  "failures.retried": "Retried waiting sign-ups",
  "run.started": "Started a run",
  "run.paused": "Paused a run",
  "run.resumed": "Resumed a run",
  "run.cancelled": "Cancelled a run",
  "run.ended": "Ended a run",
  "webhook.created": "Created a webhook",
  "webhook.changed": "Changed a webhook",
  "webhook.deleted": "Deleted a webhook",
  "webhook.disabled": "Disabled a webhook",
  "webhook.redelivered": "Sent messages again",
  "webhook.tested": "Sent a test message",
  "session.started": "Signed in",
  "session.ended": "Signed out",
  "access.refused": "Was refused",
  "audit.forgotten": "Deleted old history",
};

// By SQLSTATE, else by its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
const REASONS: Record<string, string> = {
  "23503": "The member or the trainer does not exist any more.",
  "23505": "A rule of the database allows only one such assignment.",
  "23514": "The assignment breaks a rule (a check) of the database.",
  "23502": "A required column would be empty.",
  "40001": "Another transaction was in the way.",
  "40P01": "Two transactions waited for each other.",
  "42501": "The service does not have the privilege to write assignments.",
  "42P01": "A table is missing, or a trigger does not find it. The message says what to run.",
  "53100": "The database's disk is full.",
  "55P03": "Another session holds the member locked.",
  "57014": "It took too long and was canceled.",
  P0001: "A trigger of the database refused it.",
  TA001: "The trainer is not a member, or there is no default trainer.",
  TA003: "Nobody can be their own trainer.",
  TA008: "A trigger or rule of the database kept the assignment out.",
  TA009: "A foreign key of the assignments points at another table. The message says what to run.",
  TA010: "Row-level security hides members from the service. The message says what to run.",
  TA011: "The trainer, or every trainer of the rule, has no room.",
  TA015: "They had the new trainer before, until it was ended by hand. That is not made again.",
  TA016: "The policy gives them no other trainer.",
  TA023:
    "The database that has the member asks another one first. That is done with the next attempt, in seconds.",
  "08": "The connection to the database was lost.",
  "22": "A value does not fit its column.",
  "23": "The assignment breaks a rule of the database.",
  "42": "The database's tables are not as expected.",
  "53": "The database is out of resources.",
  "57": "The database was stopped.",
  P0: "A function of the database refused it.",
};

/** Says in plain words why the database refused, by SQLSTATE. */
export function reasonInWords(sqlstate: string): string {
  return REASONS[sqlstate] ?? REASONS[sqlstate.slice(0, 2)] ?? "The database refused it.";
}
