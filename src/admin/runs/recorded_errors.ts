import type { Run } from "../../runs/progress.ts";
import { formatCount } from "../frame/wording.ts";

/**
 * The most failed members that `assignment.record_backfill_errors` records for a run. The count of failures is
 * exact.
 */
export const MAX_RECORDED_ERRORS = 10_000;

/** Says, at the end of the list, how many failed members it does not contain. */
export function unrecordedInWords({ failed }: Pick<Run, "failed">): string {
  const listed = formatCount(MAX_RECORDED_ERRORS);
  return `The list ends here: a run records its first ${listed} failed members. ${
    formatCount(failed)
  } failed in total; ` +
    "a retry goes over all members.";
}
