import type { InputError } from "../../input_errors.ts";
import type { Policy } from "../../policy/policies.ts";
import type { PolicyPreview } from "../../policy/preview.ts";
import { paths } from "../frame/paths.ts";
import { type Change, findChanges } from "./changes.ts";
import { DraftFields } from "./draft_fields.tsx";
import { FateQuestion } from "./fate.tsx";
import { Preview } from "./preview_view.tsx";
import type { DraftProps } from "./rules_view.tsx";
import { Comparison } from "./sentence_view.tsx";

export interface ReviewProps extends DraftProps {
  inForce: Policy;
  /** What somebody else changed since the draft was begun; null: nobody saved meanwhile. */
  theirs: { changes: Change[]; mine: Change[] } | null;
  errors: InputError[];
  warnings: InputError[];
  /** Null if it took too long, if members are distributed, or if there are errors. */
  preview: PolicyPreview | null;
  comment: string;
  fate: string | undefined;
}

/** Shows what a draft changes and would do, and saves it. */
export function ReviewPage(props: ReviewProps) {
  const { draft, inForce, people, errors, warnings, theirs } = props;
  const changes = findChanges(inForce.policy, draft);
  const canSave = errors.length === 0 && changes.length > 0;
  return (
    <>
      <h1>{theirs === null ? "Preview and save" : "Somebody else saved meanwhile"}</h1>
      {theirs !== null && <Conflict {...props} theirs={theirs} />}
      <section aria-labelledby="changes-title">
        <h2 id="changes-title">What changes</h2>
        <Comparison
          changes={changes}
          people={people}
          before={`Version ${inForce.version}, in force`}
          after="Yours"
        />
      </section>
      <Problems title="This must be mended first" tone="bad" problems={errors} {...props} />
      <Problems title="This may be a mistake" tone="warn" problems={warnings} {...props} />
      {errors.length === 0 && (
        <section aria-labelledby="preview-title">
          <h2 id="preview-title">What it would do</h2>
          <Preview preview={props.preview} people={people} />
        </section>
      )}
      {canSave && <SaveForm {...props} />}
      <form class="actions" method="post" action={paths.policyDraft}>
        <DraftFields draft={draft} base={props.base} />
        <button type="submit" name="do" value="list">Back to the rules</button>
        <a class="button" href={paths.policy}>Discard</a>
      </form>
    </>
  );
}

/** Saves over the version in force, which the page has just shown. */
function SaveForm({ draft, inForce, comment, fate, theirs }: ReviewProps) {
  return (
    <form class="builder card" method="post" action={paths.policy}>
      <DraftFields draft={draft} base={inForce.version} />
      {draft.defaultTrainerId !== inForce.policy.defaultTrainerId && <FateQuestion chosen={fate} />}
      <p>
        <label for="comment">Comment: why? (optional)</label>
        <input id="comment" name="comment" value={comment} maxlength={1000} autocomplete="off" />
      </p>
      <div class="actions">
        <button class="primary" type="submit">
          {theirs === null ? "Save" : `Save mine instead of version ${inForce.version}`}
        </button>
      </div>
    </form>
  );
}

function Conflict(
  { base, inForce, people, theirs }: ReviewProps & { theirs: NonNullable<ReviewProps["theirs"]> },
) {
  return (
    <section aria-labelledby="theirs-title">
      <p class="notice warn">
        <bdi>{inForce.createdBy}</bdi> has saved version {inForce.version}. Yours was made from version{" "}
        {base}. Nothing of yours was saved, and nothing is lost: it is below.
      </p>
      <h2 id="theirs-title">What they changed</h2>
      <Comparison
        changes={theirs.changes}
        people={people}
        before={`Version ${base}`}
        after={`Version ${inForce.version}, in force`}
      />
      <h2>What you changed</h2>
      <Comparison changes={theirs.mine} people={people} before={`Version ${base}`} after="Yours" />
      <p>
        To keep both, go back to the rules and add their changes to yours, or{" "}
        <a href={paths.policyDraft}>start from theirs</a>.
      </p>
    </section>
  );
}

function Problems({ title, tone, problems, draft }: DraftProps & {
  title: string;
  tone: "bad" | "warn";
  problems: InputError[];
}) {
  if (problems.length === 0) return null;
  return (
    <div class={`notice ${tone}`}>
      <h2>{title}</h2>
      <ul class="consequences">
        {problems.map(({ pointer, detail }) => (
          <li key={pointer}>
            {placeInWords(pointer, draft)}: {detail}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Says where a problem is: `Rule 2, German`. */
export function placeInWords(pointer: string, { rules }: DraftProps["draft"]): string {
  const place = /^\/rules\/(\d+)/.exec(pointer)?.[1];
  if (place === undefined) return pointer === "/defaultTrainerId" ? "The default trainer" : "The policy";
  return `Rule ${Number(place) + 1}, ${rules[Number(place)]?.name ?? ""}`;
}
