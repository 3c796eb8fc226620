import type { Member } from "../../assignments/member_lookup.ts";
import type { Client } from "../../assignments/client_columns.ts";
import type { Trainer } from "../../policy/trainers.ts";
import type { AuditLine } from "../../history/audit_lines.ts";
import { historyPath } from "../history/asked.ts";
import { LatestLines } from "../history/latest_lines.tsx";
import type { Known } from "../history/line_details.tsx";
import type { Typed } from "../frame/pages.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { Empty, MemberLink, NextPage, Table } from "../frame/parts.tsx";
import { askInWords } from "../picker/search_words.tsx";
import { formatCount } from "../frame/wording.ts";
import { ClientTable } from "./client_table.tsx";
import { Accepts, countOrNoLimit, Settings } from "./settings_view.tsx";

/** Lists trainers, and finds one by id or e-mail. */
export function TrainersPage({ query, fields, trainers, members, next, isFirst }: {
  query: string;
  /** What members are searched by, beside the id. */
  fields: ("name" | "email")[];
  trainers: Trainer[];
  members: Map<string, Member>;
  next: string | null;
  isFirst: boolean;
}) {
  return (
    <>
      <h1>Trainers</h1>
      <form class="search" method="get" action={paths.trainers} role="search">
        <label for="q">{askInWords("A trainer's", fields)}</label>
        <div class="row">
          <input id="q" name="q" value={query} required autocomplete="off" />
          <button class="primary" type="submit">List clients</button>
        </div>
      </form>
      {trainers.length === 0 ? <NoTrainers query={query} isFirst={isFirst} /> : (
        <Table
          label="Trainers"
          rows={trainers}
          keyOf={({ trainerId }) => trainerId}
          columns={[
            {
              title: "Trainer",
              cell: ({ trainerId }) => (
                <MemberLink id={trainerId} member={members.get(trainerId)} to="trainer" />
              ),
            },
            { title: "Clients", isNumber: true, cell: ({ clients }) => formatCount(clients) },
            { title: "Capacity", isNumber: true, cell: ({ capacity }) => countOrNoLimit(capacity) },
            { title: "Room", isNumber: true, cell: ({ room }) => countOrNoLimit(room) },
            { title: "New clients", cell: (trainer) => <Accepts trainer={trainer} /> },
          ]}
        />
      )}
      <NextPage path={query === "" ? paths.trainers : paths.findTrainers(query)} next={next} />
    </>
  );
}

function NoTrainers({ query, isFirst }: { query: string; isFirst: boolean }) {
  if (!isFirst) return <Empty>There are no more.</Empty>;
  if (query === "") return <Empty>There are no trainers yet.</Empty>;
  return (
    <Empty>
      No trainer is found for{" "}
      <bdi class="quoted">{query}</bdi>. Check it for typing mistakes. Somebody without clients is found under
      {" "}
      <a href={paths.member(query)}>Members</a>.
    </Empty>
  );
}

/** Shows a trainer's clients. */
export function TrainerPage({ trainer, changes, member, typed, status, clients, members, next, isFirst }: {
  trainer: Trainer;
  /** The latest changes of the settings. */
  changes: { lines: AuditLine[]; known: Known };
  member: Member | undefined;
  /** The fields of the refused form. */
  typed: Typed | undefined;
  status: Client["status"];
  clients: Client[];
  members: Map<string, Member>;
  next: string | null;
  isFirst: boolean;
}) {
  const { trainerId } = trainer;
  const path = `${paths.trainer(trainerId)}?status=${status}`;
  return (
    <>
      <h1>
        Clients of <bdi>{member?.name || member?.email || "a trainer"}</bdi>
      </h1>
      <p class="meta">
        <code class="id">{trainerId}</code>
      </p>
      <Settings trainer={trainer} typed={typed}>
        <LatestLines {...changes} allPath={historyPath({ trainerId })} />
      </Settings>
      <div class="actions">
        <nav class="tabs" aria-label="Which assignments">
          <StatusTab trainerId={trainerId} status="active" current={status} label="Active" />
          <StatusTab trainerId={trainerId} status="inactive" current={status} label="Ended" />
        </nav>
        {trainer.clients > 0 && (
          <ForAdmins>
            <a class="button" href={paths.moveClients(trainerId)}>Move clients…</a>
          </ForAdmins>
        )}
        <a class="button" href={`${paths.trainerClients(trainerId)}?status=${status}`} download>
          Download all (CSV)
        </a>
      </div>
      {clients.length > 0
        ? (
          <ForAdmins others={<ClientTable clients={clients} members={members} status={status} />}>
            {status === "inactive"
              ? <ClientTable clients={clients} members={members} status={status} />
              : (
                <form class="builder" method="get" action={paths.moveClients(trainerId)}>
                  <ClientTable clients={clients} members={members} status={status} canTick />
                  <div class="actions">
                    <button type="submit">Move those ticked…</button>
                  </div>
                </form>
              )}
          </ForAdmins>
        )
        : <NoClients status={status} isFirst={isFirst} />}
      <NextPage path={path} next={next} />
    </>
  );
}

function NoClients({ status, isFirst }: { status: Client["status"]; isFirst: boolean }) {
  if (!isFirst) return <Empty>There are no more.</Empty>;
  if (status === "inactive") return <Empty>No assignment to this trainer has ended.</Empty>;
  return (
    <Empty>
      Nobody is assigned to this trainer.{" "}
      <ForAdmins>
        <a href={`${paths.home}#backfill`}>Run a backfill</a> for them, or assign single{" "}
        <a href={paths.members}>members</a>.
      </ForAdmins>
    </Empty>
  );
}

function StatusTab({ trainerId, status, current, label }: {
  trainerId: string;
  status: Client["status"];
  current: Client["status"];
  label: string;
}) {
  return (
    <a
      href={`${paths.trainer(trainerId)}?status=${status}`}
      aria-current={status === current ? "page" : undefined}
    >
      {label}
    </a>
  );
}
