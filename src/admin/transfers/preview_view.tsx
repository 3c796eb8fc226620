import type { Outcome } from "../../policy/preview.ts";
import type { TransferPreview } from "../../runs/transfer_preview.ts";
import type { Member } from "../../assignments/member_lookup.ts";
import { paths } from "../frame/paths.ts";
import { MemberLink, Message, Table } from "../frame/parts.tsx";
import { countOf, formatCount } from "../frame/wording.ts";
import { isNamed, StandingInWords } from "../policy/standing_view.tsx";
import type { FromTrainer } from "./move_view.tsx";
import { type Plan, PlanFields } from "./plan.tsx";
import { Shares } from "./shares_view.tsx";

interface PreviewProps {
  from: FromTrainer;
  plan: Plan;
  /** Null: it took too long, or members are distributed. */
  preview: TransferPreview | null;
  /** The clients and trainers whom the page names. */
  members: Map<string, Member>;
}

const STAY_WORDS: Record<Outcome, string> = {
  assign: "",
  already_assigned: "",
  no_room: "the new trainer has no room",
  ended: "they had the new trainer before, until it was ended by hand",
  is_trainer: "they are the new trainer themselves",
  excluded: "the policy gives them no other trainer",
};

/** Shows who would get whom, and moves them. */
export function MovePreviewPage(props: PreviewProps) {
  const { from, plan, preview, members } = props;
  return (
    <>
      <h1>
        Move clients of <bdi>{from.name}</bdi>?
      </h1>
      <section class="card" aria-labelledby="plan-title">
        <h2 id="plan-title" class="visually-hidden">What would be done</h2>
        <dl class="change">
          <dt>From</dt>
          <dd>
            <MemberLink
              id={from.trainer.trainerId}
              member={members.get(from.trainer.trainerId)}
              to="trainer"
            />
          </dd>
          <dt>To</dt>
          <dd>
            {plan.trainerId === null
              ? "whom the policy decides"
              : <MemberLink id={plan.trainerId} member={members.get(plan.trainerId)} to="trainer" />}
          </dd>
        </dl>
        {preview === null
          ? (
            <p>
              There is no preview: it took too long, or members are distributed over several servers. A dry
              run looks at all clients in the background.
            </p>
          )
          : <Summary {...props} preview={preview} />}
        <ul class="consequences">
          <li>{plan.notes === null ? "Everybody's notes are kept." : "Everybody gets these notes:"}</li>
          {plan.notes !== null && <Message text={plan.notes} />}
          <NewClients from={from} plan={plan} />
        </ul>
        <Buttons {...props} />
      </section>
      {preview !== null && <Lists from={from} preview={preview} members={members} />}
    </>
  );
}

function Summary({ from, plan, preview, members }: PreviewProps & { preview: TransferPreview }) {
  const { clients, lookedAt, selected, moved, isSample } = preview;
  const notTheirs = plan.memberIds === null ? 0 : lookedAt - selected;
  return (
    <>
      <p>
        <strong>{`${formatCount(moved)} of ${countOf(selected, "client")}`}</strong> would be moved
        {plan.memberIds === null && plan.condition === null || isSample
          ? "."
          : `, of ${formatCount(clients)} whom `}
        {!(plan.memberIds === null && plan.condition === null || isSample) && (
          <>
            <bdi>{from.name}</bdi> has.
          </>
        )}
      </p>
      {isSample && (
        <p class="reason">
          This is a sample: only the first {formatCount(lookedAt)} of {formatCount(clients)}{" "}
          clients were looked at. A dry run looks at all of them, in the background.
        </p>
      )}
      {notTheirs > 0 && (
        <p>
          {formatCount(notTheirs)} of the picked {notTheirs === 1 ? "is" : "are"} not a client of{" "}
          <bdi>{from.name}</bdi>: nothing happens to them.
        </p>
      )}
      <Shares preview={preview} members={members} />
    </>
  );
}

function NewClients({ from: { trainer, name, standing }, plan }: Pick<PreviewProps, "from" | "plan">) {
  return (
    <>
      <li>
        <bdi>{name}</bdi> {plan.stopsNewClients || !trainer.acceptsClients
          ? "takes no new clients from then on."
          : "goes on to take new clients: sign-ups that the policy sends to them."}
      </li>
      {isNamed(standing) && (
        <li>
          <bdi>{name}</bdi> is <StandingInWords standing={standing} />.
        </li>
      )}
    </>
  );
}

function Buttons({ from, plan, preview }: PreviewProps) {
  const { trainer } = from;
  const canMove = preview === null || preview.isSample || preview.moved > 0;
  const label = preview === null || (preview.isSample && plan.condition !== null)
    ? "Move the clients"
    : preview.isSample
    ? `Move up to ${countOf(preview.clients, "client")}`
    : `Move ${countOf(preview.moved, "client")}`;
  return (
    <form class="actions" method="post" action={paths.transferPlan(trainer.trainerId)}>
      <PlanFields plan={plan} />
      {canMove && <button class="primary" type="submit" name="do" value="move">{label}</button>}
      {canMove && <button type="submit" name="do" value="dry-run">Dry run first</button>}
      <button type="submit" name="do" value="edit">Change…</button>
      <a class="button" href={paths.trainer(trainer.trainerId)}>Do nothing</a>
    </form>
  );
}

function Lists(
  { from, preview, members }: Pick<PreviewProps, "from" | "members"> & { preview: TransferPreview },
) {
  const moving = preview.listed.filter(({ moves }) => moves);
  const staying = preview.listed.filter(({ moves }) => !moves);
  const client = {
    title: "Client",
    cell: ({ memberId }: TransferPreview["listed"][number]) => (
      <MemberLink id={memberId} member={members.get(memberId)} />
    ),
  };
  return (
    <>
      {staying.length > 0 && (
        <section aria-labelledby="staying-title">
          <h2 id="staying-title">
            Who stays with <bdi>{from.name}</bdi>
          </h2>
          <Table
            label="Who stays"
            rows={staying}
            keyOf={({ memberId }) => memberId}
            columns={[client, { title: "Stays because", cell: ({ outcome }) => `${STAY_WORDS[outcome]}` }]}
          />
          <MoreNote listed={staying.length} all={preview.selected - preview.moved} />
        </section>
      )}
      {moving.length > 0 && (
        <section aria-labelledby="moving-title">
          <h2 id="moving-title">Who gets whom</h2>
          <Table
            label="Who gets whom"
            rows={moving}
            keyOf={({ memberId }) => memberId}
            columns={[client, {
              title: "New trainer",
              cell: ({ trainerIds }) =>
                trainerIds.length === 0 ? "the other trainer whom they have already" : (
                  <span>
                    {trainerIds.map((id) => (
                      <MemberLink key={id} id={id} member={members.get(id)} to="trainer" />
                    ))}
                  </span>
                ),
            }]}
          />
          <MoreNote listed={moving.length} all={preview.moved} />
        </section>
      )}
    </>
  );
}

function MoreNote({ listed, all }: { listed: number; all: number }) {
  return listed < all ? <p class="meta">The first {listed} of {formatCount(all)}.</p> : null;
}

/** Returns the ids of everybody whom the page names. */
export function membersOf({ from, plan, preview }: Omit<PreviewProps, "members">): string[] {
  const listed = preview?.listed.flatMap(({ memberId, trainerIds }) => [memberId, ...trainerIds]) ?? [];
  const shares = preview?.shares.map(({ trainerId }) => trainerId) ?? [];
  const named = [from.trainer.trainerId, plan.trainerId, ...shares].filter((id) => id !== null);
  return [...new Set([...named, ...listed])];
}
