import type { HistoryEntry } from "../../assignments/member_history.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import type { Failure } from "../../assignments/failures.ts";
import type { Typed } from "../frame/pages.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { reasonInWords } from "../frame/wording.ts";
import { Badge, Empty, EndTime, MemberLink, Message, Table, Time } from "../frame/parts.tsx";
import { AssignAnyway, type RefusedForRoom } from "./assign_anyway.tsx";
import { How, Why } from "./reason_view.tsx";

/** The result of a look-up. */
export interface LookUpResult {
  /** The query as typed; empty if there was none. */
  query: string;
  hasEmails: boolean;
  /** Several members if they share an e-mail. */
  found: Member[];
  /** The details of a single member that was found. */
  details?: MemberDetails | undefined;
  /** The fields of the refused form. */
  typed?: Typed | undefined;
}

export interface MemberDetails {
  history: HistoryEntry[];
  failure: Failure | undefined;
  defaultTrainerId: string | null;
  /** Names of the trainers in the history. */
  trainers: Map<string, Member>;
  /** The assignment that was just refused because the trainer has no room. */
  refusedForRoom?: RefusedForRoom | undefined;
}

export function MembersPage({ query, hasEmails, found, details, typed }: LookUpResult) {
  const [member] = found;
  return (
    <>
      <h1>Members</h1>
      <form class="search" method="get" action={paths.members} role="search">
        <label for="q">{hasEmails ? "A member's id or e-mail" : "A member's id"}</label>
        <div class="row">
          <input id="q" name="q" value={query} required autocomplete="off" />
          <button class="primary" type="submit">Find</button>
        </div>
      </form>
      {query === ""
        ? <Empty>Look up a member to see their trainers, since when, and who assigned them.</Empty>
        : found.length === 0
        ? <NotFound query={query} hasEmails={hasEmails} />
        : found.length > 1
        ? <Several found={found} />
        : member && details && <MemberCard member={member} details={details} typed={typed} />}
    </>
  );
}

function NotFound({ query, hasEmails }: { query: string; hasEmails: boolean }) {
  return (
    <Empty>
      No member is found for <bdi class="quoted">{query}</bdi>. {hasEmails || !query.includes("@")
        ? "Check it for typing mistakes; an id has 32 digits and letters from a to f."
        : "The members table has no e-mail column: look up members by id."}
    </Empty>
  );
}

function Several({ found }: { found: Member[] }) {
  return (
    <section aria-labelledby="several-title">
      <h2 id="several-title">Several members have this e-mail</h2>
      <ul class="people">
        {found.map((member) => (
          <li key={member.id}>
            <MemberLink id={member.id} member={member} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function MemberCard({ member, details, typed }: {
  member: Member;
  details: MemberDetails;
  typed: Typed | undefined;
}) {
  const { history, failure, defaultTrainerId, trainers, refusedForRoom } = details;
  const active = history.filter(({ status }) => status === "active");
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
              suggestedId={hasDefault ? null : defaultTrainerId}
              typed={typed}
            />
            {refusedForRoom && <AssignAnyway member={member} refused={refusedForRoom} />}
          </ForAdmins>
        )}
        <p>
          <a href={paths.trainer(member.id)}>Clients of this member, as a trainer</a>
        </p>
      </article>
      <History history={history} trainers={trainers} />
    </>
  );
}

function ActiveAssignment({ member, entry, trainer }: {
  member: Member;
  entry: HistoryEntry;
  trainer: Member | undefined;
}) {
  return (
    <div class="assignment">
      <p>
        To <MemberLink id={entry.trainerId} member={trainer} to="trainer" />
        <span class="meta">
          since <Time at={entry.assignmentDate} />, <How entry={entry} />
          <Why entry={entry} />
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
  /** The trainer to suggest. */
  suggestedId: string | null;
  /** The fields of the refused form. */
  typed: Typed | undefined;
}

function AssignForm({ isAssigned, ...props }: AssignFormProps) {
  if (!isAssigned) return <AssignFields {...props} />;
  return (
    <details class="options" open={props.typed !== undefined}>
      <summary>Add another trainer…</summary>
      <p>
        The member keeps the trainer they have, and gets this one in addition. To replace a trainer, also end
        the assignment above.
      </p>
      <AssignFields {...props} />
    </details>
  );
}

function AssignFields({ member, suggestedId, typed }: Omit<AssignFormProps, "isAssigned">) {
  return (
    <form class="assign" method="post" action={paths.assign(member.id)}>
      <div class="fields">
        <p>
          <label for="assign-trainer">Trainer</label>
          <input
            id="assign-trainer"
            name="trainerId"
            class="id"
            value={typed === undefined ? suggestedId ?? undefined : typed.trainerId}
            required
          />
        </p>
        <p>
          <label for="assign-notes">Notes (optional)</label>
          <input id="assign-notes" name="notes" value={typed?.notes} maxlength={10000} autocomplete="off" />
        </p>
      </div>
      <button class="primary" type="submit">Assign now</button>
    </form>
  );
}

function History({ history, trainers }: Pick<MemberDetails, "history" | "trainers">) {
  return (
    <section aria-labelledby="member-history-title">
      <h2 id="member-history-title">History</h2>
      {history.length === 0 ? <Empty>This member was never assigned.</Empty> : (
        <Table
          label="History"
          rows={history}
          keyOf={({ id }) => id}
          columns={[
            {
              title: "Trainer",
              cell: ({ trainerId }) => (
                <MemberLink id={trainerId} member={trainers.get(trainerId)} to="trainer" />
              ),
            },
            { title: "Since", cell: ({ assignmentDate }) => <Time at={assignmentDate} /> },
            {
              title: "Until",
              cell: ({ status, endedAt }) => status === "active" ? "active" : <EndTime at={endedAt} />,
            },
            {
              title: "How",
              cell: (entry) => (
                <span>
                  <How entry={entry} />
                  <Why entry={entry} />
                </span>
              ),
            },
            { title: "Notes", cell: ({ notes }) => notes !== null && <Message text={notes} /> },
          ]}
        />
      )}
    </section>
  );
}
