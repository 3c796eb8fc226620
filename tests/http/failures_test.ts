import { assertEquals, assertGreater } from "@std/assert";
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
    assertEquals(
      service.logged.filter(({ event }) => event === "assignment_failed").map((
        { memberId, source, code, attempts },
      ) => [memberId, source, code, attempts]),
      [["trigger", 1], ["retry", 2]].flatMap(([source, attempts]) =>
        members.map((member) => [member, source, "P0001", attempts])
      ),
    );

    await acceptAssignments(service.sql);
    const accepted = await service.call("POST /v1/failures/retry");
    assertEquals(await accepted.json(), { retried: 5, succeeded: 5, failed: 0 });
    assertEquals(await (await service.call("GET /v1/failures")).json(), { failures: [], next: null });
  });

  it("that are too many for one request become due, and it answers 202 with the number that remains", async () => {
    await refuseAssignments(service.sql, "true", "P0001");
    await addMembers(service.sql, 4_000);
    await acceptAssignments(service.sql);
    await service.database.newConnection().begin(async (locker) => {
      await locker`lock table public.trainer_client_assignments in access exclusive mode`; // a batch waits 2 s
      const answer = await service.call("POST /v1/failures/retry");
      assertEquals(answer.status, 202);
      const { retried, failed, succeeded, remaining } = await answer.json();
      assertEquals([succeeded, retried + remaining, retried], [0, 4_000, failed]);
      assertGreater(remaining, 0);
    });
    const [{ due } = { due: 0 }] = await service.sql<{ due: number }[]>`
      select count(*) as due from assignment.failures where attempts = 1 and next_attempt_at <= now()
    `;
    assertGreater(due, 0);
    await service.sql`delete from assignment.failures`;
  });
});
