import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateUp } from "../../src/database/migrate.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

/** As hosted platforms set them up: what is made in the schema public is for the roles of an HTTP API, too. */
const IN_PUBLIC = (roles: string) => `
  grant usage on schema public to ${roles};
  alter default privileges in schema public grant all on tables to ${roles};
  alter default privileges in schema public grant all on functions to ${roles};
  alter default privileges in schema public grant all on sequences to ${roles};
`;

/** The same for every schema, and for schemas themselves. */
const EVERYWHERE = (roles: string) => `
  grant usage on schema public to ${roles};
  alter default privileges grant all on tables to ${roles};
  alter default privileges grant all on functions to ${roles};
  alter default privileges grant usage on schemas to ${roles};
`;

describe("a database whose default privileges open new tables to API roles", () => {
  let database: TestDatabase;
  let anon: string;
  let user: string;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    [anon, user] = [`${database.name}_anon`, `${database.name}_user`];
    await database.sql.unsafe(`create role ${anon}; create role ${user}`);
  });
  afterEach(async () => {
    await database.sql.unsafe(`drop owned by ${anon}, ${user}; drop role ${anon}, ${user}`);
    await database.drop();
  });

  const openBy = (defaults: (roles: string) => string) => database.sql.unsafe(defaults(`${anon}, ${user}`));

  /** What somebody who is not the owner may do with anything of ours; to make an id, a column's default, is no right. */
  async function rights(): Promise<string[]> {
    const rows = await database.sql<{ line: string }[]>`
      select coalesce(nullif(a.grantee, 0)::regrole::text, 'public') || ' ' || lower(a.privilege_type) || ' ' || name as line
      from (
        select c.oid::regclass::text as name, relowner as owner, relacl as acl
        from pg_class c
        where relnamespace = 'assignment'::regnamespace and relkind in ('r', 'v', 'm', 'S')
          or oid in ('public.trainer_client_assignments'::regclass, 'public.members'::regclass)
        union all
        select oid::regprocedure::text, proowner, proacl from pg_proc where pronamespace = 'assignment'::regnamespace
        union all
        select 'schema ' || nspname, nspowner, nspacl from pg_namespace where nspname = 'assignment'
      ) as ours
      cross join aclexplode(acl) a
      where a.grantee <> owner
        and name <> 'assignment.uuid_v7()'
      order by line
    `;
    return rows.map(({ line }) => line);
  }

  for (const [name, defaults] of [["in public", IN_PUBLIC], ["everywhere", EVERYWHERE]] as const) {
    it(`${name}: only the owner may use our tables, including a members table of ours`, async () => {
      await openBy(defaults);
      await migrateUp(database.url);
      assertEquals(await rights(), []);
    });
  }

  it("to public: only the owner may use our tables", async () => {
    await database.sql.unsafe("alter default privileges grant all on tables to public");
    await migrateUp(database.url);
    assertEquals(await rights(), []);
    await database.sql.unsafe("alter default privileges revoke all on tables from public");
  });

  it("leaves the application's own members as they are", async () => {
    await openBy(IN_PUBLIC);
    await database.sql`create table public.members (id uuid primary key, email text)`;
    await migrateUp(database.url);
    assertEquals((await rights()).filter((line) => line.endsWith("delete members")).length, 2);
    assertEquals((await rights()).filter((line) => !line.endsWith(" members")), []);
  });

  it("keeps later grants, by hand and by grant_service", async () => {
    await openBy(IN_PUBLIC);
    await migrateUp(database.url);
    await database.sql.unsafe(`grant select on public.trainer_client_assignments to ${user}`);
    await migrateUp(database.url);
    assertEquals(await rights(), [`${user} select trainer_client_assignments`]);
    await database.sql`select assignment.grant_service(${anon})`;
    assertEquals((await rights()).includes(`${anon} select assignment.settings`), true);
  });

  it("makes health say who may write, and how to revoke it, after a grant on all tables", async () => {
    await openBy(IN_PUBLIC);
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) select default_trainer_id from assignment.settings`;
    assertEquals((await checkHealth(database.sql)).status, "ready");
    await database.sql.unsafe(`grant all on all tables in schema public to ${anon}`);
    const { status, checks } = await checkHealth(database.sql);
    assertEquals(status, "degraded");
    assertStringIncludes(checks.access.detail, `trainer_client_assignments from ${anon}`);
    await database.sql.unsafe(
      `revoke insert, update, delete, truncate, references, trigger on trainer_client_assignments from ${anon}`,
    );
    assertEquals((await checkHealth(database.sql)).status, "ready");
  });

  it("does not confuse these roles with one that was granted to write by hand", async () => {
    await openBy(IN_PUBLIC);
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) select default_trainer_id from assignment.settings`;
    const loader = `${database.name}_loader`;
    await database.sql.unsafe(
      `create role ${loader}; grant insert on public.trainer_client_assignments to ${loader}`,
    );
    assertEquals((await checkHealth(database.sql)).status, "ready");
    await database.sql.unsafe(`drop owned by ${loader}; drop role ${loader}`);
  });
});
