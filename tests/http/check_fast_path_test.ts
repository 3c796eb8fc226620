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
      for (const scheme of ["http", "https", "http"]) {
        const options = { headers: { "X-Forwarded-Proto": scheme } };
        const past = await check(id, options);
        const through = await service.call(
          `GET /v1/members/${id}/assignment?trainerId=${DEFAULT_TRAINER_ID}`,
          options,
        );
        assertEquals(past.headers.has("strict-transport-security"), scheme === "https");
        assertEquals(await describeAnswer(past), await describeAnswer(through));
      }
    }
  });

  it("has the same time as the list of assignments, however the server prints it", async () => {
    const [id = ""] = members;
    for (
      const [stored, written] of [
        ["2026-11-24 00:21:12+00", "2026-11-24T00:21:12.000Z"],
        ["2026-11-24 00:21:12.1+00", "2026-11-24T00:21:12.100Z"],
        ["2024-02-29 23:59:59.999999+14", "2024-02-29T09:59:59.999Z"],
        ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000Z"],
        ["0001-01-01 00:00:00+00 BC", null],
        ["12026-11-24 00:21:12+00", null],
        ["infinity", null],
      ] as const
    ) {
      await service.sql`
        update public.trainer_client_assignments
        set assignment_date = ${stored}::text::timestamptz
        where client_id = ${id}
      `;
      const { assignment } = await (await check(id)).json();
      assertEquals(assignment.assignmentDate, written);
      const { assignments } = await (await service.call(`GET /v1/members/${id}/assignments`)).json();
      assertEquals(assignments[0].assignmentDate, written);
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
