import { VERSION } from "../version.ts";
import { listMigrations } from "./migration_files.ts";
import { listReleases, nameRelease } from "./releases.ts";
import type { SqlOrTransaction } from "./sql.ts";

/** How the migrations of a database compare with those of this program: their versions, oldest first. */
export interface SchemaState {
  applied: string[];
  pending: string[];
  /** Applied by a newer version of this program. */
  unknown: string[];
}

export const MIGRATIONS_TABLE = "assignment.schema_migrations";
export const NEVER_MIGRATED = "the database was never migrated; run: deno task migrate";

/** Reads which migrations are applied. */
export async function readSchemaState(sql: SqlOrTransaction): Promise<SchemaState> {
  const recorded = await readRecord(sql);
  const known = (await listMigrations()).map(({ version }) => version);
  return {
    applied: known.filter((version) => recorded.includes(version)),
    pending: known.filter((version) => !recorded.includes(version)),
    unknown: recorded.filter((version) => !known.includes(version)),
  };
}

/** Tells whether anything is recorded as applied. */
export function isMigrated({ applied, unknown }: SchemaState): boolean {
  return applied.length + unknown.length > 0;
}

/** Describes what does not match, and what to do; null when the database has what this program has. */
export function describeSchemaState(state: SchemaState): string | null {
  const { pending, unknown } = state;
  if (!isMigrated(state)) return NEVER_MIGRATED;
  if (unknown.length === 0) {
    return pending.length === 0 ? null : `${describePending(state)}; run: deno task migrate`;
  }
  if (pending.length > 0) {
    return `${
      describeUnknown(state)
    }, and lacks ${pending.length} that it has: migrate with the newest version`;
  }
  return `${describeUnknown(state)}: deploy the version that applied them. ` +
    `Until then ${VERSION} works with the schema of any later ${VERSION.replace(/\..*/, ".x")}`;
}

/** Says that a newer version migrated the database, and what to do; null when none did. */
export async function describeNewerSchema(sql: SqlOrTransaction): Promise<string | null> {
  const state = await readSchemaState(sql);
  return state.unknown.length === 0 ? null : describeSchemaState(state);
}

/** Says how many of this program's migrations are not applied. */
export function describePending({ pending }: SchemaState): string {
  return `the database lacks ${pending.length} migration(s) of this program, ${VERSION}`;
}

/** Says how many applied migrations this program does not know. */
export function describeUnknown({ unknown }: SchemaState): string {
  return `the database has ${unknown.length} migration(s) that this program, ${VERSION}, does not know`;
}

/** Names the versions of both sides, in a line each, and what to do. */
export async function describeVersions(state: SchemaState): Promise<string[]> {
  const releases = await listReleases();
  const known = (await listMigrations()).map(({ version }) => version);
  const ours = releases.filter(({ version }) => version === VERSION);
  const { applied, pending, unknown } = state;
  const has = nameRelease(applied, releases);
  const database = !isMigrated(state)
    ? "never migrated; run: deno task migrate"
    : unknown.length > 0
    ? `newer than ${has}: ${unknown.length} migration(s) that this program does not know` +
      (pending.length > 0 ? `; lacks ${pending.length} that it has` : "")
    : pending.length > 0
    ? `${has}, lacks ${pending.length} migration(s); run: deno task migrate`
    : has;
  return [
    `program   ${nameRelease(known, ours)} (${known.length} migrations)`,
    `database  ${database}`,
  ];
}

async function readRecord(sql: SqlOrTransaction): Promise<string[]> {
  const [table] = await sql<{ exists: boolean }[]>`
    select to_regclass(${MIGRATIONS_TABLE}) is not null as exists
  `;
  if (!table?.exists) return [];
  const rows = await sql<
    { version: string }[]
  >`select version from assignment.schema_migrations order by version`;
  return rows.map(({ version }) => version);
}
