import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { startProxy } from "../faults/proxy.ts";
import { waitUntil } from "../support/wait_until.ts";
import { get, HOME, post, signIn } from "./admin_page.ts";
import { type TestService, testService } from "./test_service.ts";

describe("signing out", () => {
  let service: TestService;
  /** Another replica on the same database. */
  let second: TestService;
  beforeAll(async () => {
    service = await testService();
    second = await testService({ sql: await service.database.newServicePool() });
  });
  afterAll(async () => {
    await second.stop();
    await service.stop();
  });

  /** How far a cookie gets: to the page, to the API, past the sign-in. */
  const reach = async (from: TestService, cookie: string) => {
    const [page, api, change, login] = await Promise.all([
      get(from, HOME, cookie),
      get(from, "/v1/policy", cookie),
      post(from, "/v1/failures/retry", cookie),
      get(from, "/admin/login", cookie),
    ]);
    return [page, api, change, login].map(({ status }) => status);
  };
  const LET_IN = [200, 200, 200, 303];
  const KEPT_OUT = [303, 401, 401, 200];

  it("ends copies of the cookie too, on every replica at once, and no other session", async () => {
    const cookie = await signIn(service);
    const another = await signIn(service);
    for (const replica of [service, second]) assertEquals(await reach(replica, cookie), LET_IN);

    const response = await post(service, "/admin/logout", cookie);
    assertEquals(response.headers.get("location"), "/admin/login?notice=signed_out");
    assertMatch(response.headers.getSetCookie()[0] ?? "", /^trainer_assignment_session=; Max-Age=0/);
    for (const replica of [service, second]) {
      assertEquals(await reach(replica, cookie), KEPT_OUT);
      assertEquals(await reach(replica, another), LET_IN);
    }
    assertEquals(await reach(second, await signIn(second)), LET_IN);
  });

  it("is remembered until the session would have expired, and forgotten later", async () => {
    await service.sql`
      insert into assignment.ended_sessions (id, expires_at)
      select gen_random_uuid(), now() - interval '61 minutes' from generate_series(1, 150)
    `;
    const remembered = async () => {
      const rows = await service.sql<{ isOver: boolean }[]>`
        select expires_at < now() as "isOver" from assignment.ended_sessions
      `;
      return [rows.filter(({ isOver }) => isOver).length, rows.filter(({ isOver }) => !isOver).length];
    };
    const [, before = 0] = await remembered();
    await post(service, "/admin/logout", await signIn(service));
    assertEquals(await remembered(), [50, before + 1]);
    const cookie = await signIn(service);
    await post(service, "/admin/logout", cookie);
    await post(service, "/admin/logout", cookie); // the cookie of a page that was open all the time
    assertEquals(await remembered(), [0, before + 2]);
  });

  it("needs no session, and accepts no forged cookie", async () => {
    for (const cookie of ["", "trainer_assignment_session=made-up"]) {
      const response = await post(service, "/admin/logout", cookie);
      assertEquals([response.status, response.headers.get("location")], [
        303,
        "/admin/login?notice=signed_out",
      ]);
    }
  });

  it("says what it could not do while the database is away, which sessions seen before can still see", async () => {
    const databaseUrl = service.database.url;
    const proxy = await startProxy({ to: Number(new URL(databaseUrl).port) });
    const sql = openDatabase(proxy.url(databaseUrl), { max: 2, applicationName: "test" });
    const cutOff = await testService({ sql });
    const seen = await signIn(cutOff);
    const unseen = await signIn(cutOff);
    assertEquals((await get(cutOff, HOME, seen)).status, 200);
    proxy.setMode("reset");

    let page = "";
    await waitUntil("the page is no more of the second before", async () => {
      const response = await get(cutOff, HOME, seen);
      page = await response.text();
      return response.status === 503;
    });
    assertStringIncludes(page, "The page shows the state of");
    const nothing = await get(cutOff, HOME, unseen);
    assertEquals(nothing.status, 503);
    assertEquals((await nothing.text()).includes("The page shows the state of"), false);
    for (const cookie of [seen, unseen]) {
      assertEquals((await get(cutOff, "/v1/policy", cookie)).status, 503);
      assertEquals((await post(cutOff, `${HOME}/failures/retry`, cookie)).status, 503);
    }
    const half = await post(cutOff, "/admin/logout", seen);
    assertEquals(half.status, 503);
    assertStringIncludes(await half.text(), "You are signed out in this browser.");
    assertMatch(half.headers.getSetCookie()[0] ?? "", /^trainer_assignment_session=; Max-Age=0/);

    proxy.setMode("pass");
    assertEquals((await post(service, "/admin/logout", seen)).status, 303);
    await waitUntil("the session is over", async () => (await get(cutOff, HOME, seen)).status === 303);
    await closeDatabase(sql, 1);
    await cutOff.stop();
    await proxy.close();
  });
});
