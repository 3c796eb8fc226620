import type { Run } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import type { AssignmentState, Coverage } from "../../operation/assignment_state.ts";
import { paths } from "../frame/paths.ts";
import { countOf, formatCount } from "../frame/wording.ts";
import { Empty, Figure, MemberLink, Time, type Tone } from "../frame/parts.tsx";
import { RunCard } from "../runs/run_view.tsx";
import { RunTable } from "../runs/run_table.tsx";

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
}

export function Overview(props: OverviewProps) {
  const { state, coverage } = props;
  return (
    <>
      <section class="answer">
        <h1>{answer(state, coverage)}</h1>
        <p class="meta">
          {coverage.isEstimate ? "Estimated by the database, " : "Counted "}
          <Time at={coverage.countedAt} />
        </p>
      </section>
      <Glance {...props} />
      <Backfill {...props} />
      <section aria-labelledby="past-title">
        <h2 id="past-title">Past runs</h2>
        {props.recentRuns.length === 0
          ? <Empty>No run yet. The first one shows here how it went, and stays.</Empty>
          : (
            <>
              <RunTable runs={props.recentRuns} />
              <p>
                <a href={paths.runs}>All runs</a>
              </p>
            </>
          )}
      </section>
      <LookUp hasEmails={props.hasEmails} />
    </>
  );
}

/** The page is for the person who answers for "does every member have a trainer?". */
function answer(state: AssignmentState, { members, unassigned, ended, isEstimate }: Coverage): string {
  if (state.defaultTrainer === null) return "No default trainer is set.";
  const others = members - (state.defaultTrainer.isMember ? 1 : 0);
  if (others <= 0) return "There are no members yet.";
  const about = isEstimate ? "About " : "";
  if (unassigned === 0) {
    return isEstimate ? "About every member has a trainer." : "Every member has a trainer.";
  }
  if (unassigned === ended) return "Every member has a trainer, but those whose assignment was ended.";
  return `${about}${formatCount(unassigned)} of ${countOf(others, "member")} ${
    unassigned === 1 ? "has" : "have"
  } no trainer.`;
}

function Glance({ state, coverage, trainers }: OverviewProps) {
  const { members, assigned, unassigned, ended, isEstimate } = coverage;
  const about = isEstimate ? "≈ " : "";
  return (
    <section aria-labelledby="glance-title">
      <h2 id="glance-title" class="visually-hidden">At a glance</h2>
      <dl class="figures large">
        <Figure label="Members">{about}{formatCount(members)}</Figure>
        <Figure label="Assigned" tone={assigned > 0 ? "good" : undefined}>
          {about}
          {formatCount(assigned)}
        </Figure>
        <Figure
          label="Unassigned"
          tone={unassigned > ended ? "warn" : undefined}
          note={ended > 0 ? `${formatCount(ended)} of them ended by hand` : undefined}
        >
          {about}
          {formatCount(unassigned)}
        </Figure>
        <Figure
          label="Failures waiting"
          tone={state.failures > 0 ? "bad" : undefined}
          note={state.failures > 0 ? <a href={paths.failures}>see why</a> : undefined}
        >
          {state.failures > 10_000 ? "> 10,000" : formatCount(state.failures)}
        </Figure>
      </dl>
      <ul class="states">
        <Trigger state={state} />
        <DefaultTrainer state={state} trainers={trainers} />
      </ul>
    </section>
  );
}

const TRIGGER: Record<AssignmentState["trigger"], { tone: Tone; text: string; hint?: string }> = {
  enabled: { tone: "good", text: "New members are assigned as they sign up." },
  disabled: {
    tone: "warn",
    text: "New members wait for the next backfill.",
    hint: "alter table public.members enable trigger members_assign_trainer_after_insert;",
  },
  missing: {
    tone: "bad",
    text: "New members wait for the next backfill. Create the trigger again, as db/migrations has it:",
    hint: "20261123000900_create_members_trigger.sql",
  },
};

