import process from "node:process";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { partitionAssignments } from "../../src/database/partitions.ts";
import { SERVICE_ROLE, TEMPLATE } from "./databases.ts";

/**
 * Makes what every test's database is cloned from: migrated, with the default trainer as its only member. A server that
 * is a copy of a model cluster has it already.
 */
export async function makeTemplate(serverUrl: string): Promise<void> {
  const sql = openDatabase(serverUrl, { max: 1, applicationName: "test template" });
  if ((await sql`select from pg_database where datname = ${TEMPLATE}`).length > 0) {
    return await closeDatabase(sql);
  }
  await sql`create database ${sql(TEMPLATE)} template template0`;
  const templateUrl = Object.assign(new URL(serverUrl), { pathname: `/${TEMPLATE}` }).href;
  await migrateUp(templateUrl);
  if (process.env.PARTITIONS !== undefined) {
    await partitionAssignments(templateUrl, Number(process.env.PARTITIONS));
  }
  const template = openDatabase(templateUrl, { max: 1, applicationName: "test template" });
  await template`
    insert into public.members (id, display_name)
    select default_trainer_id, 'Default trainer'
    from assignment.settings
  `;
  await template.unsafe(`create role ${SERVICE_ROLE} login password '${new URL(serverUrl).password}'`);
  await closeDatabase(template);
  await sql`alter database ${sql(TEMPLATE)} allow_connections false`;
  await closeDatabase(sql);
}

/** Makes a server's own database `postgres` anew, as a copy of the template, which is made where it lacks. */
export async function copyTemplate(serverUrl: string): Promise<void> {
  await makeTemplate(serverUrl);
  const sql = openDatabase(Object.assign(new URL(serverUrl), { pathname: "/template1" }).href, {
    max: 1,
    applicationName: "test template",
  });
  await sql`drop database postgres with (force)`;
  await sql`create database postgres template ${sql(TEMPLATE)} strategy file_copy`;
  await closeDatabase(sql);
}
