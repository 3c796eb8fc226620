import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type TestService, testService } from "./test_service.ts";

describe("the documentation page", () => {
  let service: TestService;
  let page: string;
  beforeAll(async () => {
    service = await testService();
    page = await (await service.call("GET /docs", { as: "nobody" })).text();
  });
  afterAll(() => service.stop());

  it("needs nothing from elsewhere, and each file has its type", async () => {
    const references = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, reference = ""]) => reference);
    const types: Record<string, string> = {};
    for (const reference of references) {
      const response = await service.call(`GET ${reference}`, { as: "nobody" });
      assertEquals(response.status, 200, reference);
      types[reference] = response.headers.get("Content-Type") ?? "";
      assertGreater((await response.arrayBuffer()).byteLength, 100, reference);
    }
    assertEquals(types, {
      "/docs/favicon-32x32.png": "image/png",
      "/docs/swagger-ui.css": "text/css; charset=utf-8",
      "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
      "/docs/start.js": "text/javascript; charset=utf-8",
    });
  });

  it("has no script or style of its own, as the policy demands", async () => {
    assertEquals(/<script>|<style|style=|\son\w+=|javascript:|https?:/.test(page), false);
    const { headers } = await service.call("GET /docs", { as: "nobody" });
    assertEquals(headers.get("Content-Security-Policy")?.includes("unsafe"), false);
  });

  it("shows this service's own document, and asks no validator on the internet", async () => {
    const start = await (await service.call("GET /docs/start.js", { as: "nobody" })).text();
    assertStringIncludes(start, 'url: "/openapi.json"');
    assertStringIncludes(start, "validatorUrl: null");
  });
});
