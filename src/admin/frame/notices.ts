import { AppError } from "../../errors.ts";
import { toProblem } from "../../http/error_handler.ts";
import { countOf, formatCount, reasonInWords } from "./wording.ts";

/** The message at the top of a page: what was done, or why it was not. */
export interface Notice {
  tone: "good" | "warn" | "bad";
  text: string;
  /** The database's message. Never taken from an address. */
  detail?: string;
}

/** The messages of redirects. An address can only choose one of them, and its numbers. */
const NOTICES = {
  started: { tone: "good", text: "The run has started." },
  transfer_started: (stops = 0) => ({
    tone: "good",
    text: stops === 1
      ? "The clients are being moved, and their former trainer takes no new ones from now on."
      : "The clients are being moved.",
  }),
  dry_run_started: { tone: "good", text: "The dry run has started. It counts, and changes nothing." },
  paused: {
    tone: "good",
    text: "The run was paused. When resumed, it continues where it stopped.",
  },
  resumed: { tone: "good", text: "The run was resumed." },
  cancelled: { tone: "good", text: "The run was cancelled. What it has done until then stays." },
  retried: { tone: "good", text: "A new run tries the failed members again." },
  assigned: { tone: "good", text: "The member is assigned." },
  already_assigned: { tone: "good", text: "The member was already assigned." },
  ended: { tone: "good", text: "The assignment has ended. It stays in the history." },
  trainer_changed: { tone: "good", text: "The trainer's settings were saved." },
  policy_saved: (version = 0) => ({ tone: "good", text: `Version ${version} of the policy is in force.` }),
  policy_unchanged: { tone: "good", text: "This is what the policy says already. Nothing was changed." },
  policy_changed: {
    tone: "warn",
    text: "Somebody else has changed the policy meanwhile. Nothing was changed: look again, and repeat it.",
  },
  policy_invalid: {
    tone: "bad",
    text: "The policy no longer fits the database, so nothing was changed. Change the rules first.",
  },
  policy_run: (version = 0) => ({
    tone: "good",
    text: `Version ${version} of the policy is in force, and a run gives everybody their trainer.`,
  }),
  policy_moves: (version = 0) => ({
    tone: "good",
    text: `Version ${version} of the policy is in force. This dry run finds out who would be moved. ` +
      "Nobody is moved before you say so below.",
  }),
  policy_run_later: (version = 0) => ({
    tone: "warn",
    text:
      `Version ${version} of the policy is in force. A run has not ended yet: start another one after it.`,
  }),
  trainer_set: { tone: "good", text: "The default trainer was changed. Nobody was moved." },
  trainer_kept: { tone: "good", text: "This is already the default trainer. Nothing was changed." },
  failures_retried: failuresRetried,
  failures_being_retried: failuresBeingRetried,
  webhook_changed: { tone: "good", text: "The webhook was changed." },
  webhook_enabled: { tone: "good", text: "The webhook is enabled." },
  webhook_disabled: { tone: "good", text: "The webhook is disabled. What waits is kept." },
  webhook_deleted: { tone: "good", text: "The webhook was deleted." },
  test_sent: { tone: "good", text: "A test message is being sent. It appears in the list below." },
  sent_again: (messages = 0) => ({
    tone: "good",
    text: messages === 0
      ? "There was nothing to send again."
      : `Sent again: ${countOf(messages, "message")}.`,
  }),
  webhook_not_found: { tone: "warn", text: "That webhook does not exist any more." },
  webhook_has_no_url: { tone: "warn", text: "Nothing is sent to this webhook: its messages are fetched." },
  webhooks_not_configured: {
    tone: "bad",
    text: "The service cannot send: it has no WEBHOOK_KEY. `deno task token --webhook-key` makes one.",
  },
  delivery_not_found: { tone: "warn", text: "That message is not kept any more." },
  not_a_day: { tone: "bad", text: "Choose a day of the calendar, such as 2026-11-28." },
  no_types: { tone: "bad", text: "Choose at least one thing to be told of." },
  url_too_long: { tone: "bad", text: "The URL must have at most 2,000 characters." },
  not_a_description: {
    tone: "bad",
    text: "What it is for must have at most 1,000 characters, and no invalid ones.",
  },
  signed_out: { tone: "good", text: "You are signed out." },
  session_ended: { tone: "warn", text: "Your session has ended. Sign in again to continue." },
  form_not_sent: {
    tone: "warn",
    text: "Your session had ended, so nothing was done. Sign in, and send the form again.",
  },
  backfill_active: {
    tone: "warn",
    text: "A run of this kind has not ended yet, so no second one was started. It is shown here.",
  },
  transfer_active: {
    tone: "warn",
    text: "A transfer from this trainer has not ended yet, so no second one was started. It is shown here.",
  },
  invalid_transition: {
    tone: "warn",
    text: "This is no longer possible: the run has changed meanwhile.",
  },
  assignment_not_found: { tone: "warn", text: "That assignment had already ended." },
  assignment_failed: { tone: "bad", text: "The database refused the assignment." },
  no_room: { tone: "bad", text: "The trainer has no room. Nobody was assigned." },
  no_fate_chosen: { tone: "bad", text: "Say what becomes of members who have a trainer." },
  database_busy: {
    tone: "bad",
    text:
      "The database was too busy, or another session held the row. Nothing was changed: try again in a moment.",
  },
  member_is_trainer: { tone: "bad", text: "Nobody can be their own trainer." },
  member_not_found: { tone: "bad", text: "There is no such member." },
  no_successor: {
    tone: "bad",
    text:
      "Nobody could take over: the policy knows no other trainer. Pick one here, or change the policy first.",
  },
  trainer_not_found: { tone: "bad", text: "There is no member with this id who could be the trainer." },
  nobody_chosen: { tone: "bad", text: "Choose a member: type a name, an e-mail or an id." },
  nobody_found: { tone: "bad", text: "No member has such a name, e-mail or id." },
  choose_one: { tone: "warn", text: "Nothing was changed yet: choose one of the members found." },
  not_an_id: {
    tone: "bad",
    text: "This is not a member id. An id looks like 0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a.",
  },
  not_a_capacity: {
    tone: "bad",
    text: "Capacity must be a whole number from 0 to 100,000, or empty for no limit.",
  },
  not_notes: { tone: "bad", text: "Notes must have at most 10,000 characters, and no invalid ones." },
  not_a_batch_size: { tone: "bad", text: "Rows per batch must be a number from 1 to 20,000." },
} satisfies Record<string, Notice | ((...counts: number[]) => Notice)>;

