import { Validator } from "@seriousme/openapi-schema-validator";
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { declaredRole } from "../../src/http/route.ts";
import { Contract } from "./contract.ts";
import { type TestService, testService } from "./test_service.ts";

const Example = z.object({ value: z.unknown() });
const Content = z.record(
  z.string(),
  z.object({
    schema: z.record(z.string(), z.unknown()),
    example: z.unknown().optional(),
    examples: z.record(z.string(), Example).optional(),
  }),
);
const Answer = z.object({ description: z.string(), content: Content.optional() });
const Operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(
    z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()) }),
  ).optional(),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), Answer),
});
const Document = z.object({
  openapi: z.string(),
  servers: z.array(z.object({ url: z.string() })),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
});

describe("the OpenAPI document", () => {
  let service: TestService;
  let raw: Record<string, unknown>;
  let document: z.infer<typeof Document>;
  let operations: (z.infer<typeof Operation> & { method: string; path: string })[];
  beforeAll(async () => {
    service = await testService();
    raw = await (await service.call("GET /openapi.json", { as: "nobody" })).json();
    document = Document.parse(raw);
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path }))
    );
  });
  afterAll(() => service.stop());

  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    assertEquals(await validator.validate(structuredClone(raw)), { valid: true });
    assertEquals([validator.version, document.openapi], ["3.1", "3.1.0"]);
    assertEquals(document.servers, [{ url: "/" }]);
  });

  it("describes every route that the router has, and no other", () => {
    const served = service.app.router.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/" && !path.startsWith("/docs/"))
      .map(({ method, path }) => `${method} ${path}`);
    const described = operations.map(({ method, path }) =>
      `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`
    );
    assertEquals(described.toSorted(), [...new Set(served)].toSorted());
  });

  it("names each operation once, says what it does, and puts it under a known heading", () => {
    const ids = operations.map(({ operationId }) => operationId);
    assertEquals(ids.length, new Set(ids).size);
    for (const { operationId, summary } of operations) {
      assertMatch(operationId, /^[a-z][A-Za-z]+$/);
      assertMatch(summary, /^[A-Z][^.]{10,80}$/);
    }
    const headings = document.tags.map(({ name }) => name);
    assertEquals(new Set(operations.flatMap(({ tags }) => tags)), new Set(headings));
  });

  it("requires a token exactly where the route does", () => {
    for (const { method, path, security } of operations) {
      const routingPath = path.replaceAll(/\{(\w+)\}/g, ":$1");
      const route = service.app.router.routes.find((route) =>
        route.method === method.toUpperCase() && route.path === routingPath
      );
      const role = route === undefined ? undefined : declaredRole(route.handler);
      const scheme = role === "signature" ? "signature" : "bearer";
      assertEquals(security, role === "none" ? [] : [{ [scheme]: [] }], `${method} ${path}`);
    }
  });

  it("says of each operation what it does, and which role it needs", () => {
    const callers = {
      none: "Needs no token.",
      signature: "Needs a signature instead of a token.",
      service: "Needs the role `service`, `viewer` or `admin`.",
      viewer: "Needs the role `viewer` or `admin`.",
      admin: "Needs the role `admin`.",
    };
    for (const { method, path, description } of operations) {
      const routingPath = path.replaceAll(/\{(\w+)\}/g, ":$1");
      const route = service.app.router.routes.find((route) =>
        route.method === method.toUpperCase() && route.path === routingPath
      );
      const role = route === undefined ? undefined : declaredRole(route.handler);
      assert(role !== undefined, path);
      const [what = "", caller] = description.split("\n\n");
      assertMatch(what, /^[A-Z].+\.$/, `${method} ${path}`);
      assertEquals(caller, callers[role], `${method} ${path}`);
    }
  });

  it("documents the parameters of every path", () => {
    for (const { path, parameters = [] } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assertEquals(parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name), named);
    }
  });

  it("documents an example for every body, and problem details for every error", () => {
    for (const { operationId, requestBody, responses } of operations) {
      assertEquals(Object.keys(responses).some((status) => status.startsWith("2")), true, operationId);
      assertEquals("500" in responses, true, operationId);
      const answers = Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).map(([mediaType, media]) => ({
          place: `${operationId} ${status} ${mediaType}`,
          mediaType,
          status,
          media,
        }))
      );
      const bodies = Object.entries(requestBody?.content ?? {}).map(([mediaType, media]) => ({
        place: `${operationId} body`,
        mediaType,
        status: "",
        media,
      }));
      for (const { place, mediaType, status, media } of [...answers, ...bodies]) {
        if (status >= "400" && !place.startsWith("isReady 503")) {
          assertEquals(mediaType, "application/problem+json", place);
        }
        const count = Object.keys(media.examples ?? {}).length + (media.example === undefined ? 0 : 1);
        assertGreater(count, 0, place);
      }
    }
  });

  it("has only examples that fit their schemas", () => {
    const contract = new Contract(raw);
    for (const { operationId, requestBody, responses } of operations) {
      for (
        const content of [
          requestBody?.content,
          ...Object.values(responses).map((response) => response.content),
        ]
      ) {
        for (const [mediaType, { schema, example, examples = {} }] of Object.entries(content ?? {})) {
          if (!mediaType.endsWith("json")) continue;
          const values = [
            ...(example === undefined ? [] : [example]),
            ...Object.values(examples).map(({ value }) => value),
          ];
          for (const value of values) assertEquals(contract.mismatch(schema, value, operationId), undefined);
        }
      }
    }
  });

  it("finds an answer with a missing field", async () => {
    const contract = new Contract(raw);
    const policy = await (await service.call("GET /v1/policy")).json();
    delete policy.createdBy;
    const deviation = await contract.deviation("GET", "/v1/policy", Response.json(policy));
    assertMatch(deviation ?? "", /^getPolicy 200: .*createdBy/);
  });
});
