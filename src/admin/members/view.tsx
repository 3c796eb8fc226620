import type { HistoryEntry } from "../../assignments/member_history.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import type { MemberSearch } from "../../assignments/member_search.ts";
import type { Failure } from "../../assignments/failures.ts";
import type { Typed } from "../frame/pages.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { reasonInWords } from "../frame/wording.ts";
import { Badge, Empty, MemberLink, Message, Time } from "../frame/parts.tsx";
import { AssignAnyway, type RefusedForRoom } from "./assign_anyway.tsx";
import { MemberPicker } from "../picker/member_picker.tsx";
import { type PickerState, suggest } from "../picker/read_pick.ts";
import { askInWords, SearchLimits } from "../picker/search_words.tsx";
import type { Person } from "../policy/people.ts";
import { type Life, LifeSection } from "./life_view.tsx";
import { By, How, Why } from "./reason_view.tsx";

/** The result of a look-up. */
export interface LookUpResult {
  /** The query as typed; empty if there was none. */
  query: string;
  /** What members are searched by, beside the id. */
  fields: ("name" | "email")[];
  found: MemberSearch;
  /** The details of a single member that was found. */
  details?: MemberDetails | undefined;
  /** The refused form, as it was filled in. */
  refused?: RefusedForm | undefined;
}

/** The fields of the refused form. */
interface RefusedForm {
  typed: Typed;
  trainer: PickerState;
}

export interface MemberDetails {
  member: Member;
  /** Active assignments. */
  active: HistoryEntry[];
  life: Life;
  failure: Failure | undefined;
  defaultTrainerId: string | null;
  /** To suggest. */
  defaultTrainer: Person | undefined;
  /** Names of the trainers in the history, if they are still members. */
  trainers: Map<string, Member>;
  /** The assignment that was just refused because the trainer has no room. */
  refusedForRoom?: RefusedForRoom | undefined;
}

export function MembersPage({ query, fields, found, details, refused }: LookUpResult) {
  return (
    <>
      <h1>Members</h1>
      <form class="search" method="get" action={paths.members} role="search">
        <label for="q">{askInWords("A member's", fields)}</label>
        <div class="row">
          <input id="q" name="q" value={query} required autocomplete="off" />
          <button class="primary" type="submit">Find</button>
        </div>
      </form>
      {query === ""
        ? <Empty>Look up a member to see their trainers, since when, and who assigned them.</Empty>
        : details !== undefined
        ? <MemberCard details={details} refused={refused} />
        : <FoundMembers query={query} fields={fields} found={found} />}
    </>
  );
}

function FoundMembers({ query, fields, found: { members, partial, more } }: Omit<LookUpResult, "details">) {
  return (
    <section aria-labelledby="found-title">
      {members.length === 0
        ? (
          <Empty>
            No member is found for <bdi class="quoted">{query}</bdi>. {fields.length === 0
              ? "The service reads no names: look up members by id."
              : "Check it for typing mistakes."}
          </Empty>
        )
        : (
          <>
            <h2 id="found-title">Members found</h2>
            <ul class="people">
              {members.map((member) => (
                <li key={member.id}>
                  <MemberLink id={member.id} member={member} />
                  {member.name && member.email && <bdi class="meta">{member.email}</bdi>}
                </li>
              ))}
            </ul>
          </>
        )}
      <SearchLimits partial={partial} more={more} />
    </section>
  );
}

