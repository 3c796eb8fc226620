import type { Run } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { MemberLink, Table } from "../frame/parts.tsx";
import { formatCount } from "../frame/wording.ts";

interface ChoicesProps {
  run: Run;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
}

/** The most rows of the table; the API has more. */
const MOST_ROWS = 25;

/** Returns the ids of the trainers that the page of a run names. */
export function trainersOf({ trainerId, choices }: Run): string[] {
  const chosen = largestChoices({ choices }).map((choice) => choice.trainerId);
  return trainerId === null ? chosen : [trainerId, ...chosen];
}

/** Names whom a run assigns to: one trainer, or whoever the policy chooses. */
export function RunTrainer({ run: { trainerId, policyVersion }, trainers }: ChoicesProps) {
  if (trainerId !== null) return <MemberLink id={trainerId} member={trainers.get(trainerId)} to="trainer" />;
  if (policyVersion === null) return <>nobody</>;
  return (
    <span>
      by the policy, <a href={paths.policyVersion(policyVersion)}>version {policyVersion}</a>
    </span>
  );
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
            cell: ({ trainerId }) => (
              <MemberLink id={trainerId} member={trainers.get(trainerId)} to="trainer" />
            ),
          },
          {
            title: "Members",
            isNumber: true,
            cell: ({ members }) =>
              formatCount(members),
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
