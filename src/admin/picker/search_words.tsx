import { LOOK_ROWS } from "../../assignments/member_search.ts";
import { paths } from "../frame/paths.ts";
import { formatCount } from "../frame/wording.ts";

/** Says what a search takes: `A member's name, e-mail or id`. */
export function askInWords(whose: string, fields: readonly ("name" | "email")[]): string {
  const words = [...fields.map((field) => FIELD_WORDS[field]), "id"];
  const last = words.pop();
  return `${whose} ${words.length === 0 ? last : `${words.join(", ")} or ${last}`}`;
}

const FIELD_WORDS = { name: "name", email: "e-mail" };

/** Says that there may be other members than those found. */
export function SearchLimits({ partial, more }: { partial: boolean; more: boolean }) {
  return (
    <>
      {more && <p class="note">There are more. Type more of the name.</p>}
      {partial && (
        <p class="note">
          Only the first {formatCount(LOOK_ROWS)}{" "}
          members were searched. An id or a whole e-mail finds everybody;{" "}
          <a href={paths.health}>an index makes searches complete</a>.
        </p>
      )}
    </>
  );
}
