/** What the database can hold and a Date or a number of JavaScript cannot: it ends no list, no page and no download. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createClient } from "trainer-assignment-client";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { get, HOME, signIn } from "./admin_page.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

const CLIENTS = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;

/** As the database has it, and as the API shows it. */
const TIMES: readonly [written: string, shown: string | null][] = [
  ["infinity", null],
  ["-infinity", null],
  ["0044-03-15 12:00:00+00 BC", null],
  ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000Z"],
  ["0049-12-31 23:59:59.999999+00", "0049-12-31T23:59:59.999Z"],
  ["2026-03-04 05:06:07+00", "2026-03-04T05:06:07.000Z"],
  ["9999-12-31 23:59:59.999999+00", "9999-12-31T23:59:59.999Z"],
  ["10000-01-01 00:00:00+00", null],
  ["294276-12-31 23:59:59+00", null],
];
const SHOWN = TIMES.map(([, shown]) => shown);

describe("times out of range", () => {
  let service: TestService;
  let members: string[];
  let cookie: string;
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    service = await testService();
    const { sql } = service;
    for (const [time] of TIMES) {
      const [id = ""] = await addMembers(sql, 1);
      await sql`
        update public.trainer_client_assignments set assignment_date = ${time}::text::timestamptz where client_id = ${id}
      `;
      await sql`
        insert into assignment.failures
          (member_id, sqlstate, message, source, attempts, first_failed_at, last_failed_at, next_attempt_at)
        values (
          ${id}, '23514', 'refused', 'trigger', 2147483647,
          ${time}::text::timestamptz, ${time}::text::timestamptz, ${time}::text::timestamptz
        )
      `;
    }
    const rows = await sql<{ clientId: string }[]>`
      select client_id from public.trainer_client_assignments order by id
    `;
    members = rows.map(({ clientId }) => clientId);
    cookie = await signIn(service);
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  const dates = (clients: { assignmentDate: string | null }[]) => clients.map((each) => each.assignmentDate);

  it("are null in lists, and the pages continue after them", async () => {
    const found: (string | null)[] = [];
    let cursor = "";
    do {
      const response = await service.call(`GET ${CLIENTS}?limit=2${cursor}`);
      const { clients, next } = await response.json();
      found.push(...dates(clients));
      cursor = next === null ? "" : `&cursor=${next}`;
    } while (cursor !== "");
    assertEquals(found, SHOWN);
  });

  it("are null in NDJSON and empty in CSV", async () => {
    const headers = { Accept: "application/x-ndjson", Authorization: `Bearer ${TOKENS.service}` };
    const ndjson = await service.app.request(CLIENTS, { headers });
    const lines = (await ndjson.text()).trim().split("\n");
    assertEquals(dates(lines.map((line) => JSON.parse(line))), SHOWN);
    const csv = await service.call(`GET ${CLIENTS}`, { headers: { Accept: "text/csv" } });
    const rows = (await csv.text()).trim().split("\r\n").slice(1);
    assertEquals(rows.map((row) => row.split(",")[2]), SHOWN.map((shown) => shown ?? ""));
  });

  it("leave a member assigned, in single and bulk checks", async () => {
    for (const [index, member] of members.entries()) {
      const response = await service.call(`GET /v1/members/${member}/assignment`);
      const { assigned, assignment } = await response.json();
      assertEquals([assigned, assignment.assignmentDate], [true, SHOWN[index]]);
    }
    const many = await service.call("POST /v1/assignments/check", { json: { memberIds: members } });
    const { results } = await many.json();
    assert(results.every(({ assigned }: { assigned: boolean }) => assigned));
  });

  it("are null in the list of failures, and shown by health and metrics without harm", async () => {
    const response = await service.call("GET /v1/failures?limit=4");
    assertEquals((await response.json()).failures.length, 4);
    const all = await (await service.call("GET /v1/failures")).json();
    const order = new Map(members.map((member, index) => [member, SHOWN[index]]));
    for (const { memberId, firstFailedAt, lastFailedAt, nextAttemptAt } of all.failures) {
      const shown = order.get(memberId);
      assertEquals([firstFailedAt, lastFailedAt, nextAttemptAt], [shown, shown, shown]);
    }
    const ready = await service.call("GET /readyz");
    const { status, checks } = await ready.json();
    assertEquals([ready.status, status], [200, "degraded"]);
    assertStringIncludes(
      checks.failures.detail,
      "9 waiting for a retry, the oldest since a time out of range",
    );
    assertMatch(
      await (await service.call("GET /metrics")).text(),
      /^trainer_assignment_failures_pending\{reason="other"\} 9$/m,
    );
  });

  it("are described on the admin page", async () => {
    const [infinite = ""] = members;
    const paths = [
      HOME,
      `${HOME}/failures`,
      `${HOME}/members?q=${infinite}`,
      `${HOME}/trainers/${DEFAULT_TRAINER_ID}`,
    ];
    for (const path of paths) {
      const response = await get(service, path, cookie);
      const text = await response.text();
      assertEquals(response.status, 200, path);
      if (path !== HOME) assertStringIncludes(text, "a time out of range");
    }
  });

  it("are null to the typed client", async () => {
    const client = createClient({ baseUrl: server.url, token: TOKENS.service });
    const { clients } = await client.listTrainerClients({ trainerId: DEFAULT_TRAINER_ID });
    assertEquals(dates(clients), SHOWN);
    assertEquals(
      dates(await Array.fromAsync(client.readRows("listTrainerClients", { trainerId: DEFAULT_TRAINER_ID }))),
      SHOWN,
    );
  });

  it("and a counter at its maximum do not stop retries", async () => {
    const { sql } = service;
    await sql`delete from public.trainer_client_assignments`;
    await sql`alter table public.trainer_client_assignments add constraint nobody check (false) not valid`;
    const failed = await service.call("POST /v1/failures/retry");
    assertEquals(await failed.json(), { retried: 9, succeeded: 0, failed: 9 });
    await sql`alter table public.trainer_client_assignments drop constraint nobody`;
    const succeeded = await service.call("POST /v1/failures/retry");
    assertEquals(await succeeded.json(), { retried: 9, succeeded: 9, failed: 0 });
  });

  it("are null in the answer to a repeated assignment", async () => {
    for (const [index, member] of members.entries()) {
      await service.sql`
        update public.trainer_client_assignments
        set assignment_date = ${TIMES[index]?.[0] ?? ""}::text::timestamptz
        where client_id = ${member}
      `;
      const response = await service.call(`PUT ${CLIENTS}/${member}`, { json: {} });
      assertEquals([response.status, (await response.json()).assignment.assignmentDate], [200, SHOWN[index]]);
    }
  });
});
