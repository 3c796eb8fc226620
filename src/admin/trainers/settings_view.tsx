import type { Child } from "hono/jsx";
import type { Trainer } from "../../policy/trainers.ts";
import type { Typed } from "../frame/pages.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";
import { Badge, Figure, Message, Time } from "../frame/parts.tsx";
import { formatCount } from "../frame/wording.ts";

/** Shows what a trainer can take, and the form that changes it. */
export function Settings({ trainer, typed, children }: {
  trainer: Trainer;
  typed: Typed | undefined;
  /** Who changed them. */
  children?: Child;
}) {
  const { trainerId, clients, capacity, room, note, updatedAt, updatedBy } = trainer;
  return (
    <section class="card" aria-labelledby="room-title">
      <h2 id="room-title">Room</h2>
      <dl class="figures">
        <Figure label="Clients">{formatCount(clients)}</Figure>
        <Figure label="Capacity">{countOrNoLimit(capacity)}</Figure>
        <Figure
          label="Room"
          tone={room === 0 ? "warn" : undefined}
          note={capacity !== null && clients > capacity
            ? `${formatCount(clients - capacity)} beyond the capacity`
            : undefined}
        >
          {countOrNoLimit(room)}
        </Figure>
        <Figure label="New clients">
          <Accepts trainer={trainer} />
        </Figure>
      </dl>
      {note !== null && <Message text={note} />}
      {updatedAt !== null && (
        <p class="meta">
          Set by <bdi>{updatedBy ?? "somebody"}</bdi>, <Time at={updatedAt} />
        </p>
      )}
      {children}
      <ForAdmins>
        <details class="options" open={typed !== undefined}>
          <summary>Change…</summary>
          <form class="assign" method="post" action={paths.trainerSettings(trainerId)}>
            <SettingFields trainer={trainer} typed={typed} />
            <button class="primary" type="submit">Save</button>
          </form>
        </details>
      </ForAdmins>
    </section>
  );
}

function SettingFields({ trainer, typed }: { trainer: Trainer; typed: Typed | undefined }) {
  const shown: Typed = typed ?? {
    capacity: trainer.capacity === null ? "" : String(trainer.capacity),
    note: trainer.note ?? "",
    ...(trainer.acceptsClients ? { acceptsClients: "true" } : {}),
  };
  return (
    <>
      <div class="fields">
        <p>
          <label for="capacity">Capacity (no limit if empty)</label>
          <input
            id="capacity"
            name="capacity"
            value={shown.capacity}
            inputmode="numeric"
            autocomplete="off"
          />
        </p>
        <p>
          <label for="note">Note (optional)</label>
          <input id="note" name="note" value={shown.note} maxlength={10000} autocomplete="off" />
        </p>
      </div>
      <p>
        <label class="check">
          <input
            type="checkbox"
            name="acceptsClients"
            value="true"
            checked={shown.acceptsClients !== undefined}
          />
          Gets new clients
        </label>
      </p>
      <p class="meta">
        Clients beyond a lowered capacity stay. Members who wait for room are tried again at once.
      </p>
    </>
  );
}

/** Tells whether a trainer gets new clients from the service. */
export function Accepts({ trainer: { acceptsClients, room } }: { trainer: Trainer }) {
  if (!acceptsClients) return <Badge tone="warn">Paused</Badge>;
  return room === 0 ? <Badge tone="plain">Full</Badge> : <Badge tone="good">Accepted</Badge>;
}

export function countOrNoLimit(count: number | null): string {
  return count === null ? "no limit" : formatCount(count);
}
