import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { checkHealth } from "../../src/operation/health.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("the search for members over HTTP", () => {
  let service: TestService;
  let anna: string;
  beforeAll(async () => {
    service = await testService();
    const [row] = await service.sql<[{ id: string }]>`
      insert into public.members (email, display_name) values ('anna@example.com', 'Anna Berg') returning id
    `;
    anna = row.id;
  });
  afterAll(() => service.stop());

  const search = (query: string) => service.call(`GET /v1/members?${query}`);

  it("answers with names, e-mails and ids", async () => {
    assertEquals(await (await search("search=ANNA")).json(), {
      members: [{ memberId: anna, name: "Anna Berg", email: "anna@example.com" }],
      partial: false,
      more: false,
    });
    assertEquals((await (await search(`search=${anna.slice(0, 8)}`)).json()).members.length, 1);
    assertEquals((await (await search(`search=${encodeURIComponent(" anna@ ")}`)).json()).members.length, 1);
  });

  it("returns as many as the limit", async () => {
    await addMembers(service.sql, 60);
    await service.sql`update public.members set display_name = 'Same name' where display_name is null`;
    const { members, more } = await (await search("search=same")).json();
    assertEquals([members.length, more], [20, true]);
    assertEquals((await (await search("search=same&limit=50")).json()).members.length, 50);
  });

  it("refuses what is no search, each by its pointer", async () => {
    for (
      const [query, pointer] of [
        ["", "/query/search"],
        ["search=", "/query/search"],
        ["search=%20", "/query/search"],
        [`search=${"a".repeat(201)}`, "/query/search"],
        ["search=%00", "/query/search"],
        ["search=a&limit=0", "/query/limit"],
        ["search=a&limit=51", "/query/limit"],
        ["search=a&search=b", "/query/search"],
      ] as const
    ) {
      const response = await search(query);
      const { errors } = await response.json();
      assertEquals([response.status, errors[0].pointer], [400, pointer], query);
    }
    assertEquals((await search(`search=${"ä".repeat(200)}`)).status, 200);
  });

  it("is for admins and viewers: a service's token gets no e-mails", async () => {
    assertEquals((await service.call("GET /v1/members?search=anna", { as: "service" })).status, 403);
    assertEquals((await service.call("GET /v1/members?search=anna", { as: "viewer" })).status, 200);
  });

  it("is not in the log", async () => {
    await search("search=secret-name@example.com");
    await search(`search=secret-name${"x".repeat(300)}`);
    assert(!JSON.stringify(service.logged).includes("secret-name"));
  });
});

describe("the columns with names and e-mails", () => {
  let service: TestService;
  const asked = (column: string) => ({ column, isRequired: true });
  const memberColumns = { name: asked("full name"), email: asked("mail") };
  beforeAll(async () => {
    service = await testService({ memberColumns });
  });
  afterAll(() => service.stop());

  const namesCheck = async () => (await (await service.call("GET /readyz")).json()).checks.names;

  it("make the service degraded while they are missing, and break nothing", async () => {
    assertEquals(await namesCheck(), {
      status: "degraded",
      detail: "MEMBER_NAME_COLUMN: members has no column full name: change the variable; " +
        "MEMBER_EMAIL_COLUMN: members has no column mail: change the variable",
    });
    const { members } = await (await service.call("GET /v1/members?search=default")).json();
    assertEquals(members, []);
  });

  it("make it degraded while the service may not read them, with the grant that allows it", async () => {
    await service.sql`alter table public.members add column "full name" text, add column mail text`;
    await service.sql`update public.members set "full name" = 'Full name', mail = 'f@example.com'`;
    const { status, detail } = await namesCheck();
    assertEquals(status, "degraded");
    const [statement = ""] = /grant select \("full name"\) on public\.members to "\w+"/.exec(detail) ?? [];
    await service.sql.unsafe(statement);
    assertStringIncludes((await namesCheck()).detail, "may not read the column mail");
  });

  it("are granted by grant_service, which grants no other then", async () => {
    const [{ role }] = await service.sql<[{ role: string }]>`
      select regexp_replace(${(await namesCheck()).detail}, '.* to "(.*)"$', '\\1') as role
    `;
    await service.sql`revoke select on public.members from ${service.sql(role)}`;
    await service.sql`revoke select (email, display_name) on public.members from ${service.sql(role)}`;
    await service.sql`select assignment.grant_service(${role}, '{full name,mail}')`;
    await service.sql`select assignment.grant_service(${role})`; // as after a migration
    const rows = await service.sql<{ name: string }[]>`
      select attname::text as name
      from pg_attribute
      where attrelid = 'public.members'::regclass and attnum > 0 and not attisdropped
        and has_column_privilege(${role}, attrelid, attnum, 'select')
      order by name
    `;
    assertEquals(rows.map(({ name }) => name), ["full name", "id", "mail"]);
    assertEquals((await namesCheck()).status, "ok");
    const { members } = await (await service.call("GET /v1/members?search=full")).json();
    assertEquals([members[0].name, members[0].email], ["Full name", "f@example.com"]);
  });

  it("are refused by grant_service if there is no such column", async () => {
    const error = await service.sql`select assignment.grant_service('pg_monitor', '{full name,gone}')`
      .catch((error) => error);
    assertEquals([error.code, error.message], ["42703", "public.members has no column gone"]);
  });

  it("can be off: members are then shown by their ids", async () => {
    const { checks } = await checkHealth(service.sql, { memberColumns: { name: null, email: null } });
    assertEquals(checks.names, {
      status: "ok",
      detail: "members are shown by their ids: there is no column to read",
    });
  });

  it("are said to be searched as a whole once they have trigram indexes", async () => {
    await service.sql`create extension pg_trgm`;
    await service.sql`create index on public.members using gin ("full name" gin_trgm_ops, mail gin_trgm_ops)`;
    assertEquals((await namesCheck()).detail, "read from full name and mail; searches find every member");
  });
});
