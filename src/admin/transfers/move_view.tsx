import type { Child } from "hono/jsx";
import type { Member } from "../../assignments/member_lookup.ts";
import type { MemberField } from "../../policy/member_fields.ts";
import type { Standing } from "../../policy/standing.ts";
import type { Trainer } from "../../policy/trainers.ts";
import { paths } from "../frame/paths.ts";
import { countOf } from "../frame/wording.ts";
import { MemberPicker } from "../picker/member_picker.tsx";
import type { PickerState } from "../picker/read_pick.ts";
import { ConditionFields } from "../policy/condition_view.tsx";
import { isNamed, StandingInWords } from "../policy/standing_view.tsx";
import type { MoveForm } from "./move_form.ts";

/** Whose clients are to be moved. */
export interface FromTrainer {
  trainer: Trainer;
  /** Undefined if the members table has no names, or they were deleted. */
  name: string;
  standing: Standing;
}

interface MoveProps {
  from: FromTrainer;
  form: MoveForm;
  picker: PickerState | undefined;
  fields: MemberField[];
  /** The names of the clients who are ticked. */
  members: Map<string, Member>;
  /** What is wrong with the form, in sentences. */
  faults: string[];
}

/** Asks whose clients go to whom. Nothing is moved before the preview's button. */
export function MovePage({ from, form, picker, fields, members, faults }: MoveProps) {
  const { trainer, name } = from;
  return (
    <>
      <h1>
        Move clients of <bdi>{name}</bdi>
      </h1>
      <p>
        <bdi>{name}</bdi> has{" "}
        {countOf(trainer.clients, "client")}. A preview comes first: nothing is moved yet.
      </p>
      {faults.length > 0 && (
        <div class="notice bad" role="alert">
          <ul class="consequences">
            {faults.map((fault) => <li key={fault}>{fault}</li>)}
          </ul>
        </div>
      )}
      <form class="builder card" method="post" action={paths.moveClients(trainer.trainerId)}>
        {/* The Enter key presses the first button of a form. */}
        <button type="submit" name="do" value="preview" hidden>Preview…</button>
        <fieldset>
          <legend>To whom?</legend>
          <Answer name="to" value="trainer" chosen={form.to}>To this trainer:</Answer>
          <div class="answer-fields">
            <MemberPicker name="trainerId" label="The new trainer" state={picker} isFirstButton={false} />
          </div>
          <Answer name="to" value="policy" chosen={form.to}>
            As <a href={paths.policy}>the policy</a> decides, without <bdi>{name}</bdi>
          </Answer>
        </fieldset>
        <Whom form={form} fields={fields} members={members} />
        <p>
          <label for="notes">New notes (optional: without any, everybody's notes are kept)</label>
          <textarea id="notes" name="notes" rows={2} maxlength={10000}>{form.notes}</textarea>
        </p>
        <Stop from={from} form={form} />
        <div class="actions">
          <button class="primary" type="submit" name="do" value="preview">Preview…</button>
          <a class="button" href={paths.trainer(trainer.trainerId)}>Cancel</a>
        </div>
      </form>
    </>
  );
}

function Whom({ form, fields, members }: Pick<MoveProps, "form" | "fields" | "members">) {
  return (
    <fieldset>
      <legend>Whom?</legend>
      <Answer name="whom" value="all" chosen={form.whom}>All of them</Answer>
      <Answer name="whom" value="picked" chosen={form.whom}>These clients:</Answer>
      <div class="answer-fields">
        {form.ticked.map((id) => (
          <label key={id} class="check">
            <input type="checkbox" name="client" value={id} checked />
            <span>
              <bdi>{members.get(id)?.name || members.get(id)?.email || ""}</bdi> <code class="id">{id}</code>
            </span>
          </label>
        ))}
        <p>
          <label for="pasted">{form.ticked.length > 0 ? "Further ids" : "Their ids"}, one a line</label>
          <textarea id="pasted" name="pasted" class="id" rows={2}>{form.pasted}</textarea>
        </p>
        {form.ticked.length === 0 && <p class="meta">Or go back to the list of clients, and tick them.</p>}
      </div>
      <Answer name="whom" value="matching" chosen={form.whom}>Those who meet a condition:</Answer>
      <div class="answer-fields">
        <ConditionFields legend="Clients" form={form} fields={fields} people={new Map()} />
      </div>
    </fieldset>
  );
}

function Stop({ from: { trainer, name, standing }, form }: Pick<MoveProps, "from" | "form">) {
  return (
    <fieldset>
      <legend>From now on</legend>
      {trainer.acceptsClients
        ? (
          <label class="check">
            <input type="checkbox" name="stopsNewClients" value="true" checked={form.stopsNewClients} />
            <span>
              <bdi>{name}</bdi>{" "}
              takes no new clients. Otherwise sign-ups that the policy sends to them go on to them.
            </span>
          </label>
        )
        : (
          <p>
            <bdi>{name}</bdi> takes no new clients already.
          </p>
        )}
      {isNamed(standing) && (
        <p class="reason">
          <bdi>{name}</bdi> is <StandingInWords standing={standing} />. {standing.isDefault
            ? "Sign-ups whom no other trainer gets then wait until there is another default trainer: change it first, or soon."
            : "Sign-ups of that kind then get another trainer, or wait, as the rule says. Change it when they leave for good."}
        </p>
      )}
    </fieldset>
  );
}

function Answer({ name, value, chosen, children }: {
  name: string;
  value: string;
  chosen: string;
  children?: Child;
}) {
  return (
    <label class="check">
      <input type="radio" name={name} value={value} checked={chosen === value} />
      <span>{children}</span>
    </label>
  );
}
