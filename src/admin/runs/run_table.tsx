import type { Run, RunError } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { formatCount, reasonInWords, STATUS_WORDS } from "../frame/wording.ts";
import { Empty, MemberLink, Message, NextPage, StatusBadge, Table, Time } from "../frame/parts.tsx";
import { RunCard, titleOf } from "./run_view.tsx";

/** Runs, a line each. */
export function RunTable({ runs }: { runs: Run[] }) {
  return (
    <Table label="Runs" head={["Run", "Status", "Started", "By"]} numbers={["Assigned", "Skipped", "Failed"]}>
      {runs.map((run) => (
        <tr key={run.id}>
          <td>
            <a href={paths.run(run.id)}>{titleOf(run)}</a>
          </td>
          <td>
            <StatusBadge status={run.status} />
          </td>
          <td>
            <Time at={run.requestedAt} />
          </td>
          <td>
            <bdi>{run.requestedBy}</bdi>
          </td>
          <td class="number">{formatCount(run.successful)}</td>
          <td class="number">{formatCount(run.skipped)}</td>
          <td class="number">{formatCount(run.failed)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** All runs, newest first. */
export function RunsPage({ runs, next, isFirst }: { runs: Run[]; next: string | null; isFirst: boolean }) {
  return (
    <>
      <h1>Runs</h1>
      {runs.length > 0 ? <RunTable runs={runs} /> : isFirst
        ? (
          <Empty>
            No run yet. <a href={`${paths.home}#backfill`}>Start the first one</a>.
          </Empty>
        )
        : <Empty>There are no older runs.</Empty>}
      <NextPage path={paths.runs} next={next} />
    </>
  );
}

/** One run: how it stands or went, who did what, and whom it could not assign. */
export function RunPage({ run, throughput, trainer, errors, next, isFirst }: {
  run: Run;
  throughput: Throughput | null;
  trainer: Member | undefined;
  errors: RunError[];
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
            {" "}· tries again whom <a href={paths.run(run.retryOf)}>this run</a> could not assign
          </>
        )}
      </p>
      <h2 class="visually-hidden">How it stands</h2>
      <RunCard run={run} throughput={throughput} trainer={trainer} />
      {(run.failed > 0 || !isFirst) && <Errors run={run} errors={errors} next={next} />}
      <History run={run} />
    </>
  );
}

function Errors({ run, errors, next }: { run: Run; errors: RunError[]; next: string | null }) {
  return (
    <section aria-labelledby="errors-title">
      <h2 id="errors-title">Failed members</h2>
      <Table label="Failed members" head={["Member", "Reason", "Code"]}>
        {errors.map(({ memberId, code, message }) => (
          <tr key={memberId}>
            <td>
              <MemberLink id={memberId} />
            </td>
            <td>
              {reasonInWords(code)}
              <Message text={message} />
            </td>
            <td>
              <code>{code}</code>
            </td>
          </tr>
        ))}
      </Table>
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
          <li key={at.toISOString()}>
            <Time at={at} />{" "}
            <span>
              <bdi>{actor}</bdi>: {from === null ? "started" : `${STATUS_WORDS[from]} → ${STATUS_WORDS[to]}`}
              {reason !== null && <Message text={reason} />}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
