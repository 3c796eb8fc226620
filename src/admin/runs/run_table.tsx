import type { Run, RunError } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { formatCount, STATUS_WORDS } from "../frame/wording.ts";
import { Empty, MemberLink, Message, NextPage, Reason, StatusBadge, Table, Time } from "../frame/parts.tsx";
import { RunTrainer } from "./choices_view.tsx";
import { MAX_RECORDED_ERRORS, unrecordedInWords } from "./recorded_errors.ts";
import { RunCard, titleOf } from "./run_view.tsx";

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
        { title: "Trainer", cell: (run) => <RunTrainer run={run} trainers={trainers} /> },
        { title: "Status", cell: (run) => <StatusBadge status={run.status} /> },
        { title: "Started", cell: (run) => <Started run={run} /> },
        { title: "Assigned", isNumber: true, cell: (run) => <Assigned run={run} /> },
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

/** Shows how many a run assigned. A dry run assigns nobody. */
function Assigned({ run }: { run: Run }) {
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

/** Shows a run: its progress or result, its history, and its failed members. */
export function RunPage({ run, throughput, trainers, errors, members, next, isFirst }: {
  run: Run;
  throughput: Throughput | null;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
  errors: RunError[];
  /** Those of the errors, if they are still members. */
  members: Map<string, Member>;
  next: string | null;
  isFirst: boolean;
}) {
  return (
    <>
      <h1>{titleOf(run)}</h1>
      <p class="meta">
        <code class="id">{run.id}</code>
        {run.retryOf !== null && (
          <>
            {" "}· tries the failed members of <a href={paths.run(run.retryOf)}>this run</a> again
          </>
        )}
      </p>
      <h2 class="visually-hidden">How it stands</h2>
      <RunCard run={run} throughput={throughput} trainers={trainers} />
      {(run.failed > 0 || !isFirst) && <Errors run={run} errors={errors} members={members} next={next} />}
      <History run={run} />
    </>
  );
}

function Errors({ run, errors, members, next }: {
  run: Run;
  errors: RunError[];
  members: Map<string, Member>;
  next: string | null;
}) {
  return (
    <section aria-labelledby="errors-title">
      <h2 id="errors-title">Failed members</h2>
      <p>
        The run failed to assign these members, and does not try them again: retry the failed, or start
        another run. <a href={paths.failures}>Waiting sign-ups</a>{" "}
        are a separate list, which the service tries again by itself.
      </p>
      <Table
        label="Failed members"
        rows={errors}
        keyOf={({ memberId }) => memberId}
        columns={[
          {
            title: "Member",
            cell: ({ memberId }) => <MemberLink id={memberId} member={members.get(memberId)} />,
          },
          { title: "Reason", cell: ({ code, message }) => <Reason sqlstate={code} message={message} /> },
        ]}
      />
      {next === null && run.failed > MAX_RECORDED_ERRORS && <p>{unrecordedInWords(run)}</p>}
      <NextPage path={paths.run(run.id)} next={next} />
    </section>
  );
}

function History({ run }: { run: Run }) {
  return (
    <section aria-labelledby="history-title">
      <h2 id="history-title">Who did what</h2>
      <ol class="history">
        {run.history.map(({ at, actor, from, to, reason }) => (
          <li key={String(at)}>
            <Time at={at} />{" "}
            <span>
              <bdi>{actor}</bdi>:{" "}
              {from === null ? "Started" : to === "running" ? "Resumed" : STATUS_WORDS[to]}
              {reason !== null && <Message text={reason} />}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
