import { isOnCluster } from "../database/distributed.ts";
import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import { type Client, CLIENT_SELECT_LIST } from "./client_columns.ts";
import { clientOrder, type ClientPage, selectClientPage } from "./client_page.ts";

/**
 * Lists a trainer's clients, oldest assignment first; empty when there are none.
 * Pages neither skip nor repeat a row that existed when the first page was read.
 * @throws {AppError} `trainer_not_found` when the trainer is not a member.
 */
export async function getTrainerClients(
  sql: Sql,
  trainerId: string,
  page: ClientPage = { limit: 1000 },
): Promise<Client[]> {
  const clients = await sql<Client[]>`
    select ${sql.unsafe(CLIENT_SELECT_LIST)}
    from ${selectClientPage(sql, trainerId, page, { onCluster: await isOnCluster(sql) })}
    order by ${clientOrder(sql, page)}
  `;
  if (clients.length === 0) await requireTrainer(sql, trainerId);
  return [...clients];
}

/** Requires that the trainer is a member. @throws {AppError} `trainer_not_found` */
export async function requireTrainer(sql: Sql, trainerId: string): Promise<void> {
  const found = await sql`select from public.members where id = ${trainerId}`;
  if (found.length === 0) throw new AppError("trainer_not_found", `trainer ${trainerId} is not a member`);
}
