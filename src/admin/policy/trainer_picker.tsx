import type { Child } from "hono/jsx";
import { nameOf, type Person, roomInWords } from "./people.ts";

/** Asks for a trainer: one of those who are known, or any member by e-mail or id. */
export function TrainerPicker({ pickable, label, typed, children }: {
  pickable: Person[];
  label: string;
  /** What was typed before. */
  typed?: string | undefined;
  /** The button. */
  children?: Child;
}) {
  return (
    <div class="fields picker">
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
      <div>
        <label for="typed-trainer">or another member, by e-mail or id</label>
        <div class="row">
          <input id="typed-trainer" name="trainer" value={typed} autocomplete="off" maxlength={320} />
          {children}
        </div>
      </div>
    </div>
  );
}
