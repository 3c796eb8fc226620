import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { SCHEMAS, VARIABLES } from "../../src/config/variables.ts";
import { findStaleFiles } from "../../tools/settings.ts";

describe("the table of settings", () => {
  it("is what the README, the permissions and compose.yaml say, or else wants `deno task settings`", async () => {
    assertEquals(await findStaleFiles(), []);
  });

  it("makes each of them stale by a new setting", async () => {
    const added = { schema: z.string().optional(), preset: "none", what: "a setting that was forgotten" };
    assertEquals(await findStaleFiles({ ...VARIABLES, FORGOTTEN: added }), [
      "README.md",
      "deno.json",
      "compose.yaml",
    ]);
  });

  it("says of each number what holds without it", () => {
    const presets = z.record(z.string(), z.unknown()).parse(z.object(SCHEMAS).parse({}));
    for (const [name, { preset }] of Object.entries(VARIABLES)) {
      if (typeof presets[name] === "number") assertEquals(String(presets[name]), preset, name);
    }
  });
});
