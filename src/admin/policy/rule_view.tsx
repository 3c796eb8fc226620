import type { MemberField } from "../../policy/member_fields.ts";
import { paths } from "../frame/paths.ts";
import { ConditionFields } from "./condition_view.tsx";
import { DraftFields } from "./draft_fields.tsx";
import { nameOf, type People, type Person, roomInWords } from "./people.ts";
import type { PickerState } from "../picker/read_pick.ts";
import type { RuleForm } from "./rule_form.ts";
import type { DraftProps } from "./rules_view.tsx";
import { TrainerPicker } from "./trainer_picker.tsx";

export interface RulePageProps extends DraftProps {
  /** Of the rule in the draft, from 0; one beyond the last for a new rule. */
  place: number;
  form: RuleForm;
  fields: MemberField[];
  pickable: Person[];
  /** What was typed to find a trainer, and who was found. */
  picker: PickerState | undefined;
  /** What is wrong with the form. */
  faults: string[];
}

/** Asks for a rule: its name, for whom it is, and whom they get. */
export function RulePage(
  { draft, base, people, place, form, fields, pickable, picker, faults }: RulePageProps,
) {
  const isNew = place >= draft.rules.length;
  return (
    <>
      <h1>{isNew ? "Add a rule" : "Change the rule"}</h1>
      {faults.length > 0 && (
        <div class="notice bad" role="alert">
          <ul class="consequences">
            {faults.map((fault) => <li key={fault}>{fault}</li>)}
          </ul>
        </div>
      )}
      <form class="builder card" method="post" action={paths.policyRule}>
        {/* The Enter key presses the first button of a form. */}
        <button type="submit" name="do" value="done" hidden>Done</button>
        <DraftFields draft={draft} base={base} />
        <input type="hidden" name="rule" value={String(place)} />
        <p>
          <label for="name">Name</label>
          <input id="name" name="name" value={form.name} maxlength={200} autocomplete="off" />
        </p>
        <ConditionFields legend="For members" form={form} fields={fields} people={people}>
          <p>Everybody. Add a condition to choose among them.</p>
        </ConditionFields>
        <Choices form={form} fields={fields} people={people} pickable={pickable} picker={picker} />
        <div class="actions">
          <button class="primary" type="submit" name="do" value="done">Done</button>
          <button type="submit" name="do" value="cancel">Cancel</button>
        </div>
      </form>
    </>
  );
}

const CHOICES = [
  ["spread", "one of these trainers, in turn, by their share"],
  ["most_room", "the one of these trainers who has most room"],
  ["all", "all of these trainers"],
  ["field", "the trainer whose id is in a column of the member"],
  ["nobody", "no trainer, by intention"],
] as const;

function Choices(
  { form, fields, people, pickable, picker }: Pick<
    RulePageProps,
    "form" | "fields" | "people" | "pickable" | "picker"
  >,
) {
  const idFields = fields.filter(({ kind }) => ["uuid", "text", "citext", "json"].includes(kind));
  return (
    <fieldset>
      <legend>They get</legend>
      {CHOICES.map(([choose, label]) => (
        <label key={choose} class="check">
          <input type="radio" name="choose" value={choose} checked={form.choose === choose} />
          {label}
        </label>
      ))}
      <TrainerRows form={form} people={people} />
      <TrainerPicker pickable={pickable} label="Add a trainer" state={picker} isFirstButton={false}>
        <button type="submit" name="do" value="add-trainer">Add</button>
      </TrainerPicker>
      <div class="fields">
        <p>
          <label for="choice-field">Column with the trainer's id</label>
          <select id="choice-field" name="choiceField">
            <option value="">none</option>
            {!idFields.some(({ field }) => field === form.choiceField) && form.choiceField !== "" && (
              <option value={form.choiceField} selected>{form.choiceField}</option>
            )}
            {idFields.map(({ field }) => (
              <option key={field} value={field} selected={field === form.choiceField}>{field}</option>
            ))}
          </select>
        </p>
        <p>
          <label for="when-full">When none of them has room</label>
          <select id="when-full" name="whenFull">
            <option value="next" selected={form.whenFull === "next"}>go on with the next rules</option>
            <option value="wait" selected={form.whenFull === "wait"}>wait for room</option>
          </select>
        </p>
      </div>
    </fieldset>
  );
}

function TrainerRows({ form: { trainers }, people }: { form: RuleForm; people: People }) {
  if (trainers.length === 0) return <p class="meta">No trainer is picked yet.</p>;
  return (
    <ul class="picked">
      {trainers.map(({ trainerId, weight }, place) => {
        const person = people.get(trainerId) ?? { id: trainerId, member: undefined, room: undefined };
        return (
          <li key={trainerId}>
            <input type="hidden" name={`t${place}.id`} value={trainerId} />
            <span class="who-picked">
              <bdi>{nameOf(person)}</bdi>{" "}
              <span class="meta">
                {person.member === undefined ? "not a member" : roomInWords(person.room)}
              </span>
            </span>
            <label>
              Share
              <input
                name={`t${place}.weight`}
                value={weight}
                inputmode="numeric"
                autocomplete="off"
                aria-label={`Share of ${nameOf(person)}`}
              />
            </label>
            <button class="small" type="submit" name="do" value={`remove-trainer:${place}`}>
              Remove<span class="visually-hidden">{` ${nameOf(person)}`}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
