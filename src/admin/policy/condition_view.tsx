import type { Child } from "hono/jsx";
import { listOps, type MemberField } from "../../policy/member_fields.ts";
import type { People } from "./people.ts";
import type { ConditionForm, ConditionRow } from "./rule_form.ts";
import { Sentence } from "./sentence_view.tsx";
import { conditionInWords, OP_WORDS } from "./sentences.ts";

/** Asks for whom a rule is: tests of columns, of which all must hold or any. */
export function ConditionFields({ form, fields, people, legend, children }: {
  form: ConditionForm;
  fields: MemberField[];
  people: People;
  legend: string;
  /** In place of the conditions, if there are none. */
  children?: Child;
}) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {form.conditions.length === 0 && children}
      {form.conditions.length > 1
        ? (
          <p>
            <label for="match">who fulfil</label>
            <select id="match" name="match">
              <option value="all" selected={form.match === "all"}>all of these</option>
              <option value="any" selected={form.match === "any"}>any of these</option>
            </select>
          </p>
        )
        : <input type="hidden" name="match" value={form.match} />}
      {form.conditions.map((row, place) =>
        "kept" in row ? <Kept key={String(place)} row={row} place={place} people={people} /> : (
          <Test
            key={String(place)}
            row={row}
            place={place}
            known={fields.find(({ field }) => field === row.field)}
          />
        )
      )}
      <div>
        <label for="new-field">Add a condition on</label>
        <div class="row">
          <select id="new-field" name="newField">
            {fields.map(({ field, type }) => (
              <option key={field} value={field}>{field.includes(".") ? field : `${field} (${type})`}</option>
            ))}
          </select>
          <button type="submit" name="do" value="add-condition">Add</button>
        </div>
      </div>
    </fieldset>
  );
}

/** A condition with others inside. */
function Kept(
  { row, place, people }: {
    row: { kept: Parameters<typeof conditionInWords>[0] };
    place: number;
    people: People;
  },
) {
  return (
    <div class="condition">
      <input type="hidden" name={`c${place}.kept`} value={JSON.stringify(row.kept)} />
      <p>
        <Sentence parts={conditionInWords(row.kept)} people={people} />{" "}
        <span class="meta">(kept as it is: the form shows one level)</span>
      </p>
      <RemoveButton place={place} what="this condition" />
    </div>
  );
}

function Test({ row, place, known }: {
  row: Extract<ConditionRow, { field: string }>;
  place: number;
  /** Undefined if members has no such column any more. */
  known: MemberField | undefined;
}) {
  const { field, op, picked, typed } = row;
  const isDate = ["date", "timestamp", "timestamptz"].includes(known?.kind ?? "");
  const ops = listOps(known?.kind ?? "json").filter((each) => each !== "in" && each !== "not_in");
  const values = [...new Set([...picked, ...frequentValues(known)])];
  return (
    <fieldset class="condition">
      <legend>
        <bdi>{field}</bdi>
        {known === undefined && <strong class="problem">(members has no such column)</strong>}
      </legend>
      <input type="hidden" name={`c${place}.field`} value={field} />
      <select name={`c${place}.op`} aria-label={`What to ask of ${field}`}>
        {ops.map((each) => (
          <option key={each} value={each} selected={each === op}>{OP_WORDS[each][isDate ? 1 : 0]}</option>
        ))}
      </select>
      {values.length > 0 && (
        <div class="values" role="group" aria-label={`Values of ${field}`}>
          {values.map((value) => (
            <label key={JSON.stringify(value)} class="check">
              <input
                type="checkbox"
                name={`c${place}.value`}
                value={JSON.stringify(value)}
                checked={picked.includes(value)}
              />
              <bdi>{value === "" ? "“”" : String(value)}</bdi>
            </label>
          ))}
        </div>
      )}
      {known?.valueKind !== "boolean" && known?.valueKind !== "enum" && (
        <p>
          <label for={`c${place}-typed`}>
            {values.length > 0 ? "Other values, one a line" : "Values, one a line"}
          </label>
          <textarea id={`c${place}-typed`} name={`c${place}.typed`} rows={1}>{typed}</textarea>
        </p>
      )}
      <RemoveButton place={place} what={field} />
    </fieldset>
  );
}

function frequentValues(known: MemberField | undefined): MemberField["values"] {
  return known?.valueKind === "boolean" ? [true, false] : known?.values ?? [];
}

function RemoveButton({ place, what }: { place: number; what: string }) {
  return (
    <button class="small" type="submit" name="do" value={`remove-condition:${place}`}>
      Remove<span class="visually-hidden">{` ${what}`}</span>
    </button>
  );
}
