import { findMembersByText, type MembersByText } from "../../assignments/member_by_text.ts";
import type { MemberSource } from "../../assignments/member_columns.ts";
import { searchMembers } from "../../assignments/member_search.ts";
import { searchTrainers } from "../../policy/trainers.ts";
import { findTrainers, type Person } from "../policy/people.ts";

/** People to choose from. */
export interface FoundPeople {
  /** Those who are trainers already come first. */
  people: Person[];
  /** Not all members were searched. */
  partial: boolean;
  more: boolean;
}

/** How many people a picker offers. */
const MAX_OFFERED = 12;

/** Searches for people to choose from, while somebody types. */
export async function suggestPeople(source: MemberSource, text: string): Promise<FoundPeople> {
  return await trainersFirst(source, text, await searchMembers(source, text, MAX_OFFERED));
}

/** Searches for people to choose from. `onlyId` is the one whose name or e-mail is the text. */
export async function findPeopleByText(
  source: MemberSource,
  text: string,
): Promise<{ found: FoundPeople; onlyId: string | undefined }> {
  const { only, ...search } = await findMembersByText(source, text, MAX_OFFERED);
  return { found: await trainersFirst(source, text, search), onlyId: only?.id };
}

async function trainersFirst(
  source: MemberSource,
  text: string,
  { members, partial, more }: Omit<MembersByText, "only">,
): Promise<FoundPeople> {
  const trainers = await searchTrainers(source, text, MAX_OFFERED);
  const ids = [...new Set([...trainers, ...members].map(({ id }) => id))];
  const people = await findTrainers(source, ids.slice(0, MAX_OFFERED));
  return { people: [...people.values()], partial, more: more || ids.length > MAX_OFFERED };
}
