import type { EventFailure } from "../../webhooks/in/event_failures.ts";
import { Table, Time } from "../frame/parts.tsx";
import { formatCount } from "../frame/wording.ts";

/** Events of an identity provider that could not be taken; nothing if there are none. */
export function EventFailures({ failures }: { failures: EventFailure[] }) {
  if (failures.length === 0) return null;
  return (
    <section>
      <h2>Events of the identity provider that could not be taken</h2>
      <p>
        Their members do not exist yet. Do what the reason says, then let the provider send the event again:
        the row goes when it is taken.
      </p>
      <Table
        label="Events of the identity provider that could not be taken"
        rows={failures}
        keyOf={({ id }) => id}
        columns={[
          { title: "Event", cell: ({ eventId }) => <code>{eventId}</code> },
          { title: "Member", cell: ({ memberId }) => memberId === null ? "none" : <code>{memberId}</code> },
          {
            title: "Reason",
            cell: ({ reason, detail }) => (
              <>
                {detail} <code>{reason}</code>
              </>
            ),
          },
          { title: "Tries", isNumber: true, cell: ({ attempts }) => formatCount(attempts) },
          { title: "Last try", cell: ({ lastFailedAt }) => <Time at={lastFailedAt} /> },
        ]}
      />
    </section>
  );
}
