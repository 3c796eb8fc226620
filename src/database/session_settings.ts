import postgres from "postgres";
import { closeDatabase, isPooled, openDatabase } from "./connection.ts";

export type Settings = Record<string, string | number>;

/**
 * Settings of our sessions, whatever the database or the role has set: how values are printed and read, and how
 * transactions work. `openDatabase` sends a few more.
 *
 * These keep the values of the database or the role: `search_path` (triggers of the application may need
 * theirs; our names are qualified), `role`, those of the planner, and `default_transaction_read_only`, by which
 * operators stop all writes.
 */
const FIXED: Settings = {
  IntervalStyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
  array_nulls: "on",
  transform_null_equals: "off",
  quote_all_identifiers: "off",
  exit_on_error: "off",
  jit: "off", // takes longer than our statements
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
};

const TRANSACTION_TIMEOUT_SINCE = 170000;
const REFUSED_PARAMETER = "08P01";

/**
 * Finds the settings that new connections can send. Null behind a pooler that refuses them (PgBouncer:
 * `unsupported startup parameter`) or drops them (its `ignore_startup_parameters`). Setting them later is no
 * way out: they would stay for the pooler's next client of that connection.
 * @param own adds settings, or replaces fixed ones
 */
export async function findSettings(url: string, own: Settings = {}): Promise<Settings | null> {
  if (isPooled(url)) return null;
  const settings = { ...FIXED, ...own };
  const names = Object.keys(settings);
  const sql = openDatabase(url, { max: 1, applicationName: "trainer-assignment service", settings });
  try {
    const [found] = await sql<[{ taken: number; version: number }]>`
      select count(*) as taken, current_setting('server_version_num')::integer as version
      from pg_catalog.pg_settings
      where name = any (${names}::text[])
        and source = 'client'
    `;
    if (found.taken < names.length) return null;
    return found.version < TRANSACTION_TIMEOUT_SINCE ? settings : { ...settings, transaction_timeout: "0" };
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === REFUSED_PARAMETER) return null;
    throw error;
  } finally {
    await closeDatabase(sql);
  }
}
