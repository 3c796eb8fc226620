import { Buffer } from "node:buffer";
import { assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { readCursor, writeCursor } from "../../src/http/paging.ts";
import { Problem } from "../../src/http/problems.ts";
import { cancelRun, startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const LIST = `clients/${DEFAULT_TRAINER_ID}/active`;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const refuses = (cursor: string, list = LIST) => {
  const error = assertThrows(() => readCursor(list, cursor), Problem);
  assertEquals(error.code, "invalid_cursor");
};

describe("a cursor", () => {
  it("leads back to its place in its list", () => {
    fc.assert(fc.property(fc.uuid(), fc.string(), (id, list) => {
      assertEquals(readCursor(list, writeCursor(list, id)), id);
    }));
  });

  it("is refused when any single character is changed", () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.nat(43),
        fc.constantFrom(...ALPHABET, "+", "/", "=", " ", "é", "\0"),
        (id, at, character) => {
          const cursor = writeCursor(LIST, id);
          fc.pre(cursor[at] !== character);
          refuses(cursor.slice(0, at) + character + cursor.slice(at + 1));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is refused when its last character is any of the 63 others", () => {
    const cursor = writeCursor(LIST, DEFAULT_TRAINER_ID);
    for (const last of ALPHABET) if (!cursor.endsWith(last)) refuses(cursor.slice(0, -1) + last);
  });

  it("is refused when it is cut, extended, padded, doubled or invented", () => {
    fc.assert(fc.property(fc.uuid(), fc.nat(43), fc.string({ minLength: 1 }), (id, at, text) => {
      const cursor = writeCursor(LIST, id);
      refuses(cursor.slice(0, at));
      refuses(cursor + text);
      refuses(text + cursor);
      if (text !== cursor) refuses(text);
    }));
  });

  it("is refused when its id is replaced", () => {
    fc.assert(fc.property(fc.uuid(), fc.uuid(), (id, otherId) => {
      fc.pre(id !== otherId);
      const bytes = Buffer.from(writeCursor(LIST, id), "base64url");
      Buffer.from(otherId.replaceAll("-", ""), "hex").copy(bytes, 1);
      refuses(bytes.toString("base64url"));
    }));
  });

  it("is refused by every other list", () => {
    fc.assert(fc.property(fc.uuid(), fc.uuid(), (id, trainerId) => {
      const cursor = writeCursor(LIST, id);
      for (
        const list of [
          `clients/${trainerId}/active`,
          `clients/${DEFAULT_TRAINER_ID}/inactive`,
          "backfills",
          "failures",
        ]
      ) {
        refuses(cursor, list);
      }
    }));
  });
});

describe("paging over HTTP", () => {
  let service: TestService;
  let members: string[];
  const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
  beforeAll(async () => {
    service = await testService();
    members = await addMembers(service.sql, 250);
  });
  afterAll(() => service.stop());

  it("answers 100 rows by default", async () => {
    const page = await (await service.call(`GET ${path}`)).json();
    assertEquals(page.clients.length, 100);
  });

  it("links to the next page, with the filters, until the last one", async () => {
    const found: string[] = [];
    let request: string | undefined = `${path}?status=active&limit=90`;
    while (request !== undefined) {
      const response = await service.call(`GET ${request}`);
      const link: string | null = response.headers.get("Link");
      const page: { clients: { clientId: string }[]; next: string | null } = await response.json();
      found.push(...page.clients.map(({ clientId }) => clientId));
      request = link?.match(/^<(.*)>; rel="next"$/)?.[1];
      assertEquals(page.next === null, request === undefined);
      if (request !== undefined) {
        assertMatch(request, new RegExp(`^${path}\\?status=active&limit=90&cursor=${page.next}$`));
      }
    }
    assertEquals(found.toSorted(), members);
  });

  it("has no next page when the limit equals the number of rows", async () => {
    const page = await (await service.call(`GET ${path}?limit=250`)).json();
    assertEquals([page.clients.length, page.next], [250, null]);
  });

  it("ends a page of runs before it has over 1 MB, whatever the limit", async () => {
    const { sql } = service;
    const { id } = await startBackfill(sql, { requestedBy: "a test" });
    await cancelRun(sql, id, "a test");
    await sql.begin(async (transaction) => {
      await transaction`set local session_replication_role = replica`;
      await transaction`
        insert into assignment.backfill_runs
        select made.*
        from assignment.backfill_runs r
        cross join generate_series(1, 150) as n
        cross join lateral jsonb_populate_record(
          r,
          jsonb_build_object('id', gen_random_uuid(), 'requested_by', repeat('é', case when n % 5 = 0 then 60000 else 1 end))
        ) as made
        where r.id = ${id}
      `;
    });
    const all = await sql<{ id: string }[]>`select id from assignment.backfill_runs order by id desc`;
    const sizes: number[] = [];
    const found: string[] = [];
    let cursor = "";
    do {
      const response = await service.call(`GET /v1/backfills?limit=120${cursor}`);
      const text = await response.text();
      const page: { runs: { id: string }[]; next: string | null } = JSON.parse(text);
      found.push(...page.runs.map((run) => run.id));
      sizes.push(Buffer.byteLength(text));
      assertEquals(response.headers.has("Link"), page.next !== null);
      cursor = page.next === null ? "" : `&cursor=${page.next}`;
    } while (cursor !== "");
    assertEquals(found, all.map((run) => run.id));
    assertGreater(sizes.length, 3); // the rows have over 3.6 MB
    for (const size of sizes) assertGreater(1_010_000, size);
  });

  it("answers 400 to any tampered cursor", async () => {
    const { next } = await (await service.call(`GET ${path}?limit=1`)).json();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), fc.nat(43)), async (tampering) => {
        const cursor = typeof tampering === "string"
          ? tampering
          : next.slice(0, tampering) + (next[tampering] === "A" ? "B" : "A") + next.slice(tampering + 1);
        const response = await service.call(`GET ${path}?limit=1&cursor=${encodeURIComponent(cursor)}`);
        assertEquals([response.status, (await response.json()).code], [400, "invalid_cursor"]);
      }),
    );
  });

  it("answers 400 to a cursor of another status, trainer or list", async () => {
    const { next } = await (await service.call(`GET ${path}?limit=1`)).json();
    const others = [
      `${path}?status=inactive&cursor=`,
      `/v1/trainers/${members[0]}/clients?cursor=`,
      "/v1/failures?cursor=",
      "/v1/backfills?cursor=",
    ];
    for (const other of others) {
      const response = await service.call(`GET ${other}${next}`);
      assertEquals([response.status, (await response.json()).code], [400, "invalid_cursor"], other);
    }
  });

  it("neither skips nor repeats while inserts go on", async () => {
    const inserting = new AbortController();
    const inserts = (async () => {
      let inserted = 0;
      while (!inserting.signal.aborted) inserted += (await addMembers(service.sql, 3)).length;
      return inserted;
    })();

    const found: string[] = [];
    let next: string | null = null;
    do {
      const cursor: string = next === null ? "" : `&cursor=${next}`;
      const page: { clients: { clientId: string }[]; next: string | null } = await (
        await service.call(`GET ${path}?limit=20${cursor}`)
      ).json();
      found.push(...page.clients.map(({ clientId }) => clientId));
      next = page.next;
    } while (next !== null && found.length < 2_000);
    inserting.abort();

    assertGreater(await inserts, 0);
    assertEquals(new Set(found).size, found.length);
    assertEquals(members.filter((member) => !found.includes(member)), []);
  });
});
