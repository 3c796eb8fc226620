// @ts-types="@types/cli-progress"
import { SingleBar } from "cli-progress";
import type { Run } from "../runs/progress.ts";
import { escapeControls } from "../telemetry/log.ts";

/** A line of the summary: what, and how many or which. */
type Row = [label: string, value: string];

interface ProgressView {
  show(run: Run): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

/**
 * Shows progress: a live bar on a terminal, else a line whenever something has changed; for scripts, with
 * `json`, nothing.
 */
export function watchProgress({ json, print }: { json: boolean; print(line: string): void }): ProgressView {
  if (json) return { show() {}, stop() {} };
  return Deno.stderr.isTerminal() ? showBar() : showLines(print);
}

function showBar(): ProgressView {
  const bar = new SingleBar({
    format: "{bar} {text}",
    barsize: 28,
    hideCursor: true,
    clearOnComplete: true,
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
  let isStarted = false;
  return {
    show(run) {
      const payload = { text: describeProgress(run) };
      bar.setTotal(run.total);
      if (isStarted) bar.update(run.processed, payload);
      else bar.start(run.total, run.processed, payload);
      isStarted = true;
    },
    stop: () => bar.stop(),
  };
}

function showLines(print: (line: string) => void): ProgressView {
  let last = "";
  return {
    show(run) {
      const line = describeProgress(run);
      if (line !== last) print(line);
      last = line;
    },
    stop() {},
  };
}

/** `12,000 of 100,000 (12 %), 8,000 a second, 11 s left, 3 failed`, or why it waits. */
export function describeProgress(run: Run): string {
  const percent = run.total === 0 ? 100 : Math.floor(100 * run.processed / run.total);
  const text = [
    `${count(run.processed)} of ${run.totalIsEstimate ? "about " : ""}${count(run.total)} (${percent} %)`,
    run.status === "running" && run.ratePerSecond ? `${count(Math.round(run.ratePerSecond))} a second` : "",
    run.etaSeconds === null ? "" : `${duration(run.etaSeconds)} left`,
    run.failed > 0 ? `${count(run.failed)} failed` : "",
    run.throttledBecause ? `waiting: ${run.throttledBecause}` : "",
    run.status === "paused" ? `paused${run.pauseReason ? `: ${run.pauseReason}` : ""}` : "",
  ].filter((part) => part !== "").join(", ");
  return escapeControls(text.replaceAll("\n", "\\n")); // reasons may be the database's words
}

/** Formats the run's result as a table, with the first errors below. */
export function summarizeRun(run: Run): string {
  const seconds = run.startedAt && run.finishedAt
    ? (run.finishedAt.getTime() - run.startedAt.getTime()) / 1000
    : null;
  const isTransfer = run.kind === "transfer";
  const done = isTransfer ? "moved" : "assigned";
  const reasons = isTransfer ? reasonsOfTransfer(run) : reasonsOfBackfill(run);
  const rows: Row[] = [
    ["run", `${run.id}${run.dryRun ? ` (dry run: nobody was ${done})` : ""}`],
    ...(run.fromTrainerId === null ? [] : [["from", run.fromTrainerId] satisfies Row]),
    [
      "trainer",
      `${run.trainerId ?? `by the policy, version ${run.policyVersion}`}${
        run.reassign ? ", reassigning" : ""
      }`,
    ],
    ["status", run.status.replaceAll("_", " ")],
    [isTransfer ? "clients" : "members", count(run.total)],
    [run.dryRun ? `would be ${done}` : done, count(run.successful)],
    ["skipped", count(run.skipped)],
    ...reasons.map(([label, members]): Row => [`  ${label}`, count(members)]),
    ["failed", count(run.failed)],
    ["remaining", run.remaining === null ? "unknown" : count(run.remaining)],
    ["time", seconds === null ? "unknown" : duration(seconds)],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const errors = run.errors.map(({ memberId, code, message }) =>
    `  ${memberId}  ${code}  ${JSON.stringify(message)}`
  );
  return [
    ...rows.map(([label, value]) => `${label.padEnd(width)}${value}`),
    ...tableOfChoices(run),
    ...(errors.length > 0 ? ["", `first ${errors.length} of ${count(run.failed)} failed:`, ...errors] : []),
  ].join("\n");
}

function reasonsOfBackfill({ skippedBecause }: Run): [string, number][] {
  const { alreadyAssigned, ended, isTrainer, memberGone, excluded } = skippedBecause;
  return [
    ["already assigned", alreadyAssigned],
    ["ended by hand", ended],
    ["the trainer", isTrainer],
    ["gone", memberGone],
    ["excluded by the policy", excluded],
  ];
}

function reasonsOfTransfer(
  { skippedBecause: { alreadyAssigned, memberGone, notSelected } }: Run,
): [string, number][] {
  return [
    ["have the new trainer already", alreadyAssigned],
    ["gone", memberGone],
    ["not selected, or no client any more", notSelected],
  ];
}

/** Formats whom the policy chose, a line for each rule and trainer. */
function tableOfChoices({ choices, dryRun }: Run): string[] {
  if (choices.length === 0) return [];
  const rows = choices.map(({ rule, ruleName, trainerId, members }) => [
    rule === null ? "the default trainer" : escapeControls(`${rule}. ${ruleName}`),
    trainerId,
    count(members),
  ]);
  const table = [["rule", "trainer", dryRun ? "would get" : "got"], ...rows];
  const widthOf = (column: number) => Math.max(...table.map((row) => row[column]?.length ?? 0));
  const [rule, trainer, members] = [widthOf(0), widthOf(1), widthOf(2)];
  return [
    "",
    ...table.map(([name = "", id = "", number = ""]) =>
      `${name.padEnd(rule)}  ${id.padEnd(trainer)}  ${number.padStart(members)}`
    ),
  ];
}

function count(number: number): string {
  return number.toLocaleString("en");
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}
