import type { Run, RunError } from "../../runs/progress.ts";
import type { Throughput } from "../../runs/throughput.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { STATUS_WORDS } from "../frame/wording.ts";
import { historyPath } from "../history/asked.ts";
import { Message, Time } from "../frame/parts.tsx";
import { titleOf } from "../frame/run_wording.ts";
import { FailedMembers } from "./failed_members.tsx";
import type { FollowUp } from "./follow_up.ts";
import { NextSteps } from "./next_steps.tsx";
import { RunCard } from "./run_view.tsx";

/** Shows a run: its progress or result, what is left to do, its failed members, and its history. */
export function RunPage({ run, throughput, trainers, followUp, errors, members, next, isFirst }: {
  run: Run;
  throughput: Throughput | null;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
  followUp: FollowUp | undefined;
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
      {followUp !== undefined && <NextSteps run={run} trainers={trainers} followUp={followUp} />}
      {(run.failed > 0 || !isFirst) && (
        <FailedMembers run={run} errors={errors} members={members} trainers={trainers} next={next} />
      )}
      <History run={run} />
    </>
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
      <p>
        <a href={historyPath({ subject: `run:${run.id}` })}>The same in the history</a>
      </p>
    </section>
  );
}
