import type { MemberSource } from "../../assignments/member_columns.ts";
import { MAX_SEARCH_LENGTH } from "../../assignments/member_search.ts";
import { type Notice, noticeOf } from "../frame/notices.ts";
import { readId, type Typed } from "../frame/pages.ts";
import { findTrainers, type Person } from "../policy/people.ts";
import { findPeopleByText, type FoundPeople } from "./found_people.ts";

/** What a picker shows again. */
export interface PickerState {
  text: string;
  found?: FoundPeople | undefined;
  chosenId?: string | undefined;
}

/** What a form says through a picker. */
export interface Pick {
  /** Who was picked; undefined: show the form again with `state` and `notice`. */
  id: string | undefined;
  /** Nothing was typed, chosen or searched for. */
  isEmpty: boolean;
  state: PickerState;
  notice: Notice;
}

/**
 * Reads the picker of this name from a form. Somebody is picked who was chosen from the list, whose id was typed,
 * or who alone has the typed name or e-mail. For anything else it searches, and the form is to be shown again. Whether
 * an id is a member's is for the caller to find out.
 */
export async function readPick(source: MemberSource, typed: Typed, name: string): Promise<Pick> {
  const text = cleanSearch(typed[name] ?? "");
  const chosenId = readId(typed[`${name}.chosen`]);
  const isSearching = typed["find"] === name;
  if (!isSearching && chosenId !== undefined && text === cleanSearch(typed[`${name}.searched`] ?? "")) {
    const people = [...(await findTrainers(source, [chosenId])).values()];
    const state = { text, chosenId, found: { people, partial: false, more: false } };
    return { id: chosenId, isEmpty: false, state, notice: noticeOf("nobody_chosen") };
  }
  const id = readId(text);
  if (id !== undefined && !isSearching) {
    return { id, isEmpty: false, state: { text }, notice: noticeOf("nobody_chosen") };
  }
  if (text === "") {
    return { id: undefined, isEmpty: !isSearching, state: { text }, notice: noticeOf("nobody_chosen") };
  }

  const { found, onlyId } = await findPeopleByText(source, id ?? text);
  const [first, second] = found.people;
  const state = { text, found, chosenId: second === undefined ? first?.id : undefined };
  const notice = noticeOf(first === undefined ? "nobody_found" : "choose_one");
  return { id: isSearching ? undefined : onlyId, isEmpty: false, state, notice };
}

/** Makes the state of a picker that suggests somebody. */
export function suggest(person: Person | undefined): PickerState {
  if (person === undefined) return { text: "" };
  return { text: "", chosenId: person.id, found: { people: [person], partial: false, more: false } };
}

/** Takes a text as it can be searched for. */
export function cleanSearch(text: string): string {
  return text.replaceAll("\0", "").toWellFormed().trim().slice(0, MAX_SEARCH_LENGTH).toWellFormed();
}
