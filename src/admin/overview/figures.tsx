import type { AssignmentState } from "../../operation/assignment_state.ts";
import type { Coverage } from "../../operation/coverage.ts";
import { paths } from "../frame/paths.ts";
import { formatCount, formatWaiting } from "../frame/wording.ts";
import { Figure } from "../frame/parts.tsx";

/**
 * Shows who has a trainer. The figures add up: with the default trainer, only with another one, without one,
 * and the trainer.
 */
export function Figures({ state, coverage }: { state: AssignmentState; coverage: Coverage }) {
  const { trainerId, isTrainerMember, members, assigned, assignedElsewhere, unassigned, ended, isEstimate } =
    coverage;
  const { waiting, forRoom } = state.failures;
  const count = (figure: number | null) =>
    figure === null ? "not known" : (isEstimate ? "≈ " : "") + formatCount(figure);
  return (
    <dl class="figures large">
      <Figure label="Members" note={isTrainerMember ? "one is the default trainer" : undefined}>
        {count(members)}
      </Figure>
      {trainerId !== null && (
        <Figure label="With the default trainer" tone={assigned > 0 ? "good" : undefined}>
          {count(assigned)}
        </Figure>
      )}
      <Figure
        label={trainerId === null ? "With a trainer" : "Only with another trainer"}
        tone={assignedElsewhere ? "good" : undefined}
      >
        {count(assignedElsewhere)}
      </Figure>
      <Figure
        label="Without a trainer"
        tone={unassigned !== null && unassigned > ended ? "warn" : undefined}
        note={ended > 0 ? `${formatCount(ended)} of them ended by hand` : undefined}
      >
        {count(unassigned)}
      </Figure>
      <Figure
        label="Waiting sign-ups"
        tone={waiting > forRoom ? "bad" : undefined}
        note={waiting > 0
          ? (
            <>
              {forRoom === waiting ? "for room; " : forRoom > 0 ? `${formatWaiting(forRoom)} for room; ` : ""}
              tried again automatically; <a href={paths.failures}>see why</a>
            </>
          )
          : undefined}
      >
        {formatWaiting(waiting)}
      </Figure>
    </dl>
  );
}
