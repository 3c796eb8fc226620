import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("failures over HTTP", () => {
  let service: TestService;
  let members: string[];
  beforeAll(async () => {
    service = await testService();
    await refuseAssignments(service.sql, "true", "P0001");
    members = await addMembers(service.sql, 5);
  });
  afterAll(() => service.stop());

  it("are listed by member, with the reason, in pages", async () => {
    const first = await (await service.call("GET /v1/failures?limit=3")).json();
    const second = await (await service.call(`GET /v1/failures?limit=3&cursor=${first.next}`)).json();
    const failures = [...first.failures, ...second.failures];
    assertEquals(failures.map(({ memberId }) => memberId), members);
    assertEquals(failures[0].sqlstate, "P0001");
    assertEquals(failures[0].source, "trigger");
    assertEquals(second.next, null);
  });

  it("stay when a retry fails, and go when it succeeds", async () => {
    const refused = await service.call("POST /v1/failures/retry");
    assertEquals(await refused.json(), { retried: 5, succeeded: 0, failed: 5 });

    await acceptAssignments(service.sql);
    const accepted = await service.call("POST /v1/failures/retry");
    assertEquals(await accepted.json(), { retried: 5, succeeded: 5, failed: 0 });
    assertEquals(await (await service.call("GET /v1/failures")).json(), { failures: [], next: null });
  });
});
