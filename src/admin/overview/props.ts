import type { Member } from "../../assignments/member_lookup.ts";
import type { AssignmentState } from "../../operation/assignment_state.ts";
import type { Coverage } from "../../operation/coverage.ts";
import type { Run } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Typed } from "../frame/pages.ts";

/** A refused form of the overview, and its fields. */
export interface TypedForm {
  form: "run" | "default trainer";
  typed: Typed;
}

/** All that the overview shows. */
export interface OverviewProps {
  state: AssignmentState;
  coverage: Coverage;
  /** Runs that have not ended, oldest first. */
  activeRuns: Run[];
  /** The latest few runs, newest first. */
  recentRuns: Run[];
  /** By run id, for the runs shown in detail. */
  throughput: Map<string, Throughput | null>;
  trainers: Map<string, Member>;
  hasEmails: boolean;
  typed?: TypedForm | undefined;
}
