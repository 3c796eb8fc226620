import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readRole } from "../../src/http/identity/role_claim.ts";

describe("the role claim", () => {
  const admin = { roles: ["reader", "admin"] };

  it("is found under its name, dots or not", () => {
    assertEquals(readRole({ roles: "admin" }, "roles"), "admin");
    assertEquals(
      readRole({ "https://example.com/roles": ["service"] }, "https://example.com/roles"),
      "service",
    );
    assertEquals(readRole({ "urn:example:roles": ["admin"] }, "urn:example:roles"), "admin");
    assertEquals(readRole({ "a.b": "admin" }, "a.b"), "admin");
  });

  it("is found inside other claims, whose names may contain dots too", () => {
    assertEquals(readRole({ realm_access: admin }, "realm_access.roles"), "admin");
    assertEquals(
      readRole({ resource_access: { "my.client": admin } }, "resource_access.my.client.roles"),
      "admin",
    );
    assertEquals(readRole({ "https://example.com/app": admin }, "https://example.com/app.roles"), "admin");
    assertEquals(
      readRole({ a: { "https://example.com/roles": "admin" } }, "a.https://example.com/roles"),
      "admin",
    );
  });

  it("is the one with the exact name before one by a path, unless it is empty", () => {
    assertEquals(readRole({ "a.b": "service", a: { b: "admin" } }, "a.b"), "service");
    assertEquals(readRole({ "a.b": [], a: { b: "admin" } }, "a.b"), undefined);
    assertEquals(readRole({ "a.b": null, a: { b: "admin" } }, "a.b"), "admin");
    assertEquals(readRole({ "a.b": {}, a: { b: { c: "admin" } } }, "a.b.c"), "admin");
  });

  it("may be several roles in one string, separated by spaces", () => {
    assertEquals(readRole({ roles: "reader service" }, "roles"), "service");
    assertEquals(readRole({ roles: " service  admin " }, "roles"), "admin");
    for (const roles of ["administrator", "reader,admin", "admin-reader", "Admin", "", ["reader admin"]]) {
      assertEquals(readRole({ roles }, "roles"), undefined, JSON.stringify(roles));
    }
  });

  it("gives the highest of several roles", () => {
    assertEquals(readRole({ roles: ["viewer", "service"] }, "roles"), "viewer");
    assertEquals(readRole({ roles: "admin viewer" }, "roles"), "admin");
  });

  it("gives no role if its value is not one, or if its name is one that every object has", () => {
    for (const roles of [undefined, null, 1, true, { admin: true }, [["admin"]], [null]]) {
      assertEquals(readRole({ roles }, "roles"), undefined, JSON.stringify(roles));
    }
    assertEquals(readRole({}, "constructor.name"), undefined);
    assertEquals(readRole({ roles: [] }, "roles.length"), undefined);
    assertEquals(readRole({ a: "admin" }, "a."), undefined);
  });
});
