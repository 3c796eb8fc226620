import project from "../../deno.json" with { type: "json" };
import type { Config } from "../config.ts";
import { closeDatabase, openDatabase, SUSPECT_AFTER_MS } from "../database/connection.ts";
import type { Sql } from "../database/sql.ts";
import { type EmbeddedPostgres, openEmbeddedPostgres } from "../database/embedded/embedded_postgres.ts";
import { migrateUp } from "../database/migrate.ts";
import { describeNewerSchema, describeSchemaState, readSchemaState } from "../database/schema_state.ts";
import { OperatorError } from "../errors.ts";
import { escapeControls } from "../telemetry/log.ts";
import { DEFAULT_TRAINER_ID } from "../assignments/default_trainer.ts";
import { findSettings } from "../database/session_settings.ts";

/** Below the current folder, which `deno task` makes the project's. */
export const EMBEDDED_FOLDER = ".data";

/** The image and the one file are made without it. */
const HAS_EMBEDDED_SERVER = Object.hasOwn(project.imports, "embedded-postgres");

/** The server that a command works on. */
export interface CommandServer {
  url: string;
  /** null when DATABASE_URL names a server. */
  embedded: EmbeddedPostgres | null;
  close(): Promise<void>;
}

/** The migrated database that a task works on. */
export interface CommandDatabase extends CommandServer {
  sql: Sql;
}

/**
 * Reaches the server of DATABASE_URL, or the embedded one, which is started when it does not run.
 * @throws {OperatorError} without DATABASE_URL where there is no embedded one
 */
export async function openCommandServer(config: Config, role: "service" | "task"): Promise<CommandServer> {
  if (role === "task") config.warnings.forEach(warnOnTerminal);
  if (config.databaseUrl !== null) return { url: config.databaseUrl, embedded: null, close: async () => {} };
  if (!HAS_EMBEDDED_SERVER) {
    throw new OperatorError("set DATABASE_URL: only a checkout brings a PostgreSQL of its own");
  }
  const embedded = await openEmbeddedPostgres(EMBEDDED_FOLDER, role);
  return { url: embedded.url, embedded, close: () => embedded.close() };
}

/**
 * Reaches a server whose database is migrated. Migrates the embedded one, and adds the default trainer as a
 * member; only checks a server of DATABASE_URL.
 * @param warn is told when a newer version migrated the database
 * @throws {OperatorError} when migrations are pending there.
 */
export async function openMigratedServer(
  config: Config,
  role: "service" | "task",
  warn: (warning: string) => void,
): Promise<CommandServer> {
  const server = await openCommandServer(config, role);
  const sql = openDatabase(server.url, { max: 1, applicationName: `trainer-assignment ${role}` });
  try {
    if (server.embedded === null) {
      await requireMigrated(sql);
    } else {
      await migrateUp(server.url);
      await addDefaultTrainer(sql);
    }
    const newer = await describeNewerSchema(sql);
    if (newer !== null) warn(newer);
    await closeDatabase(sql);
    return server;
  } catch (error) {
    await closeDatabase(sql);
    await server.close();
    throw error;
  }
}

/** Opens the migrated database for a task, see {@link openMigratedServer}. */
export async function openCommandDatabase(config: Config): Promise<CommandDatabase> {
  const server = await openMigratedServer(config, "task", warnOnTerminal);
  const sql = openDatabase(server.url, {
    max: config.databasePoolSize,
    applicationName: "trainer-assignment task",
    settings: await findSettings(server.url) ?? {},
    suspectAfterMs: SUSPECT_AFTER_MS,
  });
  return {
    ...server,
    sql,
    async close() {
      await closeDatabase(sql);
      await server.close();
    },
  };
}

async function requireMigrated(sql: Sql): Promise<void> {
  const state = await readSchemaState(sql);
  const mismatch = describeSchemaState(state);
  if (mismatch !== null && state.pending.length > 0) throw new OperatorError(mismatch);
}

function warnOnTerminal(warning: string): void {
  console.error(escapeControls(`warning: ${warning}`));
}

/** Adds the default trainer to the embedded database, where nobody else would. */
async function addDefaultTrainer(sql: Sql): Promise<void> {
  await sql`
    insert into public.members (id, display_name)
    values (${DEFAULT_TRAINER_ID}, 'Default trainer')
    on conflict do nothing
  `;
}