export type NoticeCode = keyof typeof NOTICES;

/** Why a form was refused: a code for an address, and the message. */
export interface Refusal {
  code: NoticeCode;
  notice: Notice;
}

/** Returns the refusal that an error means; undefined if there is no message for it. */
export function findRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = toProblem(error);
  if (!isNoticeCode(code)) return undefined;
  const notice = noticeOf(code);
  if (code !== "assignment_failed" || !(error instanceof AppError)) return { code, notice };
  const text = `${notice.text} ${reasonInWords(String(error.details.sqlstate))}`;
  return { code, notice: { ...notice, text, detail: error.message } };
}

function isNoticeCode(code: string): code is NoticeCode {
  return Object.hasOwn(NOTICES, code);
}

const FROM_ADDRESS = /^([a-z_]+)((?:\.\d{1,12})*)$/;

/** Returns the message that {@link withNotice} wrote into an address; undefined for anything else. */
export function findNotice(written: string | undefined): Notice | undefined {
  const [, code = "", counts = ""] = FROM_ADDRESS.exec(written ?? "") ?? [];
  return isNoticeCode(code) ? noticeOf(code, ...counts.split(".").slice(1).map(Number)) : undefined;
}

/** Returns the message for a code, with its numbers. */
export function noticeOf(code: NoticeCode, ...counts: number[]): Notice {
  const notice: Notice | ((...counts: number[]) => Notice) = NOTICES[code];
  return typeof notice === "function" ? notice(...counts) : notice;
}

/** Adds a message and its numbers to an address. */
export function withNotice(path: string, code: NoticeCode, ...counts: number[]): string {
  const url = new URL(path, "http://ours.invalid");
  url.searchParams.set("notice", [code, ...counts].join("."));
  return url.pathname + url.search + url.hash;
}

function failuresRetried(retried = 0, failed = 0): Notice {
  if (retried === 0) return { tone: "good", text: "No sign-up was waiting." };
  const all = "All waiting sign-ups were tried again:";
  return failed === 0 ? { tone: "good", text: `${all} ${formatCount(retried)}, and none failed again.` } : {
    tone: "warn",
    text: `${all} ${formatCount(failed)} of ${formatCount(retried)} failed again, and ${
      failed === 1 ? "waits" : "wait"
    } for the next try.`,
  };
}

function failuresBeingRetried(retried = 0, failed = 0, remaining = 0): Notice {
  const text =
    `Tried again: ${countOf(retried, "waiting sign-up")}, of which ${formatCount(failed)} failed again. ` +
    `The service continues with the other ${formatCount(remaining)}.`;
  return { tone: failed === 0 ? "good" : "warn", text };
}
