import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import { type ClientPage, selectClientPage } from "./client_page.ts";

/** A member as a trainer's client, in one assignment; a member has several when earlier ones ended. */
export interface Client {
  clientId: string;
  assignmentId: string;
  assignmentDate: Date;
  status: "active" | "inactive";
  /** Null while it is active, and of one that was made inactive past this service. */
  endedAt: Date | null;
  notes: string | null;
}

/**
 * Lists a trainer's clients, oldest assignment first; empty when there are none.
 * Rows that existed when the first page was read are neither skipped nor repeated, whatever is inserted meanwhile.
 * @throws {AppError} `trainer_not_found` when the trainer is no member.
 */
export async function getTrainerClients(
  sql: Sql,
  trainerId: string,
  page: ClientPage = { limit: 1000 },
): Promise<Client[]> {
  const clients = await sql<Client[]>`
    select client_id, id as assignment_id, assignment_date, status, ended_at, notes
    from ${selectClientPage(sql, trainerId, page)}
    order by clients.id
  `;
  if (clients.length === 0) await requireTrainer(sql, trainerId);
  return [...clients];
}

/** @throws {AppError} `trainer_not_found` when the trainer is no member. */
export async function requireTrainer(sql: Sql, trainerId: string): Promise<void> {
  const found = await sql`select from public.members where id = ${trainerId}`;
  if (found.length === 0) throw new AppError("trainer_not_found", `trainer ${trainerId} is no member`);
}
