import type { Member } from "../../assignments/member_lookup.ts";
import type { Coverage } from "../../operation/coverage.ts";
import { paths } from "../frame/paths.ts";
import { countOf, formatWaiting } from "../frame/wording.ts";
import { MemberLink } from "../frame/parts.tsx";
import { FateQuestion } from "../policy/fate.tsx";
import type { PickerState } from "../picker/read_pick.ts";
import type { Person } from "../policy/people.ts";
import { TrainerPicker } from "../policy/trainer_picker.tsx";

/** Says what a change of the default trainer would do. */
export function DefaultTrainerPage({ trainer, current, failures, coverage }: {
  trainer: Member;
  current: { id: string; member: Member | undefined } | null;
  failures: number;
  /** How many members have the new trainer. */
  coverage: Coverage;
}) {
  const about = coverage.isEstimate ? "about " : "";
  return (
    <>
      <h1>Change the default trainer?</h1>
      <div class="card">
        <dl class="change">
          <dt>From</dt>
          <dd>
            {current === null
              ? "nobody"
              : <MemberLink id={current.id} member={current.member} to="trainer" />}
          </dd>
          <dt>To</dt>
          <dd>
            <MemberLink id={trainer.id} member={trainer} to="trainer" />
          </dd>
        </dl>
        <ul class="consequences">
          <li>
            <strong>Nobody is moved.</strong> Whoever has a trainer keeps them.
          </li>
          <li>Every new member whom no rule of the policy takes gets the new trainer from now on.</li>
          {failures > 0 && (
            <li>
              So {failures === 1 ? "does" : "do"} {formatWaiting(failures)} waiting{" "}
              {failures === 1 ? "sign-up" : "sign-ups"}.
            </li>
          )}
          {coverage.assigned > 0 && (
            <li>
              {about}
              {countOf(coverage.assigned, "member")} {coverage.assigned === 1 ? "has" : "have"}{" "}
              the new trainer already.
            </li>
          )}
          <li>
            {about}
            {countOf(coverage.toAssign, "member")} {coverage.toAssign === 1 ? "does" : "do"}{" "}
            not have the new trainer. An assignment to the new trainer that was ended stays ended.
          </li>
        </ul>
        <form class="builder" method="post" action={paths.defaultTrainer}>
          <input type="hidden" name="trainerId" value={trainer.id} />
          <FateQuestion />
          <div class="actions">
            <button class="primary" type="submit">Change the default trainer</button>
            <a class="button" href={paths.home}>Keep it as it is</a>
          </div>
        </form>
      </div>
    </>
  );
}

/** Asks for the new default trainer. */
export function ChooseDefaultTrainerPage({ pickable, state }: {
  pickable: Person[];
  state?: PickerState | undefined;
}) {
  return (
    <>
      <h1>Change the default trainer</h1>
      <form class="builder card" method="get" action={paths.defaultTrainer}>
        <TrainerPicker pickable={pickable} label="The new default trainer" state={state}>
          <button class="primary" type="submit">Review the change</button>
        </TrainerPicker>
      </form>
    </>
  );
}
