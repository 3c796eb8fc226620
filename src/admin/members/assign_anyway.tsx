import type { Member } from "../../assignments/member_lookup.ts";
import type { Trainer } from "../../policy/trainers.ts";
import { paths } from "../frame/paths.ts";
import { MemberLink } from "../frame/parts.tsx";
import { countOf, formatCount } from "../frame/wording.ts";

/** An assignment that was refused because the trainer has no room. */
export interface RefusedForRoom {
  trainer: Trainer;
  /** The trainer as a member. */
  person: Member | undefined;
  notes: string | undefined;
}

/** Asks whether to assign a member to a trainer who has no room, with the notes as typed. */
export function AssignAnyway({ member, refused }: { member: Member; refused: RefusedForRoom }) {
  const { trainer: { trainerId, capacity, acceptsClients, clients }, person, notes } = refused;
  const limit = capacity === null ? "" : `, and a capacity of ${formatCount(capacity)}`;
  return (
    <details class="confirm" open>
      <summary class="button">Assign anyway…</summary>
      <div>
        <p>
          <MemberLink id={trainerId} member={person} to="trainer" />{" "}
          {acceptsClients ? `has ${countOf(clients, "client")}${limit}.` : "takes no new clients."}
        </p>
        <form method="post" action={paths.assign(member.id)}>
          <input type="hidden" name="trainerId" value={trainerId} />
          {notes !== undefined && <input type="hidden" name="notes" value={notes} />}
          <input type="hidden" name="force" value="true" />
          <button class="danger" type="submit">
            {acceptsClients ? "Assign anyway, beyond the capacity" : "Assign anyway"}
          </button>
        </form>
      </div>
    </details>
  );
}
