/**
 * Lists of the documentation have what the code has: routes, actions of the audit log, events of the log, what an
 * assignment comes from. */
import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { endedBecauseInWords, sourceInWords } from "../../src/admin/frame/wording.ts";
import { AUDIT_ACTIONS } from "../../src/history/audit_lines.ts";
import { declaredRole } from "../../src/http/route.ts";
import { testService } from "../http/test_service.ts";
import { readPage, ROOT } from "./blocks.ts";

/** What a cell of the table says instead of a list. */
const AS_BACKFILLS = "`POST /v1/transfers`, and the rest as for backfills";

describe("the lists of the documentation", () => {
  it("have every route, with its role, in README's table of the API", async () => {
    const service = await testService();
    const served = service.app.router.routes.flatMap(({ method, path, handler }) => {
      const role = declaredRole(handler);
      const isListed = role !== undefined && path !== "/" && !path.startsWith("/docs/");
      return isListed ? [`${method} ${path} ${role}`] : [];
    });
    await service.stop();
    assertGreater(served.length, 40);
    const listed = listedRoutes(await readPage("README.md"));
    assertEquals([...listed].toSorted(), [...new Set(served)].toSorted());
  });

  it("have every action of the audit log in docs/history.md, and no other", async () => {
    const page = await readPage("docs/history.md");
    const table = /^\| action .+\n(?:\|.+\n)+/m.exec(page)?.[0] ?? "";
    const cells = table.split("\n").slice(2).map((row) => row.split("|")[1] ?? "");
    const listed = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, action]) => action));
    assertEquals(listed.toSorted(), [...AUDIT_ACTIONS].toSorted());
  });

  for (
    const { constraint, row, property, inWords } of [
      { constraint: "source_is_known", row: "`source`", property: "source", inWords: sourceInWords },
      {
        constraint: "ended_because_is_known",
        row: "`ended_because`",
        property: "endedBecause",
        inWords: endedBecauseInWords,
      },
    ]
  ) {
    it(`have what ${constraint} allows: in docs/history.md, OpenAPI and words of the page`, async () => {
      const [, list = ""] = new RegExp(`CONSTRAINT ${constraint} CHECK (.+)`).exec(
        await Deno.readTextFile(join(ROOT, "db/schema.sql")),
      ) ?? [];
      const allowed = [...list.matchAll(/'(\w+)'/g)].map(([, value = ""]) => value);
      assertGreater(allowed.length, 3);
      const service = await testService();
      const document = await (await service.call("GET /openapi.json")).json();
      await service.stop();
      const { description } = document.components.schemas.Client.properties[property];
      const told = (await readPage("docs/history.md")).split("\n").find((line) =>
        line.startsWith("| ") && line.includes(row)
      );
      for (const value of allowed) {
        for (const text of [description, told]) assert(text.includes(`\`${value}\``), `${value}: ${text}`);
        assertNotEquals(inWords(value), value);
      }
    });
  }

  it("have every event of the log in docs/operating.md", async () => {
    const [, log = ""] = (await readPage("docs/operating.md")).split("\n## Logs and traces\n");
    const events = await findEvents(join(ROOT, "src"));
    assertGreater(events.size, 30);
    assert(events.has("signed_in") && events.has("works_again"));
    assertEquals([...events].filter((event) => !log.includes(`\`${event}\``)), []);
  });
});

/**
 * Reads the table's routes as `GET /v1/members/:memberId service`. In a cell a path without a method has that of the
 * path before it, `/errors` after `…/{id}/pause` stands in the place of the last part, and a method alone is for the
 * next path.
 */
function listedRoutes(readme: string): Set<string> {
  const table = /^\| method and path .+\n(?:\|.+\n)+/m.exec(readme)?.[0] ?? "";
  const routes = new Set<string>();
  for (const row of table.split("\n").slice(2)) {
    const [, cell = "", role = ""] = row.split("|").map((part) => part.trim());
    let methods: string[] = [];
    let isOpen = false;
    let previous = "";
    for (const [, entry = ""] of cell.matchAll(/`([^`{][^`]*)`/g)) {
      const [, method, path] = /^([A-Z]+)?(?: ?(\/[^?]*))?/.exec(entry) ?? [];
      if (method !== undefined) methods = isOpen ? [...methods, method] : [method];
      isOpen = path === undefined;
      if (path === undefined) continue;
      const isPart = method === undefined && previous.startsWith("/v1/") && !path.startsWith("/v1/");
      previous = isPart ? previous.replace(/\/[^/]+$/, "") + path : path;
      const served = previous.replaceAll(/\{(\w+)\}/g, ":$1");
      for (const each of methods) routes.add(`${each} ${served} ${role.replace("signed", "signature")}`);
    }
  }
  assert(table.includes(AS_BACKFILLS));
  return routes.union(new Set([...routes].map((route) => route.replace("/v1/backfills", "/v1/transfers"))));
}

/** The texts that follow `event:` in the source, and those that changes are logged under. */
async function findEvents(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) (await findEvents(path)).forEach((event) => found.add(event));
    else if (/\.tsx?$/.test(name)) {
      const text = await Deno.readTextFile(path);
      for (const [, event = ""] of text.matchAll(/\b(?:event|logEvent): "(\w+)"/g)) found.add(event);
      for (const [, event = ""] of text.matchAll(/\blogChange\([^"`;]*"(\w+)"/g)) found.add(event);
    }
  }
  return found;
}
