import type { PolicyDocument } from "../../policy/document.ts";
import { paths } from "../frame/paths.ts";
import { Empty } from "../frame/parts.tsx";
import { DraftFields } from "./draft_fields.tsx";
import type { People } from "./people.ts";
import { Sentence } from "./sentence_view.tsx";
import { defaultInWords, ruleInWords } from "./sentences.ts";

const MAX_RULES = 100;

/** What every page of a draft has. */
export interface DraftProps {
  draft: PolicyDocument;
  /** The version that the draft was made from. */
  base: number;
  people: People;
}

/** Lists the rules of a draft, to change, order and remove them. */
export function RulesPage({ draft, base, people }: DraftProps) {
  const last = draft.rules.length - 1;
  return (
    <>
      <h1>Change the rules</h1>
      <p>
        The first rule that fits a member, and has a trainer to give, decides. Nothing is in force before you
        save it.
      </p>
      <form class="builder" method="post" action={paths.policyDraft}>
        <DraftFields draft={draft} base={base} />
        {draft.rules.length === 0 && <Empty>There is no rule: everybody gets the default trainer.</Empty>}
        <ol class="card rules" data-sortable>
          {draft.rules.map((rule, place) => (
            <li key={rule.name} data-place={String(place)}>
              <h2>
                <bdi>{rule.name}</bdi>
              </h2>
              <p>
                <Sentence parts={ruleInWords(rule)} people={people} />
              </p>
              <div class="actions">
                <RuleButton verb="edit" places={[place]} label="Change" name={rule.name} />
                {place > 0 && (
                  <RuleButton verb="move" places={[place, place - 1]} label="Up" name={rule.name} />
                )}
                {place < last && (
                  <RuleButton verb="move" places={[place, place + 1]} label="Down" name={rule.name} />
                )}
                <RuleButton verb="remove" places={[place]} label="Remove" name={rule.name} />
              </div>
            </li>
          ))}
          <li class="rest">
            <h2>Default trainer</h2>
            <p>
              <Sentence parts={defaultInWords(draft)} people={people} />
            </p>
          </li>
        </ol>
        <fieldset>
          <legend>Members who have a trainer already</legend>
          <Respects value="false" checked={!draft.respectsOtherTrainers}>
            get the trainer of the policy as well
          </Respects>
          <Respects value="true" checked={draft.respectsOtherTrainers}>
            keep the one they have, and get no other
          </Respects>
        </fieldset>
        <div class="actions">
          {draft.rules.length < MAX_RULES && <button type="submit" name="do" value="add">Add a rule</button>}
          <button class="primary" type="submit" name="do" value="review">Preview and save…</button>
          <a class="button" href={paths.policy}>Discard</a>
        </div>
      </form>
    </>
  );
}

function RuleButton({ verb, places, label, name }: {
  verb: string;
  places: number[];
  label: string;
  name: string;
}) {
  return (
    <button class="small" type="submit" name="do" value={[verb, ...places].join(":")}>
      {label}
      <span class="visually-hidden">{` ${name}`}</span>
    </button>
  );
}

function Respects({ value, checked, children }: { value: string; checked: boolean; children: string }) {
  return (
    <label class="check">
      <input type="radio" name="respects" value={value} checked={checked} />
      {children}
    </label>
  );
}
