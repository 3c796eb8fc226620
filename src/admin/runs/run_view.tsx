import { hasEnded, type Run } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { countOf, formatCount, formatDuration, percentOf, STATUS_WORDS } from "../frame/wording.ts";
import { Figure, StatusBadge, Time } from "../frame/parts.tsx";
import { cancellationInWords, labelsOf, skipReasons, titleOf } from "../frame/run_wording.ts";
import { Choices } from "./choices_view.tsx";
import { RunTrainers } from "./run_trainers.tsx";
import { MAX_RECORDED_ERRORS } from "./recorded_errors.ts";
import { Scope } from "./scope_view.tsx";
import { ThroughputChart } from "./throughput_chart.tsx";

/** The props of a run, on the overview and on the run's own page. */
export interface RunProps {
  run: Run;
  throughput: Throughput | null;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
  /** Whether the title links to the run's own page; true on the overview. */
  linked?: boolean;
}

export function RunCard({ run, throughput, trainers, linked = false }: RunProps) {
  const title = titleOf(run);
  return (
    <article class="run card" id={`run-${run.id}`} aria-label={`${title}, ${STATUS_WORDS[run.status]}`}>
      <header>
        <h3>
          {linked ? <a href={paths.run(run.id)}>{title}</a> : hasEnded(run) ? "Result" : "Progress"}{" "}
          <StatusBadge status={run.status} />
        </h3>
        <p class="meta">
          Started by <bdi>{run.requestedBy}</bdi>, <Time at={run.requestedAt} />
        </p>
        <p class="meta">
          {run.kind === "backfill" && run.trainerId !== null && "For "}
          <RunTrainers run={run} trainers={trainers} />
        </p>
      </header>
      {!linked && <Scope run={run} />}
      <Progress run={run} />
      <Outcome run={run} />
      {!linked && run.trainerId === null && <Choices run={run} trainers={trainers} />}
      <ThroughputChart throughput={throughput} />
      <StatusForms run={run} />
    </article>
  );
}

function Progress({ run }: { run: Run }) {
  const percent = percentOf(run);
  const ended = hasEnded(run);
  return (
    <div class="progress">
      {/* For screen readers, at each tenth: the figures below change every second. */}
      <p class="visually-hidden" role="status">
        {STATUS_WORDS[run.status]}
        {run.status === "running" && `: ${Math.floor(percent / 10) * 10} percent`}
      </p>
      <progress
        max={Math.max(1, run.total)}
        value={run.total === 0 ? 1 : run.processed}
        aria-label="Progress"
      >
        {percent} %
      </progress>
      <p class="pace">
        <strong>{percent} %</strong>
        <span>
          {formatCount(run.processed)} of {run.totalIsEstimate && !ended && "about "}
          {countOf(run.total, run.kind === "transfer" ? "client" : "member")}
        </span>
        <Pace run={run} />
      </p>
      {run.throttledBecause !== null && (
        <p class="reason">The run waits, to spare the database: {run.throttledBecause}.</p>
      )}
      {run.pauseReason !== null && <p class="reason">Paused: {run.pauseReason}</p>}
    </div>
  );
}

function Pace({ run }: { run: Run }) {
  const rate = run.ratePerSecond === null ? undefined : `${formatCount(run.ratePerSecond)} a second`;
  if (hasEnded(run)) {
    const duration = durationOf(run);
    return <span>{[duration && `in ${duration}`, rate].filter(Boolean).join(", ")}</span>;
  }
  if (run.status === "paused") return <span>paused</span>;
  if (run.throttledBecause !== null) return <span>waiting</span>;
  return (
    <>
      <span>{rate ?? "measuring the pace"}</span>
      {run.etaSeconds !== null && <span>about {formatDuration(run.etaSeconds)} left</span>}
    </>
  );
}

function durationOf({ startedAt, requestedAt, finishedAt }: Run): string | undefined {
  if (finishedAt === null) return undefined;
  return formatDuration(Math.max(0, finishedAt.getTime() - (startedAt ?? requestedAt).getTime()) / 1000);
}

function Outcome({ run }: { run: Run }) {
  const left = stillLeft(run);
  const labels = labelsOf(run);
  return (
    <dl class="figures">
      <Figure label={labels.total}>{formatCount(run.total)}</Figure>
      <Figure label={labels.successful} tone={run.successful > 0 ? "good" : undefined}>
        {formatCount(run.successful)}
      </Figure>
      <Figure label={labels.skipped} note={skipReasons(run)}>{formatCount(run.skipped)}</Figure>
      <Figure
        label={labels.failed}
        tone={run.failed > 0 ? "bad" : undefined}
        note={run.failed > 0 ? labels.failedNote : undefined}
      >
        {formatCount(run.failed)}
      </Figure>
      {left !== undefined && (
        <Figure
          label={labels.left}
          tone={left > run.skippedBecause.ended ? "bad" : undefined}
          note="of the total, counted at the end"
        >
          {formatCount(left)}
        </Figure>
      )}
    </dl>
  );
}

/**
 * Returns how many members the closing proof found without the trainer, or not moved: failed ones, those whose
 * assignment was ended, and others. `remaining` includes failed members beyond the recorded ones. Undefined if
 * there was no proof. Of a transfer: those that it missed, if any.
 */
function stillLeft({ kind, dryRun, remaining, failed, skippedBecause }: Run): number | undefined {
  if (dryRun || remaining === null) return undefined;
  if (kind === "transfer") return remaining === 0 ? undefined : remaining; // the failed stand beside it
  return remaining + Math.min(failed, MAX_RECORDED_ERRORS) + skippedBecause.ended;
}

function StatusForms({ run }: { run: Run }) {
  if (hasEnded(run)) {
    if (run.failed === 0 || run.dryRun) return null;
    return (
      <div class="actions">
        <ForAdmins>
          <StatusButton run={run} verb="retry" label="Retry the failed" kind="primary" />
        </ForAdmins>
        <a class="button" href={paths.runErrors(run.id)} download>Download errors (CSV)</a>
      </div>
    );
  }
  return (
    <ForAdmins>
      <div class="actions">
        {run.status === "running"
          ? <StatusButton run={run} verb="pause" label="Pause" />
          : <StatusButton run={run} verb="resume" label="Resume" kind="primary" />}
        <details class="confirm" name="confirm">
          <summary class="button">Cancel…</summary>
          <div>
            <p>{cancellationInWords(run)}</p>
            <StatusButton run={run} verb="cancel" label="Cancel the run" kind="danger" />
          </div>
        </details>
      </div>
    </ForAdmins>
  );
}

function StatusButton(
  { run, verb, label, kind = "" }: { run: Run; verb: string; label: string; kind?: string },
) {
  return (
    <form method="post" action={paths.changeRunStatus(run.id, verb)}>
      <button class={kind} type="submit">{label}</button>
    </form>
  );
}
