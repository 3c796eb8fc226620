import type { Member } from "../../assignments/member_lookup.ts";
import { MemberLink } from "./parts.tsx";

/** Links to a trainer; one who is no longer a member has no page. */
export function TrainerLink({ id, member }: {
  /** Null: the trainer was deleted, and only that is known. */
  id: string | null;
  /** Undefined: not a member any more. */
  member: Member | undefined;
}) {
  if (id !== null && member !== undefined) return <MemberLink id={id} member={member} to="trainer" />;
  return (
    <span class="person">
      a former trainer (deleted){id !== null && (
        <>
          {" "}
          <code class="id">{id}</code>
        </>
      )}
    </span>
  );
}
