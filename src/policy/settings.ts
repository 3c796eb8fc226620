import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";

/** What admins set: who gets every new member. */
export interface Settings {
  defaultTrainerId: string;
  updatedAt: Date;
  /** The name of the token that set it; null since the installation. */
  updatedBy: string | null;
}

/**
 * Reads the settings.
 * @throws {AppError} `trainer_not_found` when the row was removed by hand.
 */
export async function getSettings(sql: Sql): Promise<Settings> {
  const [settings] = await sql<Settings[]>`
    select default_trainer_id, updated_at, updated_by
    from assignment.settings
  `;
  if (!settings) throw new AppError("trainer_not_found", "no default trainer is configured");
  return settings;
}

/**
 * Makes a member the default trainer: of members inserted from now on, and of retries. Nobody is moved.
 * @throws {AppError} `trainer_not_found` when the trainer is not a member.
 */
export async function setDefaultTrainer(sql: Sql, trainerId: string, by: string): Promise<Settings> {
  const [settings] = await withAppErrors(sql<[Settings]>`
    select default_trainer_id, updated_at, updated_by
    from assignment.set_default_trainer(${trainerId}, ${by})
  `);
  return settings;
}
