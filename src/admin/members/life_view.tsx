import type { HistoryEntry } from "../../assignments/member_history.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import type { LifeEvent } from "../../history/member_life.ts";
import { EndTime, Message, NextPage, Reason, Table, Time } from "../frame/parts.tsx";
import { paths } from "../frame/paths.ts";
import { TrainerLink } from "../frame/trainer_link.tsx";
import { ACTION_WORDS, endedBecauseInWords } from "../frame/wording.ts";
import { historyPath } from "../history/asked.ts";
import { readFacts } from "../history/facts.ts";
import { restInWords } from "../history/line_details.tsx";
import { By, How, Why } from "./reason_view.tsx";

/** What happened to a member, a page of it. */
export interface Life {
  events: LifeEvent[];
  next: string | null;
  isFirst: boolean;
}

const WHAT = { assigned: "Assigned", ended: "Ended", failed: "Not assigned", changed: "Changed" };

/** Shows what happened to a member, the newest first: who did it, why, and until when. */
export function LifeSection({ member, life: { events, next, isFirst }, trainers }: {
  member: Member;
  life: Life;
  /** Names of the trainers, if they are still members. */
  trainers: Map<string, Member>;
}) {
  return (
    <section aria-labelledby="member-history-title">
      <h2 id="member-history-title">History</h2>
      {events.length === 0
        ? <p class="empty">{isFirst ? "This member was never assigned." : "There is nothing older."}</p>
        : (
          <Table
            label="History"
            rows={events}
            keyOf={({ key }) => key}
            columns={[
              { title: "When", cell: (event) => <When event={event} /> },
              { title: "What", cell: ({ kind }) => WHAT[kind] },
              {
                title: "Trainer",
                cell: (event) =>
                  "assignment" in event && (
                    <TrainerLink
                      id={event.assignment.trainerId}
                      member={trainers.get(event.assignment.trainerId ?? "")}
                    />
                  ),
              },
              { title: "Who and why", cell: (event) => <WhoAndWhy event={event} /> },
              {
                title: "Notes",
                cell: (event) =>
                  event.kind === "assigned" && event.assignment.notes !== null && (
                    <Message text={event.assignment.notes} />
                  ),
              },
            ]}
          />
        )}
      <NextPage path={paths.member(member.id)} next={next} />
      <p>
        <a href={historyPath({ memberId: member.id })}>What was changed by hand</a>
      </p>
    </section>
  );
}

function When({ event }: { event: LifeEvent }) {
  return event.kind === "ended" ? <EndTime at={event.assignment.endedAt} /> : <Time at={event.at} />;
}

function WhoAndWhy({ event }: { event: LifeEvent }) {
  switch (event.kind) {
    case "assigned":
      return (
        <span>
          <How entry={event.assignment} />
          <Why entry={event.assignment} />
          <By actor={event.assignment.assignedBy} />
        </span>
      );
    case "ended":
      return <EndedBecause entry={event.assignment} />;
    case "failed":
      return (
        <div>
          <a href={paths.run(event.runId)}>by a run</a>
          <Reason sqlstate={event.sqlstate} message={event.message} />
        </div>
      );
    case "changed":
      return (
        <span>
          {ACTION_WORDS[event.line.action]}: {restInWords(event.line.action, readFacts(event.line.after))}
          <By actor={event.line.actor} />
        </span>
      );
  }
}

function EndedBecause({ entry: { endedBecause, endedBy, endedRunId } }: { entry: HistoryEntry }) {
  const words = endedBecauseInWords(endedBecause);
  return (
    <span>
      {endedRunId === null ? words : <a href={paths.run(endedRunId)}>{words}</a>}
      {endedBy !== null && <By actor={endedBy} />}
    </span>
  );
}
