import type { Run } from "../../runs/progress.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { countOf, formatCount } from "../frame/wording.ts";
import { Empty } from "../frame/parts.tsx";
import { RunCard } from "../runs/run_view.tsx";
import { MemberPicker } from "../picker/member_picker.tsx";
import type { OverviewProps } from "./props.ts";

/** Shows the runs that have not ended, or else the last one, and the form to start one. */
export function Backfill(props: OverviewProps) {
  const { state, activeRuns, recentRuns, throughput, trainers } = props;
  const shown = activeRuns.length > 0 ? activeRuns : recentRuns.slice(0, 1);
  const inTheWay = activeRuns.find((run) =>
    run.kind === "backfill" && (run.policyVersion !== null || run.trainerId === state.defaultTrainer?.id)
  );
  return (
    <section id="backfill" aria-labelledby="backfill-title">
      <h2 id="backfill-title">Backfill</h2>
      {inTheWay !== undefined
        ? <p>{inTheWayInWords(inTheWay)}</p>
        : (
          <ForAdmins others={activeRuns.length === 0 && <p>No run is under way.</p>}>
            <StartForm {...props} />
          </ForAdmins>
        )}
      {activeRuns.length === 0 && shown.length > 0 && <h3 class="overline">The last run</h3>}
      {shown.map((run) => (
        <RunCard
          key={run.id}
          run={run}
          throughput={throughput.get(run.id) ?? null}
          trainers={trainers}
          linked
        />
      ))}
    </section>
  );
}

function inTheWayInWords({ status, dryRun, reassign, retryOf }: Run): string {
  if (status === "paused") {
    return `A ${dryRun ? "dry run" : "run"} is paused, and does nothing until it is resumed. ` +
      "Another one can start when it has ended or is cancelled.";
  }
  if (dryRun) return "A dry run is under way. It looks at every member once and assigns nobody.";
  if (retryOf !== null) return "A run is under way. It tries the failed members of an earlier run again.";
  if (reassign) {
    return "A run is under way. It looks at every member once, and replaces what the policy would no longer choose.";
  }
  return "A run is under way. It looks at every member once, and assigns everyone without the trainer.";
}

function StartForm({ state, coverage, typed }: OverviewProps) {
  const options = typed?.typed ?? {};
  if (state.defaultTrainer === null || !state.defaultTrainer.isMember) {
    return <Empty>A backfill needs a default trainer who is a member. See above.</Empty>;
  }
  if (coverage.members <= 1) {
    return <Empty>There is nobody to assign yet. Members appear here as soon as they sign up.</Empty>;
  }
  const { toAssign, isEstimate } = coverage;
  return (
    <form class="start" method="post" action={paths.runs}>
      <p>
        A run looks at every member once, and assigns everyone without the default trainer: {toAssign === 0
          ? "nobody"
          : isEstimate
          ? `about ${formatCount(toAssign)}`
          : countOf(toAssign, "member")}{" "}
        now. Ended assignments stay ended. A run can be paused, and repeated at any time.
      </p>
      <details class="options" open={typed !== undefined}>
        <summary>Options</summary>
        <div class="fields">
          <MemberPicker name="trainerId" label="Another trainer" state={typed?.trainer} />
          <p>
            <label for="run-rows">Rows per batch (adapted if empty)</label>
            <input
              id="run-rows"
              name="batchRows"
              type="number"
              value={options.batchRows}
              min="1"
              max="20000"
              inputmode="numeric"
            />
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
