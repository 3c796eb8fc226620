import type { Member } from "../../assignments/member_lookup.ts";
import type { AssignmentState } from "../../operation/assignment_state.ts";
import type { Coverage } from "../../operation/coverage.ts";
import type { Run } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Typed } from "../frame/pages.ts";
import type { PickerState } from "../picker/read_pick.ts";

/** The refused form to start a run, as it was filled in. */
export interface TypedForm {
  typed: Typed;
  trainer: PickerState;
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
  /** What members are searched by, beside the id. */
  fields: ("name" | "email")[];
  typed?: TypedForm | undefined;
}
