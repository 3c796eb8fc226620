import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { get, HOME, signIn } from "./admin_page.ts";
import { type TestService, testService } from "./test_service.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

describe("the entrance", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  it("leads a browser to the admin page", async () => {
    const response = await service.app.request("/", { headers: { Accept: BROWSER } });
    assertEquals([response.status, response.headers.get("Location")], [302, HOME]);
    assertEquals(response.headers.get("Vary"), "Accept");
  });

  it("tells programs where everything is, and each address works", async () => {
    for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/json" }]) {
      const response = await service.app.request("/", { headers });
      assertEquals(response.status, 200);
      const { service: name, api, ...addresses } = await response.json();
      assertEquals([name, api], ["Trainer assignment", "/v1"]);
      for (const address of Object.values<string>(addresses)) {
        assertMatch(String((await service.app.request(address)).status), /^(200|303)$/);
      }
    }
  });

  it("answers other methods with 405", async () => {
    assertEquals((await service.app.request("/", { method: "POST" })).status, 405);
  });

  it("shows health as a page to anybody, also when it is degraded", async () => {
    await service.sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    for (const cookie of ["", await signIn(service)]) {
      const response = await get(service, `${HOME}/health`, cookie);
      assertMatch(response.headers.get("Content-Type") ?? "", /^text\/html/);
      const page = await response.text();
      assertStringIncludes(page, "The service is working, but something needs attention.");
      assertStringIncludes(page, "Trigger: needs attention.");
      assertEquals(page.includes("Sign out"), cookie !== "");
    }
    await service.sql`alter table public.members enable trigger members_assign_trainer_after_insert`;
    assertStringIncludes(
      await (await get(service, `${HOME}/health`, "")).text(),
      "The service is working.",
    );
  });
});