function MemberCard({ details, refused }: { details: MemberDetails; refused: RefusedForm | undefined }) {
  const { member, life, failure, defaultTrainerId, defaultTrainer, trainers, refusedForRoom } = details;
  const active = details.active.filter(isActive);
  const hasDefault = active.some(({ trainerId }) => trainerId === defaultTrainerId);
  const isDefaultTrainer = member.id === defaultTrainerId;
  return (
    <>
      <article class="card" aria-labelledby="member-title">
        <header>
          <h2 id="member-title">
            <bdi>{member.name || member.email || "Member"}</bdi> {active.length > 0
              ? <Badge tone="good">Assigned</Badge>
              : isDefaultTrainer
              ? <Badge tone="plain">Default trainer</Badge>
              : <Badge tone="warn">Not assigned</Badge>}
          </h2>
          <p class="meta">
            <code class="id">{member.id}</code>
            {member.email && member.name && (
              <>
                {" "}· <bdi>{member.email}</bdi>
              </>
            )}
          </p>
        </header>
        {active.map((entry) => (
          <ActiveAssignment
            key={entry.id}
            member={member}
            entry={entry}
            trainer={trainers.get(entry.trainerId)}
          />
        ))}
        {failure !== undefined && <WaitingSignUp failure={failure} />}
        {isDefaultTrainer && <p>This member is the default trainer, and nobody can be their own trainer.</p>}
        {!isDefaultTrainer && (
          <ForAdmins>
            <AssignForm
              member={member}
              isAssigned={active.length > 0}
              suggested={hasDefault ? undefined : defaultTrainer}
              refused={refused}
            />
            {refusedForRoom && <AssignAnyway member={member} refused={refusedForRoom} />}
          </ForAdmins>
        )}
        <p>
          <a href={paths.trainer(member.id)}>Clients of this member, as a trainer</a>
        </p>
      </article>
      <LifeSection member={member} life={life} trainers={trainers} />
    </>
  );
}

type ActiveEntry = HistoryEntry & { trainerId: string };

function isActive(entry: HistoryEntry): entry is ActiveEntry {
  return entry.status === "active" && entry.trainerId !== null;
}

function ActiveAssignment({ member, entry, trainer }: {
  member: Member;
  entry: ActiveEntry;
  trainer: Member | undefined;
}) {
  return (
    <div class="assignment">
      <p>
        To <MemberLink id={entry.trainerId} member={trainer} to="trainer" />
        <span class="meta">
          since <Time at={entry.assignmentDate} />, <How entry={entry} />
          <Why entry={entry} />
          <By actor={entry.assignedBy} />
        </span>
      </p>
      {entry.notes !== null && <Message text={entry.notes} />}
      <ForAdmins>
        <details class="confirm">
          <summary class="button">End…</summary>
          <div>
            <p>The assignment becomes inactive and stays in the history. No backfill renews it.</p>
            <form method="post" action={paths.endAssignment(member.id)}>
              <input type="hidden" name="trainerId" value={entry.trainerId} />
              <button class="danger" type="submit">End the assignment</button>
            </form>
          </div>
        </details>
      </ForAdmins>
    </div>
  );
}

function WaitingSignUp({ failure }: { failure: Failure }) {
  return (
    <div class="assignment">
      <p>
        <Badge tone="bad">Waiting sign-up</Badge> {reasonInWords(failure.sqlstate)} The service tries again
        {" "}
        <Time at={failure.nextAttemptAt} />.
      </p>
      <Message text={failure.message} />
    </div>
  );
}

interface AssignFormProps {
  member: Member;
  isAssigned: boolean;
  suggested: Person | undefined;
  refused: RefusedForm | undefined;
}

function AssignForm({ isAssigned, ...props }: AssignFormProps) {
  if (!isAssigned) return <AssignFields {...props} />;
  return (
    <details class="options" open={props.refused !== undefined}>
      <summary>Add another trainer…</summary>
      <p>
        The member keeps the trainer they have, and gets this one in addition. To replace a trainer, also end
        the assignment above.
      </p>
      <AssignFields {...props} />
    </details>
  );
}

function AssignFields({ member, suggested, refused }: Omit<AssignFormProps, "isAssigned">) {
  return (
    <form class="assign" method="post" action={paths.assign(member.id)}>
      <div class="fields">
        <MemberPicker name="trainerId" label="Trainer" state={refused?.trainer ?? suggest(suggested)} />
        <p>
          <label for="assign-notes">Notes (optional)</label>
          <input
            id="assign-notes"
            name="notes"
            value={refused?.typed.notes}
            maxlength={10000}
            autocomplete="off"
          />
        </p>
      </div>
      <button class="primary" type="submit">Assign now</button>
    </form>
  );
}
