import type { Run } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { titleOf } from "../frame/run_wording.ts";
import { formatCount } from "../frame/wording.ts";
import { Empty, NextPage, StatusBadge, Table, Time } from "../frame/parts.tsx";
import { RunTrainers } from "./run_trainers.tsx";

interface RunTableProps {
  runs: Run[];
  /** The trainers of the runs, if they are still members. */
  trainers: Map<string, Member>;
}

/** A table of runs. */
export function RunTable({ runs, trainers }: RunTableProps) {
  return (
    <Table
      label="Runs"
      rows={runs}
      keyOf={(run) => run.id}
      columns={[
        { title: "Run", cell: (run) => <a href={paths.run(run.id)}>{titleOf(run)}</a> },
        { title: "Trainer", cell: (run) => <RunTrainers run={run} trainers={trainers} /> },
        { title: "Status", cell: (run) => <StatusBadge status={run.status} /> },
        { title: "Started", cell: (run) => <Started run={run} /> },
        { title: "Done", isNumber: true, cell: (run) => <Done run={run} /> },
        { title: "Skipped", isNumber: true, cell: (run) => formatCount(run.skipped) },
        { title: "Failed", isNumber: true, cell: (run) => formatCount(run.failed) },
      ]}
    />
  );
}

function Started({ run: { requestedAt, requestedBy } }: { run: Run }) {
  return (
    <div>
      <Time at={requestedAt} />
      <div class="note">
        by <bdi>{requestedBy}</bdi>
      </div>
    </div>
  );
}

/** Shows how many a run assigned or moved. A dry run changes nothing. */
function Done({ run }: { run: Run }) {
  if (!run.dryRun) return <>{formatCount(run.successful)}</>;
  return (
    <span>
      0 <span class="note">({formatCount(run.successful)} would be)</span>
    </span>
  );
}

/** Shows all runs, newest first. */
export function RunsPage(
  { runs, trainers, next, isFirst }: RunTableProps & { next: string | null; isFirst: boolean },
) {
  return (
    <>
      <h1>Runs</h1>
      {runs.length > 0 ? <RunTable runs={runs} trainers={trainers} /> : isFirst
        ? (
          <Empty>
            No run yet.{" "}
            <ForAdmins>
              <a href={`${paths.home}#backfill`}>Start the first one</a>.
            </ForAdmins>
          </Empty>
        )
        : <Empty>There are no older runs.</Empty>}
      <NextPage path={paths.runs} next={next} />
    </>
  );
}
