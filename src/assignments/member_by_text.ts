import type { MemberSource } from "./member_columns.ts";
import { findMembersByEmail, type Member } from "./member_lookup.ts";
import { type MemberSearch, searchMembers } from "./member_search.ts";

/** Members that a text may mean. */
export interface MembersByText extends MemberSearch {
  /** The one member who has the whole text as the name or e-mail; undefined if that is not certain. */
  only: Member | undefined;
}

const WHOLE_EMAIL = /^[^\s@]+@[^\s@]+$/;

/**
 * Finds members as {@link searchMembers} does. A whole e-mail is looked up among all members, which may take
 * five seconds without an index.
 */
export async function findMembersByText(
  source: MemberSource,
  text: string,
  limit: number,
): Promise<MembersByText> {
  const search = await searchMembers(source, text, limit);
  if (!search.partial) return { ...search, only: search.more ? undefined : onlyOf(search.members, text) };
  const owners = WHOLE_EMAIL.test(text) ? await findMembersByEmail(source, text) ?? [] : [];
  if (owners.length === 0) return { ...search, only: undefined };
  return { members: owners, partial: false, more: false, only: onlyOf(owners, text) };
}

function onlyOf(members: readonly Member[], text: string): Member | undefined {
  const wanted = text.toLowerCase();
  const [only, other] = members.filter(({ name, email }) =>
    name?.toLowerCase() === wanted || email?.toLowerCase() === wanted
  );
  return other === undefined ? only : undefined;
}
