import type { AssignmentState } from "../../operation/assignment_state.ts";
import { describeMembersTrigger } from "../../operation/members_trigger.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { Empty, MemberLink, Time } from "../frame/parts.tsx";
import { MemberPicker } from "../picker/member_picker.tsx";
import { askInWords } from "../picker/search_words.tsx";
import { RunTable } from "../runs/run_table.tsx";
import { answerInWords, othersInWords } from "./answer.ts";
import { Backfill } from "./backfill.tsx";
import { Figures } from "./figures.tsx";
import type { OverviewProps } from "./props.ts";

export function Overview(props: OverviewProps) {
  const { state, coverage } = props;
  const others = othersInWords(coverage);
  return (
    <>
      <section class="answer">
        <h1>{answerInWords(state, coverage)}</h1>
        {others !== "" && <p>{others}</p>}
        <p class="meta">
          {coverage.isEstimate ? "Estimated by the database, " : "Counted "}
          <Time at={coverage.countedAt} />
        </p>
      </section>
      <Glance {...props} />
      <Backfill {...props} />
      <section aria-labelledby="past-title">
        <h2 id="past-title">Latest runs</h2>
        {props.recentRuns.length === 0
          ? <Empty>No run yet. Runs are listed here, also after they have ended.</Empty>
          : (
            <>
              <RunTable runs={props.recentRuns} trainers={props.trainers} />
              <p>
                <a href={paths.runs}>All runs</a>
              </p>
            </>
          )}
      </section>
      <LookUp fields={props.fields} />
    </>
  );
}

function Glance({ state, coverage, trainers }: OverviewProps) {
  return (
    <section aria-labelledby="glance-title">
      <h2 id="glance-title" class="visually-hidden">At a glance</h2>
      <Figures state={state} coverage={coverage} />
      <ul class="states">
        <Trigger state={state} />
        <DefaultTrainer state={state} trainers={trainers} />
      </ul>
    </section>
  );
}

function Trigger({ state: { trigger } }: { state: AssignmentState }) {
  return (
    <li class={trigger.isFine ? "good" : trigger.state === "missing" ? "bad" : "warn"}>
      <span>
        <strong>Trigger {trigger.state}.</strong> {trigger.isFine
          ? "New members are assigned as they sign up."
          : <span class="hint">{describeMembersTrigger(trigger)}</span>}
      </span>
    </li>
  );
}

function DefaultTrainer({ state, trainers }: Pick<OverviewProps, "state" | "trainers">) {
  const trainer = state.defaultTrainer;
  return (
    <li class={trainer?.isMember ? "good" : "bad"}>
      <span>
        {trainer === null
          ? (
            <strong>
              No default trainer is set: nobody can be assigned. <ForAdmins>Choose one.</ForAdmins>
            </strong>
          )
          : (
            <>
              <strong>Default trainer</strong>{" "}
              <MemberLink id={trainer.id} member={trainers.get(trainer.id)} to="trainer" />{" "}
              <a href={paths.policy}>who set this, when</a>
              {!trainer.isMember &&
                <strong class="problem">is not a member: add them to the members, or choose another.</strong>}
            </>
          )}
        <ForAdmins>
          <details class="inline-form">
            <summary>{trainer === null ? "Choose…" : "Change…"}</summary>
            <form method="get" action={paths.defaultTrainer}>
              <MemberPicker name="trainer" label="The new default trainer" />
              <button type="submit">Review the change</button>
            </form>
          </details>
        </ForAdmins>
      </span>
    </li>
  );
}

function LookUp({ fields }: Pick<OverviewProps, "fields">) {
  return (
    <section aria-labelledby="look-up-title">
      <h2 id="look-up-title">Look up</h2>
      <div class="lookups">
        <form method="get" action={paths.members} role="search" aria-label="Members">
          <label for="member">{askInWords("A member's", fields)}</label>
          <div class="row">
            <input id="member" name="q" required autocomplete="off" />
            <button type="submit">Find</button>
          </div>
        </form>
        <form method="get" action={paths.trainers} role="search" aria-label="Trainers">
          <label for="trainer">{askInWords("A trainer's", fields)}</label>
          <div class="row">
            <input id="trainer" name="q" required autocomplete="off" />
            <button type="submit">List clients</button>
          </div>
        </form>
      </div>
    </section>
  );
}
