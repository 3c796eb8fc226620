import type { Child } from "hono/jsx";
import { MemberPicker } from "../picker/member_picker.tsx";
import type { PickerState } from "../picker/read_pick.ts";
import { nameOf, type Person, roomInWords } from "./people.ts";

/** Asks for a trainer: one of those who are known, or any member. Its fields are `known` and the picker `trainer`. */
export function TrainerPicker({ pickable, label, state, isFirstButton, children }: {
  pickable: Person[];
  label: string;
  /** What was typed and found before. */
  state?: PickerState | undefined;
  isFirstButton?: boolean;
  /** The button. */
  children?: Child;
}) {
  return (
    <div class="pick-trainer">
      <div class="fields">
        <p>
          <label for="known-trainer">{label}</label>
          <select id="known-trainer" name="known">
            <option value="">choose…</option>
            {pickable.map((person) => (
              <option key={person.id} value={person.id}>
                {`${nameOf(person)}: ${roomInWords(person.room)}`}
              </option>
            ))}
          </select>
        </p>
        <MemberPicker
          name="trainer"
          label="or another member"
          state={state}
          isFirstButton={isFirstButton ?? true}
        />
      </div>
      <div class="actions">{children}</div>
    </div>
  );
}
