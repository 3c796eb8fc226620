import { MAX_SEARCH_LENGTH } from "../../assignments/member_search.ts";
import { paths } from "../frame/paths.ts";
import { type Person, roomInWords } from "../policy/people.ts";
import type { PickerState } from "./read_pick.ts";
import { SearchLimits } from "./search_words.tsx";

/**
 * Asks for a member by name, e-mail or id, anywhere in a form. Without scripts, Find sends the form to its own
 * address, which shows it again with the people found; with scripts they appear while somebody types.
 *
 * The server reads it with `readPick(services, typed, name)`. If that gives no id, it answers the form again with
 * `notice`, status 422 and `state`:
 *
 * ```tsx
 * const pick = await readPick(services, typed, "trainerId");
 * if (pick.id === undefined) return await refuse(pick.notice); // <MemberPicker name="trainerId" state={pick.state} … />
 * ```
 *
 * A form has one picker of a name. Its fields are `name`, `name.searched`, `name.chosen`, and the button `find`.
 */
export function MemberPicker({ name, label, state, isFirstButton = true }: {
  name: string;
  label: string;
  /** What was typed and found before, or somebody who is suggested: see `suggest`. */
  state?: PickerState | undefined;
  /** Whether no button of the form comes before: the Enter key then sends the form instead of searching. */
  isFirstButton?: boolean;
}) {
  const id = `pick-${name}`;
  return (
    <div class="picker" data-picker={name} data-people={paths.people}>
      {isFirstButton && <button type="submit" hidden>Send</button>}
      <label for={id}>{label}</label>
      <div class="row">
        <input
          id={id}
          name={name}
          value={state?.text}
          maxlength={MAX_SEARCH_LENGTH}
          autocomplete="off"
          placeholder="Name, e-mail or id"
        />
        <button type="submit" name="find" value={name} formnovalidate>Find</button>
      </div>
      {state?.found !== undefined && (
        <div class="found" data-kept>
          <Found name={name} state={state} />
        </div>
      )}
    </div>
  );
}

/** Shows the people found, to choose one of them. */
export function Found({ name, state: { text, found, chosenId } }: { name: string; state: PickerState }) {
  if (found === undefined) return null;
  const { people, partial, more } = found;
  return (
    <fieldset>
      <legend class="visually-hidden">Members found</legend>
      <input type="hidden" name={`${name}.searched`} value={text} />
      {people.length === 0 && (
        <p class="note">
          No member is found for <bdi class="quoted">{text}</bdi>.
        </p>
      )}
      {people.map((person) => (
        <label key={person.id} class="check">
          <input
            type="radio"
            name={`${name}.chosen`}
            value={person.id}
            checked={person.id === chosenId}
          />
          <Someone person={person} />
        </label>
      ))}
      <SearchLimits partial={partial} more={more} />
    </fieldset>
  );
}

function Someone({ person: { id, member, room } }: { person: Person }) {
  const limit = roomInWords(room);
  return (
    <span class="who-found">
      <bdi class="name">{member?.name || member?.email || id}</bdi>
      {member?.name && member.email && <bdi class="meta">{member.email}</bdi>}
      <span class="meta">
        <code title={id}>{id.slice(0, 8)}</code>
        {limit !== "no limit" && `, ${limit}`}
        {member === undefined && ", not a member"}
      </span>
    </span>
  );
}
