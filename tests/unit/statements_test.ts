import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { listMigrations, readMigration } from "../../src/database/migration_files.ts";
import { splitStatements } from "../../src/database/statements.ts";

describe("statements of a file", () => {
  it("end at semicolons outside of comments, quotes and bodies", () => {
    const statements = [
      "-- a comment; of one line\nselect ';', \";\", 'it''s; '\nfrom t",
      "create function f() language plpgsql as $$ begin perform 1; end; $$",
      "select $a$ $$;$$ ; $a$ ;".slice(0, -2),
    ];
    assertEquals(splitStatements(`${statements.join(";\n\n")};\n-- nothing more\n`), statements);
    assertEquals(splitStatements(" \n-- only; this\n"), []);
  });

  it("are all of each migration", async () => {
    for (const { file } of await listMigrations()) {
      const { up } = await readMigration(file);
      const without = (text: string) => text.replaceAll(/--.*|[\s;]/g, "");
      assertEquals(without(splitStatements(up).join("")), without(up), file);
    }
  });
});
