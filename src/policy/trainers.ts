import { type By, toActor } from "../actor.ts";
import { columnText, findReadableColumns, type MemberSource } from "../assignments/member_columns.ts";
import type { Member } from "../assignments/member_lookup.ts";
import { matchMember } from "../assignments/member_match.ts";
import { readInTime } from "../database/bounded_read.ts";
import { onServerOrCluster } from "../database/distributed.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import {
  findRoomOnCluster,
  listTrainerIdsOnCluster,
  matchTrainersOnCluster,
  readTrainersOnCluster,
} from "./trainers_on_cluster.ts";
import type { Room, Trainer } from "./trainer.ts";

export type { Trainer };

/** New settings of a trainer. What is left out stays as it is. */
export interface TrainerChange {
  /** 0 to 100,000; null: no limit. */
  capacity?: number | null | undefined;
  acceptsClients?: boolean | undefined;
  note?: string | null | undefined;
}

/**
 * Lists trainers by id: members who have or had clients, whom the policy in force names, or who have settings.
 * @param page.after the last trainer's id already seen
 * @param search a part of their names or e-mails, or the beginning of their ids
 */
export async function listTrainers(
  source: MemberSource,
  page: { limit: number; after?: string | undefined },
  search?: string,
): Promise<Trainer[]> {
  return await onServerOrCluster(
    source.sql,
    () => listOnServer(source, page, search),
    async () => {
      const known = await listTrainerIdsOnCluster(source.sql, page.after);
      const found = await matchTrainersOnCluster(source, known, search, page.limit);
      return await readTrainersOnCluster(source.sql, found.map(({ id }) => id));
    },
  );
}

async function listOnServer(
  source: MemberSource,
  page: { limit: number; after?: string | undefined },
  search: string | undefined,
): Promise<Trainer[]> {
  const { sql } = source;
  const matches = search === undefined
    ? sql``
    : sql`and (${matchMember(sql, await findReadableColumns(source), search)})`;
  return [
    ...await sql<Trainer[]>`
    with recursive ${knownTrainers(sql)},
    page as (
      select trainer_id
      from known
      where exists (select from public.members m where m.id = known.trainer_id ${matches})
        ${page.after === undefined ? sql`` : sql`and trainer_id > ${page.after}`}
      order by trainer_id
      limit ${page.limit}
    )
    ${selectTrainer(sql)}
    from page as asked
    ${joinTrainer(sql)}
    order by asked.trainer_id
  `,
  ];
}

const SEARCH_TIMEOUT_MS = 100;

/** Finds trainers as {@link listTrainers} does, by id; none if they are too many to look at within 100 ms. */
export async function searchTrainers(
  source: MemberSource,
  search: string,
  limit: number,
): Promise<Member[]> {
  return await onServerOrCluster(
    source.sql,
    () => searchOnServer(source, search, limit),
    async () =>
      await matchTrainersOnCluster(source, await listTrainerIdsOnCluster(source.sql), search, limit),
  );
}

async function searchOnServer(source: MemberSource, search: string, limit: number): Promise<Member[]> {
  const { sql } = source;
  const columns = await findReadableColumns(source);
  const found = await readInTime(sql, SEARCH_TIMEOUT_MS, (transaction) =>
    transaction<Member[]>`
      with recursive ${knownTrainers(sql)}
      select m.id, ${columnText(sql, columns.name)} as name, ${columnText(sql, columns.email)} as email
      from known
      join public.members m on m.id = known.trainer_id
      where ${matchMember(sql, columns, search)}
      order by m.id
      limit ${limit}
    `);
  return [...found ?? []];
}

/** Lists the ids of trainers whom {@link listTrainers} lists, without counting their clients. */
export async function listTrainerIds(sql: Sql, limit: number): Promise<string[]> {
  return await onServerOrCluster(
    sql,
    () => listIdsOnServer(sql, limit),
    async () => (await listTrainerIdsOnCluster(sql)).slice(0, limit),
  );
}

