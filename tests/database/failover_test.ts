import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase, resolveDatabaseUrl } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { migrateUp } from "../../src/database/migrate.ts";
import { startTestServer, type TestServer } from "../support/servers.ts";
import { joinHosts, startStandby } from "../support/standby.ts";

describe("a database URL with two hosts", () => {
  let primary: TestServer;
  let standby: TestServer;
  let url: string;
  let sql: Sql;
  beforeAll(async () => {
    primary = await startTestServer();
    standby = await startStandby(primary);
    url = joinHosts(standby, primary);
    sql = openDatabase(url, { max: 3, applicationName: "test" });
  });
  afterAll(async () => {
    await closeDatabase(sql, 1);
    await standby.remove();
    await primary.remove();
  });

  const portOf = (from: string) => Number(new URL(from).port);
  const ports = async () =>
    await Promise.all(
      Array.from({ length: 3 }, () => sql<[{ port: number }]>`select inet_server_port() as port`),
    )
      .then((answers) => answers.map(([{ port }]) => port));

  it("leads to the one that takes writes, which is not the first", async () => {
    assertEquals(await ports(), Array(3).fill(portOf(primary.url)));
    assertEquals(portOf(await resolveDatabaseUrl(url)), portOf(primary.url));
  });

  it("may name a single host, which must take writes", async () => {
    const alone = openDatabase(`${standby.url}?target_session_attrs=read-write`, {
      max: 1,
      applicationName: "test",
    });
    await assertRejects(() => alone`select`, Error, "standby");
    await closeDatabase(alone, 1);
  });

  it("is migrated there", async () => {
    assertEquals((await migrateUp(`${url}?target_session_attrs=read-write`)).length > 0, true);
    assertEquals(await migrateUp(url), []);
  });

  it("rejects while none takes writes, and keeps no connection of the pool", async () => {
    await primary.stop();
    for (let query = 0; query < 6; query++) await assertRejects(() => sql`select`);
    await assertRejects(() => resolveDatabaseUrl(url));
  });

  it("leads to the standby once it is promoted", async () => {
    const direct = openDatabase(standby.url, { max: 1, applicationName: "test" });
    await direct`select pg_promote()`;
    await closeDatabase(direct);
    assertEquals(await ports(), Array(3).fill(portOf(standby.url)));
    assertEquals(await migrateUp(url), []);
  });
});
