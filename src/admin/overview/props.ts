import type { Member } from "../../assignments/member_lookup.ts";
import type { AssignmentState } from "../../operation/assignment_state.ts";
import type { Coverage } from "../../operation/coverage.ts";
import type { Run } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Typed } from "../frame/pages.ts";

/** Which form of the overview was refused, and what was typed into it. */
export interface TypedForm {
  form: "run" | "default trainer";
  typed: Typed;
}

/** All that the overview shows. */
export interface OverviewProps {
  state: AssignmentState;
  coverage: Coverage;
  /** Not ended, oldest first. */
  activeRuns: Run[];
  /** Newest first, ended ones too; the first few. */
  recentRuns: Run[];
  /** By run id, for the runs that are shown large. */
  throughput: Map<string, Throughput | null>;
  trainers: Map<string, Member>;
  hasEmails: boolean;
  typed?: TypedForm | undefined;
}
