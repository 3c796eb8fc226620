import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const ABSENT_ID = "00000000-0000-0000-0000-00000000dead";
const EMPTY = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules: [] };
const nobody = (name: string, when?: unknown) => ({ name, when, assign: { choose: "nobody" } });

describe("the policy over HTTP", () => {
  let service: TestService;
  beforeEach(async () => {
    service = await testService();
  });
  afterEach(() => service.stop());

  const get = async (path = "/v1/policy") => await (await service.call(`GET ${path}`)).json();

  async function put(json: unknown, ifMatch = "*", query = "") {
    const response = await service.call(`PUT /v1/policy${query}`, { json, headers: { "If-Match": ifMatch } });
    return { status: response.status, etag: response.headers.get("ETag"), body: await response.json() };
  }

  /** The status, the code and what the errors point at. */
  async function refusal(json: unknown, ifMatch?: string, query?: string) {
    const { status, body: { code, errors = [] } } = await put(json, ifMatch, query);
    return [status, code, errors.map(({ pointer }: { pointer: string }) => pointer)];
  }

  it("is at first version 1, the default trainer alone", async () => {
    const { createdAt: _, ...policy } = await get();
    assertEquals(policy, { version: 1, policy: EMPTY, comment: null, createdBy: "migration" });
  });

  it("is sent again only when it has changed", async () => {
    const first = await service.call("GET /v1/policy");
    assertEquals(first.headers.get("ETag"), '"1"');
    const again = (tag: string) => service.call("GET /v1/policy", { headers: { "If-None-Match": tag } });
    for (const tag of ['"1"', 'W/"1"', '"7", "1"', "*"]) {
      const response = await again(tag);
      assertEquals([response.status, response.headers.get("ETag"), await response.text()], [304, '"1"', ""]);
    }
    await put({ ...EMPTY, respectsOtherTrainers: true });
    const changed = await again('"1"');
    assertEquals([changed.status, (await changed.json()).version], [200, 2]);
  });

  it("changes for members who sign up after it, recording who changed it and why", async () => {
    const [before = "", trainer = ""] = await addMembers(service.sql, 2);

    const { status, etag, body } = await put(
      { defaultTrainerId: trainer.toUpperCase() },
      '"1"',
      "?comment=her+turn",
    );

    assertEquals([status, etag, body.warnings], [200, '"2"', []]);
    const { version, policy, comment, createdBy } = await get();
    assertEquals({ version, policy, comment, createdBy }, {
      version: 2,
      policy: { ...EMPTY, defaultTrainerId: trainer },
      comment: "her turn",
      createdBy: "ops",
    });
    const [after = ""] = await addMembers(service.sql, 1);
    const isAssigned = async (member: string, trainerId: string) =>
      (await get(`/v1/members/${member}/assignment?trainerId=${trainerId}`)).assigned;
    assertEquals(await isAssigned(after, trainer), true);
    assertEquals(await isAssigned(before, trainer), false);
    assertEquals(await isAssigned(before, DEFAULT_TRAINER_ID), true);
  });

  it("changes only for who says which version they changed", async () => {
    const changed = { ...EMPTY, respectsOtherTrainers: true };
    const unsaid = await service.call("PUT /v1/policy", { json: changed });
    assertEquals([unsaid.status, (await unsaid.json()).code], [428, "precondition_required"]);
    assertEquals(await refusal(changed, '"2"'), [412, "policy_changed", []]);
    for (const tag of ["1", '"one"', '"1", "2"', "", '"0"']) {
      assertEquals(await refusal(changed, tag), [400, "invalid_request", ["/header/If-Match"]], tag);
    }
    assertEquals((await get()).version, 1);
    assertEquals((await put(changed, 'W/"1"')).etag, '"2"', "a proxy may weaken it");
    assertEquals((await put(EMPTY, "*")).etag, '"3"');
  });

  it("changes once when two change it at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => put({ ...EMPTY, rules: [nobody(`Rule ${index}`)] }, '"1"')),
    );
    assertEquals(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(412)]);
    assertEquals((await get()).version, 2);
  });

  it("makes no version of what is in force, also when a request is repeated", async () => {
    const changed = { ...EMPTY, rules: [nobody("Nobody")] };
    assertEquals((await put(changed, '"1"')).etag, '"2"');
    const { status, etag, body } = await put(changed, '"1"');
    assertEquals([status, etag, body.version], [200, '"2"', 2]);
    assertEquals((await get()).version, 2);
  });

  it("points at every error of its form and of the database at once", async () => {
    const rules = [
      { name: "A", when: { field: "emial", op: "exists" }, assign: { choose: "nobody" } },
      { name: "A", when: { all: [{ field: "email", op: "like", value: "x" }, { any: [] }] } },
      { name: "C", assign: { choose: "spread", trainers: [{ trainerId: ABSENT_ID }] }, wen: {} },
      { name: "D", assign: { choose: "all", trainers: [{ trainerId: ABSENT_ID }] } },
      { name: "E", when: { field: "created_at", op: "lt", value: 3 }, assign: { choose: "nobody" } },
      { name: "F", when: { not: { field: "id", op: "in", value: ["x", ["y"]] } }, assign: { choose: "one" } },
    ];
    const { status, body } = await put({ defaultTrainerId: ABSENT_ID, rules, respects: true });
    assertEquals([status, body.code], [400, "invalid_request"]);
    assertEquals(body.errors.map(({ pointer }: { pointer: string }) => pointer), [
      "/body/defaultTrainerId",
      "/body/respects",
      "/body/rules/0/when/field",
      "/body/rules/1/assign",
      "/body/rules/1/when/all/0/op",
      "/body/rules/1/when/all/1/any",
      "/body/rules/2/wen",
      "/body/rules/3/assign/trainers/0/trainerId",
      "/body/rules/4/when/value",
      "/body/rules/5/assign/choose",
      "/body/rules/5/when/not/value/1",
    ]);
    for (const { detail } of body.errors) assertMatch(detail, /\w/);
  });

  it("is 422 where only the database finds an error", async () => {
    assertEquals(await refusal({ defaultTrainerId: ABSENT_ID }), [422, "policy_invalid", [
      "/body/defaultTrainerId",
    ]]);
    const rules = Array.from(
      { length: 12 },
      (_, index) => nobody(`${index}`, { field: "a~/b", op: "exists" }),
    );
    assertEquals(
      (await refusal({ ...EMPTY, rules }))[2],
      rules.map((_, index) => `/body/rules/${index}/when/field`),
    );
    assertEquals((await get()).version, 1);
  });

  it("refuses what goes beyond its bounds", async () => {
    const test = { field: "email", op: "exists" };
    const deep = (levels: number): unknown => levels === 1 ? test : { not: deep(levels - 1) };
    const rule = (when: unknown) => ({ ...EMPTY, rules: [nobody("R", when)] });
    const many = (count: number) => Array.from({ length: count }, (_, index) => nobody(`${index}`, test));
    const cases: [unknown, string[]][] = [
      [{ ...EMPTY, rules: many(101) }, ["/body/rules"]],
      [rule(deep(6)), ["/body/rules/0/when/not/not/not/not/not"]],
      [rule({ any: [{ all: Array(30).fill(test) }, { all: Array(21).fill(test) }] }), ["/body/rules/0/when"]],
      [rule({ field: "email", op: "in", value: Array(101).fill("x") }), ["/body/rules/0/when/value"]],
      [rule({ field: "email", op: "eq", value: "x".repeat(1001) }), ["/body/rules/0/when/value"]],
      [rule({ field: "email", op: "eq", value: "\0" }), ["/body/rules/0/when/value"]],
      [rule({ field: "email", op: "exists", value: null }), ["/body/rules/0/when/value"]],
      [rule({ field: "email", op: "eq" }), ["/body/rules/0/when/value"]],
      [rule({ all: [test], op: "eq" }), ["/body/rules/0/when/op"]],
      [{ ...EMPTY, rules: [nobody("x".repeat(201))] }, ["/body/rules/0/name"]],
      [{ ...EMPTY, rules: { 0: nobody("R") } }, ["/body/rules"]],
      [{}, ["/body/defaultTrainerId"]],
    ];
    for (const [json, pointers] of cases) {
      assertEquals(
        await refusal(json),
        [400, "invalid_request", pointers],
        JSON.stringify(json).slice(0, 200),
      );
    }
    assertEquals(await refusal(EMPTY, "*", `?comment=${"x".repeat(1001)}`), [400, "invalid_request", [
      "/query/comment",
    ]]);
    assertEquals((await put(rule(deep(5)))).status, 200);
    assertEquals((await put({ ...EMPTY, rules: many(100) })).status, 200);
  });

  it("warns of rules that never match", async () => {
    const { status, body } = await put({ ...EMPTY, rules: [nobody("All"), nobody("Late")] });
    assertEquals([status, body.warnings.length], [200, 1]);
    assertEquals(body.warnings[0].pointer, "/body/rules/1");
  });

  it("may have no default trainer: whom no rule takes is then a recorded failure", async () => {
    const { status, body } = await put({ defaultTrainerId: null });
    assertEquals([status, body.policy?.defaultTrainerId], [200, null]);
    const [member = ""] = await addMembers(service.sql, 1);
    const { failures } = await get("/v1/failures");
    assertEquals(failures.map(({ memberId }: { memberId: string }) => memberId), [member]);
  });

  it("keeps all its versions, listed page by page, newest first", async () => {
    for (const choice of [true, false, true]) await put({ ...EMPTY, respectsOtherTrainers: choice });
    const first = await get("/v1/policy/versions?limit=3");
    const second = await get(`/v1/policy/versions?limit=3&cursor=${first.next}`);
    const versions = [...first.versions, ...second.versions].map(({ version }) => version);
    assertEquals([versions, second.next], [[4, 3, 2, 1], null]);
    const { version, defaultTrainerId, rules, createdBy } = first.versions[0];
    assertEquals({ version, defaultTrainerId, rules, createdBy }, {
      version: 4,
      defaultTrainerId: DEFAULT_TRAINER_ID,
      rules: 0,
      createdBy: "ops",
    });
    assertEquals((await get("/v1/policy/versions/2")).policy.respectsOtherTrainers, true);
    assertEquals((await get("/v1/policy/versions/9")).code, "policy_version_not_found");
    assertEquals((await get("/v1/policy/versions/0")).code, "invalid_request");
  });

  it("is put again as it was answered", async () => {
    const rules = [
      nobody("Nobody", {
        any: [{ not: { field: "email", op: "exists" } }, { field: "email", op: "eq", value: "x" }],
      }),
      { name: "One", assign: { choose: "spread", trainers: [{ trainerId: DEFAULT_TRAINER_ID }] } },
      { name: "Named", assign: { choose: "field", field: "display_name", whenFull: "wait" } },
    ];
    await put({ ...EMPTY, rules });
    const { policy } = await get();
    assertEquals(policy.rules[1].assign, {
      choose: "spread",
      trainers: [{ trainerId: DEFAULT_TRAINER_ID, weight: 1 }],
      whenFull: "next",
    });
    assertEquals((await put(policy, '"2"')).etag, '"2"');
  });
});
