import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { type TestDatabase, testDatabase } from "./databases.ts";

const ROLES = ["application", "owner", "service", "inserter"] as const;
type Role = typeof ROLES[number];

/** A database that belongs to the application's role, as its `members` do; another role is to own what migrations make. */
export interface ForeignDatabase extends TestDatabase {
  /** The roles' names: rights are granted to them and revoked from them. */
  names: Record<Role, string>;
  /** The database's address as one of the roles. */
  urlOf(role: Role): string;
  /** Opens a session of one of the roles; closed by `drop`. */
  as(role: Role): Sql;
}

/**
 * Makes such a database, not migrated yet, with an empty `members` and the owner's rights to it.
 * @param columns the definitions of the columns of `members`
 */
export async function foreignDatabase(columns: string): Promise<ForeignDatabase> {
  const database = await testDatabase({ migrated: false });
  const { sql, name } = database;
  const nameOf = (role: Role) => `${name}_${role}`;
  const names = {
    application: nameOf("application"),
    owner: nameOf("owner"),
    service: nameOf("service"),
    inserter: nameOf("inserter"),
  };
  const password = crypto.randomUUID();
  for (const role of ROLES) await sql.unsafe(`create role ${names[role]} login password '${password}'`);
  await sql`alter database ${sql(name)} owner to ${sql(names.application)}`;

  const urlOf = (role: Role) =>
    Object.assign(new URL(database.url), { username: names[role], password }).href;
  const sessions: Sql[] = [];
  const as = (role: Role) => {
    const session = openDatabase(urlOf(role), { max: 1, applicationName: "test session" });
    sessions.push(session);
    return session;
  };
  // As docs/adopting.md has it.
  await as("application").unsafe(`
    create table public.members (${columns});
    grant create on database ${name} to ${names.owner};
    grant usage, create on schema public to ${names.owner};
    grant references, trigger on public.members to ${names.owner};
    grant select on public.members to ${names.owner} with grant option;
  `);

  return {
    ...database,
    names,
    urlOf,
    as,
    async drop() {
      await Promise.all(sessions.map((session) => closeDatabase(session, 1)));
      for (const role of ROLES) await sql`drop owned by ${sql(names[role])} cascade`;
      await sql`alter database ${sql(name)} owner to current_user`;
      for (const role of ROLES) await sql`drop role ${sql(names[role])}`;
      await database.drop();
    },
  };
}
