import type { Sql } from "../../src/database/sql.ts";
import { createEndpoint, MESSAGE_TYPES, type MessageType } from "../../src/webhooks/endpoints.ts";
import { seal } from "../../src/webhooks/key.ts";
import { tendOutbox } from "../../src/webhooks/queue.ts";
import { createSecret } from "../../src/webhooks/sign.ts";
import { startEventReader } from "./event_reader.ts";
import type { ExperimentOptions } from "./experiment.ts";
import { type Attempt, startReceiver } from "./receiver.ts";
import { eventually } from "./runs.ts";
import type { World } from "./world.ts";

/** The key of services in experiments, as `WEBHOOK_KEY` has it and as the background work does. */
export const KEY = new Uint8Array(32).fill(7);
export const WEBHOOK_ENVIRONMENT = { WEBHOOK_KEY: KEY.toBase64(), WEBHOOK_ALLOW_PRIVATE: "true" };

/** Changes that the outbox refused, kept for the oracle when they become messages. */
export const GAPS_EVER = "public.gaps_ever";

/** What consumers got, for the oracle. */
export interface Consumed {
  attempts: (Attempt & { endpointId: string })[];
  /** The messages that were fetched, in this order. */
  fetched: string[];
  forged: number;
}

/** Those who want to hear of what happens in a world. */
export interface Webhooks {
  /** Waits until everything is delivered and fetched, with receivers that take all, and tells what they got. */
  settle(): Promise<Consumed>;
}

/**
 * Brings consumers, before anything happens that they want to hear of: a moody receiver of everything, one that takes all and
 * wants two types, and one who fetches everything.
 */
export async function bringWebhooks(
  world: World,
  { report, plant }: ExperimentOptions,
  { longestAwayMs = 1_000 } = {},
): Promise<Webhooks> {
  const { random } = world;
  await keepGaps(world.sql);
  const receivers = await Promise.all([
    receive([...MESSAGE_TYPES], true),
    receive(["assignments.ended", "policy.changed"], false),
  ]);
  await createEndpoint(world.sql, { id: random.uuid(), types: [...MESSAGE_TYPES] }, "experiment");
  const reader = startEventReader(() => world.sql, random.fork());
  world.atEnd(() => reader.stop());
  return { settle };

  async function receive(types: MessageType[], isMoody: boolean) {
    const id = random.uuid();
    const secret = createSecret();
    const receiver = await startReceiver({ secret, random: random.fork(), isMoody, longestAwayMs });
    world.atEnd(() => receiver.close());
    await createEndpoint(
      world.sql,
      { id, url: receiver.url, types, secret: await seal([KEY], id, secret) },
      "experiment",
    );
    return { id, ...receiver };
  }

  async function settle(): Promise<Consumed> {
    await Promise.all(receivers.map((receiver) => receiver.setCalm(true)));
    await world.cluster?.settle();
    await tendOutbox(world.sql);
    await world.sql`select assignment.forget_gone_members()`; // as every night: an outbox that was broken forgot nobody
    // besides, a second for each hundred: receivers that refused for long leave many
    const longestMs = plant ? 3_000 : 30_000 + 10 * await countPending(world.sql);
    await eventually(
      report,
      "what is due is delivered",
      longestMs,
      async () => await hastenDeliveries(world.sql) === 0,
    );
    await eventually(report, "what is written is given out", 60_000, () => isAllGivenOut(world.sql));
    await reader.catchUp();
    const consumed = {
      attempts: receivers.flatMap(({ id, attempts }) =>
        attempts.map((attempt) => ({ ...attempt, endpointId: id }))
      ),
      fetched: [...reader.seen],
      forged: receivers.reduce((sum, receiver) => sum + receiver.forged(), 0),
    };
    await Promise.all(receivers.map((receiver) => receiver.setCalm(false)));
    return consumed;
  }
}

/** Keeps, for the oracle, the changes that the outbox refused. */
export async function keepGaps(sql: Sql): Promise<void> {
  await sql.unsafe(`create table ${GAPS_EVER} (like assignment.outbox_gaps)`);
  await sql.unsafe(`
    create function public.keep_gap() returns trigger language plpgsql security definer as $$
    begin
      insert into ${GAPS_EVER} select new.*;
      return new;
    end;
    $$
  `);
  await sql.unsafe(
    "create trigger keep_gap before insert on assignment.outbox_gaps for each row execute function public.keep_gap()",
  );
}

/**
 * Makes pending deliveries due now, except those due in more than two days. Skips rows that a service has locked: both lock
 * several rows in different orders, and could deadlock.
 * @returns how many messages are pending
 */
export async function hastenDeliveries(sql: Sql): Promise<number> {
  await sql`
    update assignment.deliveries d
    set next_attempt_at = now()
    from (
      select endpoint_id, message_id
      from assignment.deliveries
      where status = 'pending'
        and last_attempt_at < now() - interval '0.5 seconds'
        and next_attempt_at between now() and now() + interval '2 days'
      for update skip locked
    ) as waiting
    where d.endpoint_id = waiting.endpoint_id
      and d.message_id = waiting.message_id
  `;
  return await countPending(sql);
}

async function countPending(sql: Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`
    select (select count(*) from assignment.deliveries where status = 'pending')
      + (select count(*) from assignment.outbox where not is_addressed) as count
  `;
  return row.count;
}

/** Transactions of others hold messages back; on a server that several experiments share, theirs too. */
async function isAllGivenOut(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ isSo: boolean }]>`
    select not exists (
      select from assignment.outbox where xid >= pg_snapshot_xmin(pg_current_snapshot())
    ) as is_so
  `;
  return row.isSo;
}
