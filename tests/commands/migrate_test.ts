/** The commands that migrate a database, or must not touch it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { listMigrations } from "../../src/database/migration_files.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { projectItself } from "../support/project.ts";

describe("migrate", () => {
  const project = projectItself();
  let database: TestDatabase;
  let environment: Record<string, string>;
  let migrationCount: number;

  beforeAll(async () => {
    migrationCount = (await listMigrations()).length;
  });
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    environment = { DATABASE_URL: database.url };
  });
  afterEach(async () => {
    await database.drop();
  });

  it("migrate applies everything once, even if others migrate at the same time", async () => {
    const results = await Promise.all(
      Array.from({ length: 4 }, () => project.run("migrate", [], environment)),
    );
    assertEquals(results.map(({ code }) => code), [0, 0, 0, 0]);
    const applied = results.flatMap(({ stdout }) => stdout.match(/^applied: \d+$/gm) ?? []);
    assertEquals(applied.length, migrationCount);
  });

  it("migrate down --all leaves the database as it was", async () => {
    await project.run("migrate", [], environment);
    const down = await project.run("migrate", ["down", "--all"], environment);
    assertEquals({ code: down.code, stderr: down.stderr }, { code: 0, stderr: "" });
    const left = await database.sql`
      select nspname from pg_namespace where nspname = 'assignment'
      union all
      select relname from pg_class where relnamespace = 'public'::regnamespace
      union all
      select proname from pg_proc where pronamespace = 'public'::regnamespace
    `;
    assertEquals([...left], []);
  });

  it("migrate says what is missing and exits with 1; migrate repair creates it again", async () => {
    await project.run("migrate", [], environment);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID}), (gen_random_uuid())`;
    await database.sql`drop table public.trainer_client_assignments cascade`;

    const migrated = await project.run("migrate", [], environment);
    assertEquals([migrated.code, migrated.stdout], [1, ""]);
    assertEquals(
      migrated.stderr,
      "error: table public.trainer_client_assignments is missing; run: deno task migrate repair\n",
    );

    const { stdout } = await project.run("migrate", ["status"], environment);
    assertMatch(
      stdout,
      /^but table public\.trainer_client_assignments is missing; run: deno task migrate repair$/m,
    );
    const repaired = await project.run("migrate", ["repair"], environment);
    assertEquals([repaired.code, repaired.stderr], [0, ""]);
    assertMatch(repaired.stdout, /^repaired: table public\.trainer_client_assignments is missing$/m);
    assertMatch(repaired.stdout, /^note: the assignments .+ only a backup has them/m);
    assertMatch(repaired.stdout, /^1 member\(s\) have no active assignment: run deno task backfill$/m);
    assertEquals((await project.run("migrate", [], environment)).stdout, "nothing to do\n");
    assertEquals(
      (await project.run("migrate", ["repair"], environment)).stdout.split("\n")[0],
      "nothing to repair",
    );
  });

  it("migrate --partitions migrates, cuts the assignments into as many, and says how many rows moved", async () => {
    const first = await project.run("migrate", ["--partitions", "3"], environment);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertMatch(first.stdout, /^public\.trainer_client_assignments has 3 partitions, 0 row\(s\) moved$/m);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await database.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 3)`;
    assertMatch(
      (await project.run("migrate", ["up", "--partitions=3"], environment)).stdout,
      / 3 partitions already$/m,
    );
    assertMatch(
      (await project.run("migrate", ["--partitions", "1"], environment)).stdout,
      / is one table, 3 row\(s\) moved$/m,
    );
    for (
      const wrong of [["--partitions"], ["--partitions", "0"], ["--partitions", "1025"], [
        "down",
        "--partitions",
        "2",
      ]]
    ) {
      assertEquals((await project.run("migrate", wrong, environment)).code, 2);
    }
    await database.sql`create view public.pairs as select client_id from public.trainer_client_assignments`;
    const refused = await project.run("migrate", ["--partitions", "3"], environment);
    assertEquals(refused.code, 1);
    assertStringIncludes(
      refused.stderr,
      "nothing was changed: trainer_client_assignments cannot be partitioned",
    );
  });

  it("migrate asks for a repair when the record of applied migrations is missing", async () => {
    await project.run("migrate", [], environment);
    await database.sql`drop table assignment.schema_migrations`;
    const refused = await project.run("migrate", [], environment);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "run `deno task migrate repair`");
    assertEquals((await project.run("migrate", ["repair"], environment)).code, 0);
    assertEquals((await project.run("migrate", [], environment)).stdout, "nothing to do\n");
  });

  it("migrate repair exits with 1 and names the rows that it cannot repair", async () => {
    await project.run("migrate", [], environment);
    await database.sql.unsafe(`
      insert into members (id) values ('${DEFAULT_TRAINER_ID}'), (gen_random_uuid());
      drop table members cascade;
      create table members (id uuid primary key default gen_random_uuid());
      insert into members (id) values ('${DEFAULT_TRAINER_ID}');
    `);
    const repaired = await project.run("migrate", ["repair"], environment);
    assertEquals(repaired.code, 1);
    assertMatch(
      repaired.stdout,
      /^repaired: trigger members_assign_trainer_after_insert of public\.members is missing$/m,
    );
    assertMatch(
      repaired.stderr,
      /^error: not repaired: constraint .+ but 1 existing ones name a client_id that is not in public\.members: .+ run: delete /m,
    );
  });

  it("migrate down --all asks for --yes if it would delete assignments, and says how many", async () => {
    await project.run("migrate", [], environment);
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    await database.sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 3)`;

    const refused = await project.run("migrate", ["down", "--all"], environment);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(refused.stderr, /^error: this deletes 3 assignment\(s\)\. Export them first/);
    assertStringIncludes(refused.stderr, "`deno task migrate down --all --yes`");
    const [kept] = await database.sql`select count(*)::int as rows from public.trainer_client_assignments`;
    assertEquals(kept?.rows, 3);

    const left = await project.run("migrate", ["down", "--all", "--yes"], environment);
    assertEquals([left.code, left.stderr], [0, ""]);
    const [table] = await database.sql`select to_regclass('public.trainer_client_assignments') as name`;
    assertEquals(table?.name, null);
  });

  it("migrate down reverts the newest, and status shows it as pending", async () => {
    await project.run("migrate", [], environment);
    await project.run("migrate", ["down"], environment);
    const { stdout } = await project.run("migrate", ["status"], environment);
    assertEquals(stdout.match(/^applied /gm)?.length, migrationCount - 1);
    assertMatch(
      stdout,
      /^pending .+\nprogram {3}1\.\S+ \(\d+ migrations\)\ndatabase {2}before 1\.0\.0, lacks 1 /m,
    );
  });

  it("migrate --grant lets a role run the service, and each later migration lets it run what is new", async () => {
    const [role, other] = ["service", "other"].map((name) => `${name}_${crypto.randomUUID().slice(0, 8)}`);
    const { sql } = database;
    const maySteer = async (name: string | undefined) => {
      const [row] = await sql<[{ may: boolean }]>`
        select has_function_privilege(${
        name ?? ""
      }, 'assignment.change_backfill_status'::regproc, 'execute') as may
      `;
      return row.may;
    };
    await sql.unsafe(`create role ${role}; create role ${other}`);
    try {
      const missing = await project.run("migrate", ["--grant", "nobody here"], environment);
      assertEquals(missing.code, 1);
      assertMatch(
        missing.stderr,
        /^error: the rights of nobody here are not complete: role .* does not exist/,
      );

      const granted = await project.run("migrate", ["--grant", role ?? ""], environment);
      assertEquals([granted.code, granted.stdout], [
        0,
        `nothing to do\ngranted: the service's rights to ${role}\n`,
      ]);
      await sql.unsafe(`
        grant execute on function assignment.end_assignment(uuid, uuid, text, text) to ${other};
        revoke execute on function assignment.change_backfill_status from ${role}
      `);
      await project.run("migrate", ["down"], environment);
      const again = await project.run("migrate", [], environment);
      assertMatch(again.stdout, new RegExp(`^applied: \\d+\ngranted: the service's rights to ${role}\n$`));
      assertEquals([await maySteer(role), await maySteer(other)], [true, false]);
    } finally {
      await sql.unsafe(`drop owned by ${role}, ${other}; drop role ${role}, ${other}`);
    }
  });

  it("migrate on a newer database changes nothing, says what to deploy and exits with 0", async () => {
    await project.run("migrate", [], environment);
    await database.sql`insert into assignment.schema_migrations (version) values ('29991231000000')`;
    await database.sql`drop view assignment.webhook_states`;
    const { code, stdout, stderr } = await project.run("migrate", [], environment);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      /^nothing to apply: the database has 1 migration\(s\) .+: deploy the version [^\n]+\n$/,
    );
    const status = await project.run("migrate", ["status"], environment);
    assertMatch(
      status.stdout,
      /^unknown {2}29991231000000\nprogram {3}1\.\S+ .+\ndatabase {2}newer than 1\..+\n$/m,
    );
    const policy = await project.run("policy", [], environment);
    assertEquals(policy.code, 0);
    assertMatch(policy.stderr, /^warning: the database has 1 migration\(s\) that this program/);
  });

  it("migrate says what the database refused, in one line without its address", async () => {
    await database.sql`create table public.members (id integer primary key)`;
    const result = await project.run("migrate", [], environment);
    assertEquals(result.code, 1);
    assertMatch(
      result.stderr,
      /^error: db\/migrations\/\d+_adopt_members\.sql: public\.members\.id must be of type uuid[^\n]+\n$/,
    );
    assertEquals(result.stderr.includes("postgres://"), false);
  });

  it("demo adds nobody to an application's own members", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    await project.run("migrate", [], environment);
    const result = await project.run("demo", [], environment);
    assertEquals(result.code, 1);
    assertStringIncludes(result.stderr, "error: public.members is an application's own table");
  });
});
