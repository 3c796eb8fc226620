import type { HistoryEntry } from "../../assignments/member_history.ts";
import { paths } from "../frame/paths.ts";
import { sourceInWords } from "../frame/wording.ts";

/** Says how an assignment was made, with a link to the run that made it. */
export function How({ entry }: { entry: HistoryEntry }) {
  const words = sourceInWords(entry.source);
  return entry.backfillRunId === null ? <>{words}</> : <a href={paths.run(entry.backfillRunId)}>{words}</a>;
}

/** Says why it was this trainer, after {@link How}: the rule of a version of the policy, or whoever named them. */
export function Why({ entry: { policyVersion, rule, ruleName, source } }: { entry: HistoryEntry }) {
  if (policyVersion === null) return source === "manual" ? null : <>: for a trainer who was named</>;
  return (
    <>
      : {rule === null ? "the default trainer" : (
        <>
          rule {rule}, <bdi class="field">{ruleName}</bdi>,
        </>
      )} of <a href={paths.policyVersion(policyVersion)}>version {policyVersion} of the policy</a>
    </>
  );
}

/** Names who did it, unless the words say it already. */
export function By({ actor }: { actor: string }) {
  if (["trigger", "retry"].includes(actor)) return null;
  return (
    <>
      , by <bdi>{actor}</bdi>
    </>
  );
}