function Trigger({ state }: { state: AssignmentState }) {
  const { tone, text, hint } = TRIGGER[state.trigger];
  return (
    <li class={tone}>
      <span>
        <strong>Trigger {state.trigger}.</strong> {text}
        {hint !== undefined && <code class="hint">{hint}</code>}
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
          ? <strong>No default trainer is set: nobody can be assigned. Choose one.</strong>
          : (
            <>
              <strong>Default trainer</strong>{" "}
              <MemberLink id={trainer.id} member={trainers.get(trainer.id)} to="trainer" />
              {!trainer.isMember &&
                <strong class="problem">is no member: add them to the members, or choose another.</strong>}
            </>
          )}
        <details class="inline-form">
          <summary>{trainer === null ? "Choose…" : "Change…"}</summary>
          <form method="get" action={paths.defaultTrainer}>
            <label for="new-trainer">Id of the new default trainer</label>
            <div class="row">
              <input
                id="new-trainer"
                name="trainerId"
                class="id"
                required
                autocomplete="off"
              />
              <button type="submit">Look first</button>
            </div>
          </form>
        </details>
      </span>
    </li>
  );
}

function Backfill({ state, coverage, activeRuns, recentRuns, throughput, trainers }: OverviewProps) {
  const shown = activeRuns.length > 0 ? activeRuns : recentRuns.slice(0, 1);
  const isBusy = activeRuns.some((run) => run.trainerId === state.defaultTrainer?.id);
  return (
    <section id="backfill" aria-labelledby="backfill-title">
      <h2 id="backfill-title">Backfill</h2>
      {isBusy
        ? <p>A run is active. It looks at every member once and assigns whoever lacks the trainer.</p>
        : <StartForm state={state} coverage={coverage} />}
      {activeRuns.length === 0 && shown.length > 0 && <h3 class="overline">The last run</h3>}
      {shown.map((run) => (
        <RunCard
          key={run.id}
          run={run}
          throughput={throughput.get(run.id) ?? null}
          trainer={trainers.get(run.trainerId)}
          linked
        />
      ))}
    </section>
  );
}

function StartForm({ state, coverage }: Pick<OverviewProps, "state" | "coverage">) {
  const { members, unassigned } = coverage;
  if (state.defaultTrainer === null || !state.defaultTrainer.isMember) {
    return <Empty>A backfill needs a default trainer who is a member. See above.</Empty>;
  }
  if (members <= 1) {
    return <Empty>There is nobody to assign yet. Members appear here as soon as they sign up.</Empty>;
  }
  return (
    <form class="start" method="post" action={paths.runs}>
      <p>
        A run looks at every member once and assigns whoever lacks the default trainer
        {unassigned > 0 && `: at most ${countOf(unassigned, "member")} now`}. It can be paused, and run again
        at any time.
      </p>
      <details class="options">
        <summary>Options</summary>
        <div class="fields">
          <p>
            <label for="run-trainer">Another trainer's id</label>
            <input id="run-trainer" name="trainerId" class="id" autocomplete="off" />
          </p>
          <p>
            <label for="run-rows">Rows a batch, instead of adapting them</label>
            <input id="run-rows" name="batchRows" type="number" min="1" max="20000" inputmode="numeric" />
          </p>
        </div>
      </details>
      <div class="actions">
        <button class="primary" type="submit">Run Trainer Assignment Backfill</button>
        <button type="submit" name="dryRun" value="true">Dry run first</button>
      </div>
    </form>
  );
}

function LookUp({ hasEmails }: { hasEmails: boolean }) {
  return (
    <section aria-labelledby="look-up-title">
      <h2 id="look-up-title">Look up</h2>
      <div class="lookups">
        <form method="get" action={paths.members} role="search" aria-label="Members">
          <label for="member">{hasEmails ? "A member's id or e-mail" : "A member's id"}</label>
          <div class="row">
            <input id="member" name="q" required autocomplete="off" />
            <button type="submit">Find</button>
          </div>
        </form>
        <form method="get" action={paths.trainers} role="search" aria-label="Trainers">
          <label for="trainer">A trainer's id</label>
          <div class="row">
            <input id="trainer" name="q" required autocomplete="off" />
            <button type="submit">List clients</button>
          </div>
        </form>
      </div>
    </section>
  );
}
