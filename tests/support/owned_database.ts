import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { serverUrl, type TestDatabase, testDatabase } from "./databases.ts";

/** A database as it is in production: migrated by a role that is no superuser, used by another with next to no rights. */
export interface OwnedDatabase extends TestDatabase {
  /** One session of the role that owns the database and all that the migrations made. */
  owner: Sql;
  /** Opens a session of a role that may insert into `members`, and nothing else; closed by `drop`. */
  newInserter(): Sql;
  /** Opens a session of the service's role, with what `assignment.grant_service` gives; closed by `drop`. */
  newService(): Sql;
  /** Their names: rights are granted to them and revoked from them. */
  ownerName: string;
  inserterName: string;
  serviceName: string;
  /** The database's address as the owner and as the service. */
  ownerUrl: string;
  serviceRoleUrl: string;
}

/** Makes such a database, with the default trainer as its only member; a second or so. */
export async function ownedDatabase(options: { withService?: boolean } = {}): Promise<OwnedDatabase> {
  const database = await testDatabase({ migrated: false });
  const [ownerName, inserterName, serviceName] = [
    `${database.name}_owner`,
    `${database.name}_inserter`,
    `${database.name}_service`,
  ];
  const password = crypto.randomUUID();
  const { sql } = database;
  for (const name of [ownerName, inserterName, serviceName]) {
    await sql.unsafe(`create role ${name} login password '${password}'`);
  }
  await sql`alter database ${sql(database.name)} owner to ${sql(ownerName)}`;

  const urlOf = (username: string) => Object.assign(new URL(database.url), { username, password }).href;
  await migrateUp(urlOf(ownerName));
  const sessions: Sql[] = [];
  const openSession = (name: string) => {
    const session = openDatabase(urlOf(name), { max: 1, applicationName: "test session" });
    sessions.push(session);
    return session;
  };
  const owner = openSession(ownerName);
  await owner`grant insert on public.members to ${sql(inserterName)}`;
  await owner`insert into public.members (id) select default_trainer_id from assignment.settings`;
  if (options.withService) await owner`select assignment.grant_service(${serviceName})`;

  return {
    ...database,
    owner,
    newInserter: () => openSession(inserterName),
    newService: () => openSession(serviceName),
    ownerName,
    inserterName,
    serviceName,
    ownerUrl: urlOf(ownerName),
    serviceRoleUrl: urlOf(serviceName),
    async drop() {
      await Promise.all(sessions.map((session) => closeDatabase(session, 1)));
      await database.drop();
      const server = openDatabase(serverUrl(), { max: 1, applicationName: "test databases" });
      await server`drop role ${server(ownerName)}, ${server(inserterName)}, ${server(serviceName)}`;
      await closeDatabase(server);
    },
  };
}
