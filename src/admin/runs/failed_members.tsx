import type { Run, RunError } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { MemberLink, NextPage, Reason, Table } from "../frame/parts.tsx";
import { TrainerLink } from "../frame/trainer_link.tsx";
import { MAX_RECORDED_ERRORS, unrecordedInWords } from "./recorded_errors.ts";

interface FailedMembersProps {
  run: Run;
  errors: RunError[];
  /** Those of the errors, if they are still members. */
  members: Map<string, Member>;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
  next: string | null;
}

/** Lists whom a run could not assign, or left with their trainer, and why. */
export function FailedMembers({ run, errors, members, trainers, next }: FailedMembersProps) {
  const title = run.kind === "transfer" ? "Who stays" : "Failed members";
  return (
    <section aria-labelledby="errors-title">
      <h2 id="errors-title">{title}</h2>
      {run.kind === "transfer" ? <WhoStays run={run} trainers={trainers} /> : (
        <p>
          The run failed to assign these members, and does not try them again: retry the failed, or start
          another run. <a href={paths.failures}>Waiting sign-ups</a>{" "}
          are a separate list, which the service tries again by itself.
        </p>
      )}
      <Table
        label={title}
        rows={errors}
        keyOf={({ memberId }) => memberId}
        columns={[
          {
            title: "Member",
            cell: ({ memberId }) => <MemberLink id={memberId} member={members.get(memberId)} />,
          },
          {
            title: run.kind === "transfer" ? "Stays because" : "Reason",
            cell: ({ code, message }) => <Reason sqlstate={code} message={message} />,
          },
        ]}
      />
      {next === null && run.failed > MAX_RECORDED_ERRORS && <p>{unrecordedInWords(run)}</p>}
      <NextPage path={paths.run(run.id)} next={next} />
    </section>
  );
}

function WhoStays(
  { run: { fromTrainerId, dryRun }, trainers }: Pick<FailedMembersProps, "run" | "trainers">,
) {
  const from = <TrainerLink id={fromTrainerId} member={trainers.get(fromTrainerId ?? "")} />;
  if (dryRun) return <p>These clients would be left with {from}, for the reason given.</p>;
  return (
    <p>
      These clients were left with{" "}
      {from}, for the reason given. Change what is in the way, then retry the failed.
    </p>
  );
}
