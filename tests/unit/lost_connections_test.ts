import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { closeDatabase, type DatabaseOptions, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { type Proxy, startProxy } from "../faults/proxy.ts";
import { createAuthority } from "../support/certificates.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";
import { waitUntil } from "../support/wait_until.ts";

describe("a connection that is lost", () => {
  let folder: string;
  let server: TestServer;
  let proxy: Proxy;
  let sql: Sql;

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-" });
    server = await startTestServer();
    await (await createAuthority(folder, "own")).install(server, "DNS:localhost");
    await server.stop();
    await server.start();
    sql = openDatabase(server.url, { max: 2, applicationName: "test" });
  });
  afterAll(async () => {
    await closeDatabase(sql, 1);
    await server.remove();
    await Deno.remove(folder, { recursive: true });
  });
  beforeEach(async () => {
    proxy = await startProxy({ to: Number(new URL(server.url).port) });
  });
  afterEach(() => proxy.close());

  async function withPool(
    { max = 1, sslmode = "disable", ...options }: Partial<DatabaseOptions> & { sslmode?: string },
    work: (pool: Sql) => Promise<void>,
  ): Promise<void> {
    const url = `${proxy.url(server.url)}?sslmode=${sslmode}`;
    const pool = openDatabase(url, { max, applicationName: "pool", ...options });
    await work(pool).finally(() => closeDatabase(pool, 0));
  }

  async function sleeps(): Promise<void> {
    await waitUntil("a statement sleeps", async () => {
      const [row] = await sql<[{ sleeps: boolean }]>`
        select exists (select from pg_stat_activity where state = 'active' and wait_event = 'PgSleep') as sleeps
      `;
      return row.sleeps;
    });
  }

  async function endSleepers(): Promise<void> {
    await sql`select pg_terminate_backend(pid, 10_000) from pg_stat_activity where wait_event = 'PgSleep'`;
  }

  for (const sslmode of ["disable", "require"]) {
    it(`is replaced in the pool, however often it happens, with sslmode=${sslmode}`, async () => {
      await withPool({ max: 4, sslmode }, async (pool) => {
        const answers = { right: 0, wrong: 0 };
        let isOver = false;
        const callers = Array.from({ length: 6 }, async (_, caller) => {
          for (let round = 0; !isOver; round++) {
            const asked = caller * 1_000_000 + round;
            // At once after a failure, in the moment in which connections break.
            const rows = await pool`select ${asked}::int as answer`.catch(() => null);
            if (rows !== null) answers[rows[0]?.answer === asked ? "right" : "wrong"] += 1;
          }
        });
        for (let resets = 0; resets < 6; resets++) {
          const { right } = answers;
          await waitUntil("it answers", () => answers.right > right + 20).catch((error) => {
            isOver = true;
            throw error;
          });
          proxy.setMode("reset");
          proxy.setMode("pass");
        }
        isOver = true;
        await Promise.all(callers);
        assertEquals(answers.wrong, 0);

        const sessions = await Promise.all(
          Array.from({ length: 4 }, () =>
            pool.begin(async (transaction) => {
              const [row] = await transaction<
                [{ pid: number }]
              >`select pg_backend_pid() as pid, pg_sleep(0.1)`;
              return row.pid;
            })),
        );
        assertEquals(new Set(sessions).size, 4);
      });
    });

    it(`is closed when no answer arrives, with sslmode=${sslmode}`, async () => {
      await withPool({ max: 3, sslmode, suspectAfterMs: 1_000, longestStatementMs: 1_000 }, async (pool) => {
        await Promise.all([1, 2, 3].map(() => pool`select pg_sleep(0.1)`));
        assertEquals(proxy.open(), 3);
        proxy.setMode("half_open");
        await assertRejects(() => pool`select 1`, Error, "CONNECTION_CLOSED");
        const [row] = await pool`select 2 as answer`; // those that rested are given up as well
        assertEquals(row, { answer: 2 });
      });
    });
  }

  it("is replaced by one other, also when a statement waits to be sent at the moment in which it breaks", async () => {
    await withPool({}, async (pool) => {
      for (let round = 0; round < 5; round++) {
        const [row] = await pool<[{ pid: number }]>`select pg_backend_pid() as pid`;
        const terminated = sql`select pg_terminate_backend(${row.pid})`.execute();
        const accepted = proxy.accepted();
        let isLost = false;
        const asked: Promise<unknown>[] = [];
        while (!isLost) {
          asked.push(pool`select 1`.catch(() => isLost = true));
          await new Promise((resolve) => setImmediate(resolve)); // in every turn of the event loop
        }
        await Promise.all([terminated, ...asked]);
        assertEquals([...await pool`select 2 as answer`], [{ answer: 2 }]);
        assertEquals(proxy.accepted(), accepted + 1, "one that stayed silent was replaced as well");
      }
    });
  });

  it("rejects when the server closes each new one", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const hangUp = (async () => {
      for await (const connection of listener) connection.close();
    })();
    const url = Object.assign(new URL(server.url), { port: String(listener.addr.port) }).href;
    const pool = openDatabase(url, { max: 1, applicationName: "pool" });
    for (let round = 0; round < 2; round++) await assertRejects(() => pool`select 1`, Error);
    await closeDatabase(pool, 0);
    listener.close();
    await hangUp;
  });

  it("is closed when answers arrive too slowly", async () => {
    await withPool({ suspectAfterMs: 2_500, longestStatementMs: 2_500 }, async (pool) => {
      await pool`select 1`;
      proxy.setMode("drip");
      await assertRejects(() => pool`select 2`, Error, "CONNECTION_CLOSED");
      proxy.setMode("pass");
      const [row] = await pool`select 3 as answer`;
      assertEquals(row, { answer: 3 });
    });
  });

  it("stays open while it answers, and while it is idle", async () => {
    await withPool({ suspectAfterMs: 1_000, longestStatementMs: 1_000 }, async (pool) => {
      const pid = async () => (await pool`select pg_backend_pid() as pid, pg_sleep(0.4)`)[0]?.pid;
      const first = await pid();
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // it rests
      assertEquals([await pid(), await pid(), await pid()], [first, first, first]);
    });
  });

  it("stays open while the server is at work", async () => {
    await withPool({ suspectAfterMs: 300 }, async (pool) => {
      const [row] = await pool`select pg_sleep(1.5), 'done' as answer`;
      assertEquals(row?.answer, "done");
    });
  });

  it("is closed when the server is not at work", async () => {
    await withPool({ suspectAfterMs: 300 }, async (pool) => {
      const cut = assertRejects(() => pool`select pg_sleep(60)`, Error, "CONNECTION_CLOSED");
      await sleeps();
      proxy.setMode("half_open");
      await endSleepers();
      await cut;
      const [row] = await pool`select 2 as answer`;
      assertEquals(row, { answer: 2 });
    });
  });

  it("is closed when an answer stops midway, even if the server waits to send the rest", async () => {
    await withPool({ suspectAfterMs: 500 }, async (pool) => {
      await assertRejects(
        () =>
          pool`select repeat('x', 10_000), pg_sleep(0.0001) from generate_series(1, 100_000)`
            .forEach(() => proxy.setMode("lost_path")),
        Error,
        "CONNECTION_CLOSED",
      );
      const [row] = await pool`select 2 as answer`;
      assertEquals(row, { answer: 2 });
    });
  });

  it("ends only its own transaction, at any point of it", async () => {
    await withPool({}, async (pool) => {
      const failure = new Error("of the work");
      for (
        const work of [
          () => pool.begin((transaction) => transaction`select pg_sleep(60)`),
          () => pool.begin("read only", (transaction) => transaction`select pg_sleep(60)`.then(() => {})),
          () =>
            pool.begin((transaction) =>
              transaction`select pg_sleep(60)`.catch(() => Promise.reject(failure))
            ),
        ]
      ) {
        const ended = work().then(
          () => "committed",
          (error) => error === failure ? "failed" : String(error.code),
        );
        await sleeps();
        proxy.setMode("reset");
        proxy.setMode("pass");
        assertMatch(await ended, /^ECONNRESET$|^failed$/);
        await endSleepers();
        assertEquals([...await pool`select 1 as one`], [{ one: 1 }]);
      }
    });
  });

  it("does not prevent a failed transaction from rolling back", async () => {
    await withPool({}, async (pool) => {
      await pool`create temporary table kept (id integer)`;
      const failure = new Error("of the work");
      const failed = await assertRejects(() =>
        pool.begin(async (transaction) => {
          await transaction`insert into kept values (1)`;
          throw failure;
        })
      );
      assertEquals(failed, failure);
      assertEquals([...await pool`select count(*) as rows from kept`], [{ rows: 0 }]);
    });
  });
});
