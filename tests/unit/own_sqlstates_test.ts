import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { OWN_SQLSTATES } from "../../src/errors.ts";
import { listMigrations, readMigration } from "../../src/database/migration_files.ts";

describe("the SQLSTATEs of our own", () => {
  const known = Object.keys(OWN_SQLSTATES);

  it("are those that the migrations and db/citus raise or record", async () => {
    const files = await Promise.all((await listMigrations()).map(({ file }) => readMigration(file)));
    const citus = new URL("../../db/citus/", import.meta.url);
    for await (const { name } of Deno.readDir(citus)) {
      files.push({ up: await Deno.readTextFile(new URL(name, citus)), down: "" });
    }
    const used = files.flatMap(({ up }) => Array.from(up.matchAll(/'(TA\d{3})'/g), ([, code = ""]) => code));
    assertEquals([...new Set(used)].sort(), known);
  });

  it("are explained to operators if failures are recorded with them", async () => {
    const guide = await Deno.readTextFile(new URL("../../docs/operating.md", import.meta.url));
    const recorded = ["TA001", "TA008", "TA009", "TA010", "TA011", "TA023"];
    assertEquals(recorded.filter((code) => !guide.includes(`\`${code}\``)), []);
    const mentioned = Array.from(guide.matchAll(/`(TA\d{3})`/g), ([, code = ""]) => code);
    assertEquals(mentioned.filter((code) => !known.includes(code)), []);
  });
});
