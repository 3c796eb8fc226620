import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

/** What an application may do with its table, and the statement that the answer must hold. */
const CASES = [
  {
    what: "the table members was renamed",
    statements: "alter table members rename to app_members",
    detail: /^table public\.members was renamed to public\.app_members; run: (.+)$/,
  },
  {
    what: "the table members was moved to another schema",
    statements: "create schema app; alter table members set schema app",
    detail: /^table public\.members was renamed to app\.members; run: (.+)$/,
  },
  {
    what: "the table members was renamed and a view has its name",
    statements: "alter table members rename to people; create view members as select * from people",
    detail:
      /^public\.members is a view, which no foreign key can reference, and the table was renamed to public\.people; run: (.+)$/,
  },
  {
    what: "the schema public was renamed",
    statements: "alter schema public rename to app",
    detail: /^schema public was renamed to app; run: (.+)$/,
  },
  {
    what: "the column id was renamed",
    statements: "alter table members rename column id to member_id",
    detail: /^column id of public\.members was renamed to member_id; run: (.+)$/,
  },
];

describe("when the application has renamed its members", () => {
  let service: TestService;
  let memberId: string;
  beforeEach(async () => {
    service = await testService();
    [memberId = ""] = await addMembers(service.sql, 1);
  });
  afterEach(() => service.stop());

  const readHealth = async () => {
    const response = await service.call("GET /readyz", { as: "nobody" });
    const { status, checks } = await response.json();
    return { code: response.status, status, checks };
  };

  for (const { what, statements, detail } of CASES) {
    it(`is degraded, not unavailable, and says how to repair it when ${what}`, async () => {
      await service.sql.unsafe(statements);

      const { code, status, checks } = await readHealth();

      assertEquals([code, status], [200, "degraded"]);
      assertMatch(checks.schema.detail, detail);
      const [, remedy = ""] = detail.exec(checks.schema.detail) ?? [];
      await service.sql.unsafe(remedy);
      assertEquals((await readHealth()).status, "ready");
    });

    it(`answers normally or with 503, never 500, when ${what}`, async () => {
      await service.sql.unsafe(statements);
      const requests: [request: string, json?: unknown][] = [
        [`GET /v1/members/${memberId}/assignment`],
        ["POST /v1/assignments/check", { memberIds: [memberId] }],
        [`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`],
        [`PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`, {}],
        [`DELETE /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`],
        ["POST /v1/backfills", {}],
        ["GET /v1/backfills"],
        ["GET /v1/failures"],
        ["POST /v1/failures/retry"],
        ["GET /v1/policy"],
        ["PUT /v1/policy", { defaultTrainerId: DEFAULT_TRAINER_ID }],
        ["GET /metrics"],
      ];
      for (const [request, json] of requests) {
        const response = await service.call(request, {
          headers: { "If-Match": "*" },
          ...(json === undefined ? {} : { json }),
        });
        const code = response.headers.get("Content-Type")?.startsWith("application/problem")
          ? (await response.json()).code
          : (await response.body?.cancel(), "");
        const isFine = response.ok || (response.status === 503 && code === "database_unavailable");
        assertEquals(isFine, true, `${request}: ${response.status} ${code}`);
      }
    });
  }
});
