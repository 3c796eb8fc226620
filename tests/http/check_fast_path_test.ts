import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID, endAssignment } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { addMembers, requestInit, type TestService, testService } from "./test_service.ts";

describe("the fast path of a check", () => {
  let service: TestService;
  let members: string[];
  beforeAll(async () => {
    service = await testService();
    members = await addMembers(service.sql, 10);
    await (await check(members[0])).text(); // it learns the headers from the first
  });
  afterAll(() => service.stop());

  const check = (id = "", options?: Parameters<typeof service.call>[1]) =>
    service.call(`GET /v1/members/${id}/assignment`, options);
  const describeAnswer = async (response: Response) => {
    const headers = [...response.headers].filter(([name]) => name !== "x-request-id");
    return { status: response.status, headers, body: await response.text() };
  };

  it("has the same answers as the router, byte by byte", async () => {
    for (const id of members) {
      const past = await check(id);
      const through = await service.call(`GET /v1/members/${id}/assignment?trainerId=${DEFAULT_TRAINER_ID}`);
      assertEquals(await describeAnswer(past), await describeAnswer(through));
    }
  });

  it("gives each request an id, or keeps a valid one of its own", async () => {
    const ids = await Promise.all([check(members[0]), check(members[0])]);
    const [one, other] = ids.map((response) => response.headers.get("x-request-id"));
    assertNotEquals(one, other);
    const own = await check(members[0], { headers: { "X-Request-Id": "mine-1" } });
    assertEquals(own.headers.get("x-request-id"), "mine-1");
    const wild = await check(members[0], { headers: { "X-Request-Id": "a b" } });
    assertMatch(wild.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  });

  it("serves admins and services, and nobody else", async () => {
    const statuses = [];
    for (const as of ["admin", "service", "nobody"] as const) {
      statuses.push((await check(members[0], { as })).status);
    }
    for (const token of ["", "wrong", "Bearer", "admin-token-of-the-tes", "admin-token-of-the-test2"]) {
      const { headers } = requestInit("GET", { as: "nobody", headers: { Authorization: `Bearer ${token}` } });
      const response = await service.app.request(`/v1/members/${members[0]}/assignment`, {
        headers: headers ?? {},
      });
      statuses.push(response.status);
    }
    assertEquals(statuses, [200, 200, 401, 401, 401, 401, 401, 401]);
  });

  it("leaves errors to the router", async () => {
    const response = await check(newId());
    assertEquals([response.status, (await response.json()).code], [404, "member_not_found"]);
    assertEquals((await check("no-id")).status, 400);
  });

  it("accepts ids in capitals like the router", async () => {
    const response = await check(members[1]?.toUpperCase());
    assertEquals((await response.json()).memberId, members[1]);
  });

  it("sees every change that was committed before the request", async () => {
    for (const id of members.slice(2)) {
      assertEquals((await (await check(id)).json()).assigned, true);
      await endAssignment(service.sql, DEFAULT_TRAINER_ID, id);
      assertEquals((await (await check(id)).json()).assigned, false);
    }
  });

  it("logs successful checks only at debug, and others at info", async () => {
    const levelOf = async (id: string | undefined) => {
      const requestId = newId();
      await check(id, { headers: { "X-Request-Id": requestId } });
      const lines = service.logged.filter((line) => line.requestId === requestId);
      return lines.map(({ level, route, status, token }) => [level, route, status, token]);
    };
    const route = "/v1/members/:memberId/assignment";
    assertEquals(await levelOf(members[0]), [["debug", route, 200, "ops"]]);
    assertEquals(await levelOf(newId()), [["info", route, 404, "ops"]]);
  });
});
