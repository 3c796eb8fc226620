import type { Run } from "../../runs/progress.ts";
import { formatCount } from "../frame/wording.ts";

/** So many failed members of a run are listed; the count is exact. As `assignment.record_backfill_errors` has it. */
export const MAX_RECORDED_ERRORS = 10_000;

/** Says, at the end of the list, who is not in it. */
export function unrecordedInWords({ failed }: Pick<Run, "failed">): string {
  const listed = formatCount(MAX_RECORDED_ERRORS);
  return `The list ends here: a run keeps its first ${listed} failed members. In all ${
    formatCount(failed)
  } failed; ` +
    "a retry goes over all members.";
}
