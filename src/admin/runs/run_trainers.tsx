import type { Run } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { TrainerLink } from "../frame/trainer_link.tsx";

interface RunTrainersProps {
  run: Run;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
}

/** Names whom a run assigns to; of a transfer, from whom to whom it moves. */
export function RunTrainers({ run, trainers }: RunTrainersProps) {
  const { fromTrainerId } = run;
  if (fromTrainerId === null) return <NewTrainer run={run} trainers={trainers} />;
  return (
    <span class="from-to">
      <span>
        From <TrainerLink id={fromTrainerId} member={trainers.get(fromTrainerId)} />
      </span>{" "}
      <span>
        to <NewTrainer run={run} trainers={trainers} />
      </span>
    </span>
  );
}

/** One trainer, or whoever the policy chooses. */
function NewTrainer({ run: { kind, trainerId, policyVersion }, trainers }: RunTrainersProps) {
  if (trainerId !== null) return <TrainerLink id={trainerId} member={trainers.get(trainerId)} />;
  if (policyVersion === null) return <>nobody</>;
  const version = <a href={paths.policyVersion(policyVersion)}>version {policyVersion}</a>;
  if (kind === "transfer") return <span>whom the policy chooses, {version}</span>;
  return <span>By the policy, {version}</span>;
}
