import type { Client } from "../../assignments/client_columns.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { type Column, EndTime, MemberLink, Message, Table, Time } from "../frame/parts.tsx";

/** Lists clients of a trainer. In a form, they can be ticked: the field `client`, once for each. */
export function ClientTable({ clients, members, status, canTick = false }: {
  clients: Client[];
  members: Map<string, Member>;
  status: Client["status"];
  canTick?: boolean;
}) {
  const tick: Column<Client> = {
    title: "Move",
    cell: ({ clientId }) => {
      const name = members.get(clientId)?.name || members.get(clientId)?.email || clientId;
      return <input type="checkbox" name="client" value={clientId} aria-label={`Move ${name}`} />;
    },
  };
  const until: Column<Client> = { title: "Until", cell: ({ endedAt }) => <EndTime at={endedAt} /> };
  return (
    <Table
      label="Clients"
      rows={clients}
      keyOf={({ assignmentId }) => assignmentId}
      columns={[
        ...(canTick ? [tick] : []),
        {
          title: "Client",
          cell: ({ clientId }) => <MemberLink id={clientId} member={members.get(clientId)} />,
        },
        { title: "Since", cell: ({ assignmentDate }) => <Time at={assignmentDate} /> },
        ...(status === "inactive" ? [until] : []),
        { title: "Notes", cell: ({ notes }) => notes !== null && <Message text={notes} /> },
      ]}
    />
  );
}
