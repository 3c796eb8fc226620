import type { Failure } from "../../assignments/failures.ts";
import type { EventFailure } from "../../webhooks/in/event_failures.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { formatCount } from "../frame/wording.ts";
import { Empty, MemberLink, NextPage, Reason, Table, Time } from "../frame/parts.tsx";
import { EventFailures } from "./events_view.tsx";

/** Members whose assignment failed at sign-up and waits for a retry. */
export function FailuresPage({ failures, members, events, next, isFirst }: {
  failures: Failure[];
  /** Those of the failures, if they are still members. */
  members: Map<string, Member>;
  /** Events of an identity provider that could not be taken. */
  events: EventFailure[];
  next: string | null;
  isFirst: boolean;
}) {
  return (
    <>
      <h1>Waiting sign-ups</h1>
      <p>
        These members signed up, but the database refused their assignment. The service tries each again by
        itself: after 15 seconds at first, then less and less often, at least once an hour. Members that a run
        failed to assign are on the page of that run, under{" "}
        <a href={paths.runs}>Runs</a>. They are not tried again until somebody retries them or another run
        starts.
      </p>
      {failures.length > 0
        ? (
          <>
            <ForAdmins>
              <form method="post" action={paths.retryFailures}>
                <button class="primary" type="submit">Retry all now</button>
              </form>
            </ForAdmins>
            <FailureTable failures={failures} members={members} />
          </>
        )
        : (
          <Empty>
            {isFirst ? "No sign-up waits: every one has been assigned." : "There are no more."}
          </Empty>
        )}
      <NextPage path={paths.failures} next={next} />
      <EventFailures failures={events} />
    </>
  );
}

function FailureTable({ failures, members }: { failures: Failure[]; members: Map<string, Member> }) {
  return (
    <Table
      label="Waiting sign-ups"
      rows={failures}
      keyOf={({ memberId }) => memberId}
      columns={[
        {
          title: "Member",
          cell: ({ memberId }) => <MemberLink id={memberId} member={members.get(memberId)} />,
        },
        {
          title: "Reason",
          cell: ({ sqlstate, message }) => <Reason sqlstate={sqlstate} message={message} />,
        },
        { title: "Tries", isNumber: true, cell: ({ attempts }) => formatCount(attempts) },
        { title: "Since", cell: ({ firstFailedAt }) => <Time at={firstFailedAt} /> },
        { title: "Next try", cell: ({ nextAttemptAt }) => <Time at={nextAttemptAt} /> },
      ]}
    />
  );
}
