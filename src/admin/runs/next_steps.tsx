import type { Run } from "../../runs/progress.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { countOf, formatCount } from "../frame/wording.ts";
import { isNamed, StandingInWords } from "../policy/standing_view.tsx";
import { PlanFields, planOfRun } from "../transfers/plan.tsx";
import type { FollowUp } from "./follow_up.ts";

interface NextStepsProps {
  run: Run;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
  followUp: FollowUp;
}

/** Says what is left to do after a transfer, or after a dry run. */
export function NextSteps(props: NextStepsProps) {
  const steps = props.run.dryRun ? afterDryRun(props) : afterTransfer(props);
  if (steps === null) return null;
  return (
    <section class="card" aria-labelledby="next-title">
      <h2 id="next-title">What is left to do</h2>
      {steps}
    </section>
  );
}

function afterDryRun({ run, followUp }: NextStepsProps) {
  if (run.status === "cancelled") return null;
  if (run.successful === 0) return <p>Nothing: the run would change nothing.</p>;
  if (run.kind === "transfer") return <GoOnToMove run={run} followUp={followUp} />;
  if (run.policyVersion !== followUp.policyVersion) {
    return (
      <p>
        The policy has changed since: version {followUp.policyVersion} is in force.{" "}
        <a href={paths.policy}>Look at it</a>, and start another dry run there.
      </p>
    );
  }
  return (
    <>
      <p>Nothing was changed yet. What a person assigned stays.</p>
      <ForAdmins>
        <form class="actions" method="post" action={paths.runs}>
          <input type="hidden" name="reassign" value="true" />
          <button class="primary" type="submit">
            Assign or move {countOf(run.successful, "member")}
          </button>
        </form>
      </ForAdmins>
    </>
  );
}

function GoOnToMove({ run, followUp: { trainer } }: Pick<NextStepsProps, "run" | "followUp">) {
  const plan = planOfRun(run);
  if (trainer === null) return <p>Nothing: the trainer is not a member any more.</p>;
  if (plan === undefined) {
    return (
      <p>
        Nothing was moved yet. <a href={paths.trainer(trainer.trainerId)}>Go on at the trainer's page</a>.
      </p>
    );
  }
  return (
    <>
      <p>Nothing was moved yet.</p>
      <ForAdmins>
        <form class="actions" method="post" action={paths.transferPlan(trainer.trainerId)}>
          <PlanFields plan={plan} />
          <button class="primary" type="submit" name="do" value="preview">Go on to move them…</button>
        </form>
      </ForAdmins>
    </>
  );
}

function afterTransfer({ run, trainers, followUp: { trainer, standing } }: NextStepsProps) {
  if (run.kind !== "transfer") return null;
  if (trainer === null) return <p>Nothing: the former trainer is deleted.</p>;
  const member = trainers.get(trainer.trainerId);
  const name = <bdi>{member?.name || member?.email || "The trainer"}</bdi>;
  const { clients, acceptsClients, trainerId } = trainer;
  const named = isNamed(standing);
  return (
    <ul class="consequences">
      {clients > 0
        ? (
          <li>
            {name} still has <a href={paths.trainer(trainerId)}>{countOf(clients, "client")}</a>
            {run.failed > 0 && `: ${formatCount(run.failed)} could not be moved, as listed below`}.
          </li>
        )
        : (
          <li>
            <strong>
              {name} has no clients left{named ? "." : " and can be deleted in your application."}
            </strong>{" "}
            Their former clients keep the history.
          </li>
        )}
      {named && (
        <li>
          {name} is still <StandingInWords standing={standing} />
          {acceptsClients
            ? ", so new sign-ups go on to them."
            : ", so sign-ups that would go to them wait, or get the next trainer."}
        </li>
      )}
      {acceptsClients && (
        <li>
          {name} still takes new clients. <a href={paths.trainer(trainerId)}>Change that</a>{" "}
          if they are to get none.
        </li>
      )}
    </ul>
  );
}
