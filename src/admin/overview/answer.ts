import type { AssignmentState } from "../../operation/assignment_state.ts";
import type { Coverage } from "../../operation/coverage.ts";
import { countOf, formatCount } from "../frame/wording.ts";

/** Answers in words: does every member have a trainer? */
export function answerInWords(
  { defaultTrainer }: Pick<AssignmentState, "defaultTrainer">,
  { members, assigned, unassigned, ended, isTrainerMember }: Coverage,
): string {
  if (defaultTrainer === null) return "No default trainer is set.";
  if (members - (isTrainerMember || defaultTrainer.isMember ? 1 : 0) <= 0) return "There are no members yet.";
  if (unassigned === null) {
    return `About ${formatCount(assigned)} of ${countOf(members, "member")} have the default trainer.`;
  }
  if (unassigned === 0) return "Every member has a trainer.";
  if (unassigned === ended) {
    return `Every member has a trainer, except ${formatCount(ended)} whose assignment was ended.`;
  }
  return `${formatCount(unassigned)} of ${countOf(members, "member")} ${
    unassigned === 1 ? "has" : "have"
  } no trainer.`;
}

/** Says how many members have only another trainer than the default one, and what a run does for them. */
export function othersInWords(coverage: Coverage): string {
  const { trainerId, assignedElsewhere, unassigned, ended, toAssign } = coverage;
  if (assignedElsewhere === null || unassigned === null) {
    return "This is an estimate: how many of the others have another trainer or none is unknown.";
  }
  if (trainerId === null || assignedElsewhere === 0) return "";
  const getIt = toAssign - (unassigned - ended);
  const who = `${countOf(assignedElsewhere, "member")} ${
    assignedElsewhere === 1 ? "has" : "have"
  } another trainer and not the default one.`;
  if (getIt === 0) return `${who} Their assignment to the default one was ended, and no run renews it.`;
  const them = getIt === assignedElsewhere ? "them" : `${formatCount(getIt)} of them`;
  return `${who} A run assigns ${them} to the default one in addition.`;
}
