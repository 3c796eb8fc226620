import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { testDatabase } from "../support/databases.ts";
import { type TestService, testService } from "./test_service.ts";

describe("health over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const ready = async (asked = service) => {
    const response = await asked.call("GET /readyz", { as: "nobody" });
    const { status, checks } = await response.json();
    const amiss = Object.entries<{ status: string; detail: string }>(checks).filter(([, check]) =>
      check.status !== "ok"
    );
    return {
      code: response.status,
      status,
      amiss: amiss.map(([name, { detail }]) => `${name}: ${detail}`).join(),
    };
  };

  it("is alive without asking the database", async () => {
    const response = await service.call("GET /livez", { as: "nobody" });
    assertEquals([response.status, await response.json()], [200, { status: "alive" }]);
  });

  it("is ready when everything is fine", async () => {
    assertEquals(await ready(), { code: 200, status: "ready", amiss: "" });
  });

  it("is degraded while the trigger is disabled, and names it", async () => {
    await service.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    const { code, status, amiss } = await ready();
    assertEquals([code, status], [200, "degraded"]);
    assertStringIncludes(amiss, "trigger: disabled");
    await service.sql`alter table public.members enable trigger members_assign_trainer_after_insert`;
    assertEquals((await ready()).status, "ready");
  });

  it("is degraded while the default trainer is missing or failures wait, and names both", async () => {
    await service.sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    await service.sql`insert into public.members (id) values (gen_random_uuid())`;
    const { code, status, amiss } = await ready();
    assertEquals([code, status], [200, "degraded"]);
    assertStringIncludes(amiss, "defaultTrainer: is not a member");
    assertStringIncludes(amiss, "failures: 1 waiting");
  });

  it("is degraded on a database that is not migrated", async () => {
    const bare = await testDatabase({ migrated: false });
    const unmigrated = await testService({ sql: bare.sql });
    const { code, status, amiss } = await ready(unmigrated);
    assertEquals([code, status], [200, "degraded"]);
    assertStringIncludes(amiss, "migrations: ");
    await unmigrated.stop();
    await bare.drop();
  });

  it("asks the database once for simultaneous callers", async () => {
    let queries = 0;
    const counting = new Proxy(service.sql, {
      apply(sql, self, args) {
        queries++;
        return Reflect.apply(sql, self, args);
      },
    });
    const counted = await testService({ sql: counting });
    await ready(counted);
    const queriesOfOne = queries;

    queries = 0;
    await Promise.all(Array.from({ length: 200 }, () => ready(counted)));

    assertEquals(queries, queriesOfOne);
    await counted.stop();
  });
});
