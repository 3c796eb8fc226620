import type { Outcome, PolicyPreview } from "../../policy/preview.ts";
import { paths } from "../frame/paths.ts";
import { Empty } from "../frame/parts.tsx";
import { countOf, formatCount } from "../frame/wording.ts";
import { Bar } from "./bar.tsx";
import { nameOf, type People } from "./people.ts";

const OUTCOME_WORDS: Record<Outcome, string> = {
  assign: "Get a trainer, or one more",
  already_assigned: "Have theirs already",
  ended: "Had theirs, until it was ended by hand",
  excluded: "Get none, by intention",
  is_trainer: "Get none, for they would be their own trainer",
  no_room: "Wait for room",
};

/** Shows what a draft would do: a pair of bars a trainer, and how many members would change. */
export function Preview({ preview, people }: { preview: PolicyPreview | null; people: People }) {
  if (preview === null) {
    return (
      <Empty>
        There is no preview: it took too long, or members are distributed over several servers. The policy can
        be saved all the same.
      </Empty>
    );
  }
  const { members, isSample, percent, changed, shares } = preview;
  const scale = isSample ? 100 / percent : 1;
  const about = (count: number) => (isSample ? "about " : "") + formatCount(Math.round(count * scale));
  const nobody = isSample ? "Nobody of the sample" : "Nobody"; // a few of all may
  const most = Math.max(1, ...shares.flatMap(({ before, after }) => [before, after]));
  return (
    <>
      {isSample && <p>Estimated from a sample of {countOf(members, "member")}.</p>}
      <p>
        <strong>
          {changed === 0 ? nobody : `${about(changed)} of ${about(members)}`} would get another trainer,
        </strong>{" "}
        were all members to sign up anew. Nobody is moved by saving.
      </p>
      <table class="shares">
        <caption>Members by trainer, were all to sign up anew, whatever the room</caption>
        <thead>
          <tr>
            <th scope="col">Trainer</th>
            <th scope="col">Now</th>
            <th scope="col">With this policy</th>
          </tr>
        </thead>
        <tbody>
          {[...shares].sort((one, other) => other.after - one.after || other.before - one.before).map((
            share,
          ) => (
            <tr key={share.trainerId ?? "nobody"}>
              <th scope="row">
                <TrainerName trainerId={share.trainerId} people={people} />
              </th>
              <td>
                <Bar share={share.before / most} tone="before" /> {about(share.before)}
              </td>
              <td>
                <Bar share={share.after / most} tone="after" /> {about(share.after)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>What a run would do now</h3>
      <ul class="consequences">
        {countOutcomes(preview).map(([outcome, count]) => (
          <li key={outcome}>{`${OUTCOME_WORDS[outcome]}: ${about(count)}`}</li>
        ))}
      </ul>
    </>
  );
}

function TrainerName({ trainerId, people }: { trainerId: string | null; people: People }) {
  if (trainerId === null) return <>no trainer</>;
  return (
    <a href={paths.trainer(trainerId)}>
      <bdi>{nameOf(people.get(trainerId) ?? { id: trainerId, member: undefined })}</bdi>
    </a>
  );
}

function countOutcomes({ outcomes }: PolicyPreview): [Outcome, number][] {
  const counts = new Map<Outcome, number>();
  for (const { outcome, members } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + members);
  return [...counts].sort(([, one], [, other]) => other - one);
}