async function listIdsOnServer(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql<{ trainerId: string }[]>`
    with recursive ${knownTrainers(sql)}
    select trainer_id
    from known
    order by trainer_id
    limit ${limit}
  `;
  return rows.map(({ trainerId }) => trainerId);
}

/** Finds what trainers can take, without counting their clients. */
export async function findRoom(sql: Sql, trainerIds: readonly string[]): Promise<Room[]> {
  return await onServerOrCluster(
    sql,
    async () =>
      await sql<Room[]>`
        select
          asked.trainer_id,
          t.capacity,
          coalesce(t.accepts_clients, true) as accepts_clients,
          case when t.capacity is not null then free.seats end as room
        from unnest(${[...trainerIds]}::uuid[]) as asked (trainer_id)
        left join assignment.trainers t on t.trainer_id = asked.trainer_id
        ${joinFreeSeats(sql)}
      `,
    () => findRoomOnCluster(sql, trainerIds),
  );
}

/**
 * Reads one trainer.
 * @throws {AppError} `trainer_not_found` when they are not a member.
 */
export async function getTrainer(sql: SqlOrTransaction, trainerId: string): Promise<Trainer> {
  const [trainer] = await onServerOrCluster(
    sql,
    async () =>
      await sql<Trainer[]>`
        ${selectTrainer(sql)}
        from (select id as trainer_id from public.members where id = ${trainerId}) as asked
        ${joinTrainer(sql)}
      `,
    () => readTrainersOnCluster(sql, [trainerId]),
  );
  if (!trainer) throw new AppError("trainer_not_found", `trainer ${trainerId} is not a member`);
  return trainer;
}

/**
 * Sets what a trainer takes. Clients beyond a lowered capacity stay; whoever waits for room is tried again at once.
 * @throws {AppError} `trainer_not_found`
 */
export async function changeTrainer(
  sql: SqlOrTransaction,
  trainerId: string,
  change: TrainerChange,
  by: By,
): Promise<Trainer> {
  const { actor, requestId } = toActor(by);
  await withAppErrors(sql`
    select assignment.change_trainer(${trainerId}, ${
    JSON.stringify(change)
  }::text::jsonb, ${actor}, ${requestId})
  `);
  return await getTrainer(sql, trainerId);
}

function selectTrainer(sql: SqlOrTransaction) {
  return sql`
    select
      asked.trainer_id,
      t.capacity,
      coalesce(t.accepts_clients, true) as accepts_clients,
      t.note,
      counted.clients,
      case when t.capacity is not null then free.seats end as room,
      t.updated_at,
      t.updated_by
  `;
}

function joinTrainer(sql: SqlOrTransaction) {
  return sql`
    left join assignment.trainers t on t.trainer_id = asked.trainer_id
    cross join lateral (
      select count(*) as clients
      from public.trainer_client_assignments a
      where a.trainer_id = asked.trainer_id
        and a.status = 'active'
    ) as counted
    ${joinFreeSeats(sql)}
  `;
}

function joinFreeSeats(sql: SqlOrTransaction) {
  return sql`
    cross join lateral (
      select case when bool_or(s.is_overbooked) then 0 else count(*) end as seats
      from assignment.seats s
      where s.trainer_id = asked.trainer_id
    ) as free
  `;
}

function knownTrainers(sql: Sql) {
  return sql`
    with_clients as (  -- one look into the index a trainer, not a row
      (select trainer_id from public.trainer_client_assignments order by trainer_id limit 1)
      union all
      select (
        select a.trainer_id
        from public.trainer_client_assignments a
        where a.trainer_id > w.trainer_id
        order by a.trainer_id
        limit 1
      )
      from with_clients w
      where w.trainer_id is not null
    ),
    known as (
      select t.trainer_id from assignment.trainers t
      union
      select s.default_trainer_id from assignment.settings s where s.default_trainer_id is not null
      union
      select unnest(r.trainer_ids)
      from assignment.policy_rules r
      join assignment.settings s on s.policy_version = r.version
      union
      select w.trainer_id from with_clients w where w.trainer_id is not null
    )
  `;
}
