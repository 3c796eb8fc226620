import type { Run } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { Table } from "../frame/parts.tsx";
import { TrainerLink } from "../frame/trainer_link.tsx";
import { formatCount } from "../frame/wording.ts";

interface ChoicesProps {
  run: Run;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
}

/** The most rows of the table; the API has more. */
const MOST_ROWS = 25;

/** Returns the ids of the trainers that the page of a run names. */
export function trainersOf({ fromTrainerId, trainerId, choices }: Run): string[] {
  const chosen = largestChoices({ choices }).map((choice) => choice.trainerId);
  return [fromTrainerId, trainerId, ...chosen].filter((id) => id !== null);
}

/** Shows how many members each rule gave to each trainer. */
export function Choices({ run, trainers }: ChoicesProps) {
  if (run.choices.length === 0) return null;
  const title = run.dryRun ? "Who would get them" : "Who got them";
  const rows = largestChoices(run);
  return (
    <section aria-label={title}>
      <h4>{title}</h4>
      <Table
        label={title}
        rows={rows}
        keyOf={({ rule, trainerId }) => `${rule}/${trainerId}`}
        columns={[
          {
            title: "Rule",
            cell: ({ rule, ruleName }) =>
              rule === null ? "the default trainer" : (
                <span>
                  {rule}. <bdi>{ruleName}</bdi>
                </span>
              ),
          },
          {
            title: "Trainer",
            cell: ({ trainerId }) => <TrainerLink id={trainerId} member={trainers.get(trainerId)} />,
          },
          {
            title: "Members",
            isNumber: true,
            cell: ({ members }) => formatCount(members),
          },
        ]}
      />
      {rows.length < run.choices.length && (
        <p class="note">
          The {rows.length} largest of {formatCount(run.choices.length)}. The API has the others.
        </p>
      )}
    </section>
  );
}

function largestChoices({ choices }: Pick<Run, "choices">): Run["choices"] {
  if (choices.length <= MOST_ROWS) return choices;
  return choices.toSorted((one, other) => other.members - one.members).slice(0, MOST_ROWS);
}
