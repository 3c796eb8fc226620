import type { Run } from "../../runs/progress.ts";
import { formatCount } from "./wording.ts";

/** Says what a run does: `Backfill`, `Dry run of a transfer`. */
export function titleOf(
  { kind, reassign, dryRun, retryOf }: Pick<Run, "kind" | "reassign" | "dryRun" | "retryOf">,
): string {
  const what = kind === "transfer" ? "transfer" : reassign ? "reassignment" : "backfill";
  if (dryRun) return what === "backfill" ? "Dry run" : `Dry run of a ${what}`;
  if (retryOf !== null) return what === "transfer" ? "Retry of a transfer" : "Retry of failed members";
  return what.charAt(0).toUpperCase() + what.slice(1);
}

/** The labels of a run's figures. */
export interface RunLabels {
  total: string;
  successful: string;
  skipped: string;
  failed: string;
  /** Under `failed`, if there are any. */
  failedNote: string | undefined;
  /** Of the closing count. */
  left: string;
}

/** Returns the labels of a run's figures, in the words of what it does. */
export function labelsOf(run: Run): RunLabels {
  const { dryRun, reassign, trainerId } = run;
  if (run.kind === "transfer") {
    return {
      total: "Clients",
      successful: dryRun ? "Would be moved" : "Moved",
      skipped: "Skipped",
      failed: dryRun ? "Would stay" : "Left with the trainer",
      failedNote: dryRun ? undefined : "the list below says why",
      left: "Still to move",
    };
  }
  const assigned = reassign ? "assigned or moved" : "assigned";
  return {
    total: "Total",
    successful: dryRun ? `Would be ${assigned}` : reassign ? "Assigned or moved" : "Successfully assigned",
    skipped: run.skipped === run.skippedBecause.alreadyAssigned ? "Already assigned (skipped)" : "Skipped",
    failed: dryRun ? "Would fail" : "Failed",
    failedNote: dryRun ? undefined : "this run does not try them again",
    left: trainerId === null ? "Still without a trainer" : "Still without the trainer",
  };
}

/** Says why members were skipped; undefined if the label says it already. */
export function skipReasons({ kind, condition, skipped, skippedBecause }: Run): string | undefined {
  const { alreadyAssigned, ended, isTrainer, memberGone, excluded, notSelected } = skippedBecause;
  const isTransfer = kind === "transfer";
  if (skipped === 0 || (!isTransfer && skipped === alreadyAssigned)) return undefined;
  const had = alreadyAssigned === 1 ? "has" : "have";
  const reasons: [number, string][] = [
    [alreadyAssigned, isTransfer ? `${had} the new trainer already` : "already assigned"],
    [ended, "ended by hand"],
    [isTrainer, "is the trainer"],
    [excluded, "excluded by the policy"],
    [notSelected, condition === null ? "no longer a client" : "no longer a client, or not of those to move"],
    [memberGone, "deleted meanwhile"],
  ];
  return reasons.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`)
    .join(", ");
}

/** Says what a cancelled run leaves behind. */
export function cancellationInWords({ kind, dryRun }: Run): string {
  const kept = dryRun
    ? "Nothing has been changed."
    : kind === "transfer"
    ? "Clients who were moved stay moved."
    : "Members that the run has assigned stay assigned.";
  return `${kept} A cancelled run cannot be resumed, but a new one can be started.`;
}
