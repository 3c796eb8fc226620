import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseConfig } from "../../src/config.ts";
import { SCHEMAS, VARIABLES } from "../../src/config/variables.ts";
import { findStaleFiles } from "../../tools/settings.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MANIFEST = "deploy/kubernetes/trainer-assignment.yaml";
const VALUES = "deploy/helm/trainer-assignment/values.yaml";
const VALUES_SCHEMA = "deploy/helm/trainer-assignment/values.schema.json";
const added = { schema: z.string().optional(), preset: "none", what: "a setting that was forgotten" };

describe("the table of settings", () => {
  it("is what the README, the permissions and the deploy files say, or else wants `deno task settings`", async () => {
    assertEquals(await findStaleFiles(), []);
  });

  it("makes each of them stale after a new setting, secret or not", async () => {
    const everywhere = ["README.md", "deno.json", "compose.yaml"];
    assertEquals(await findStaleFiles({ ...VARIABLES, FORGOTTEN: added }), [
      ...everywhere,
      VALUES_SCHEMA,
      MANIFEST,
      VALUES,
    ]);
    const secret = { ...added, isSecret: true as const };
    assertEquals(await findStaleFiles({ ...VARIABLES, FORGOTTEN: secret }), [...everywhere, MANIFEST]);
  });

  it("leaves the deploy files alone for a setting that is not deployed", async () => {
    const stale = await findStaleFiles({ ...VARIABLES, FORGOTTEN: { ...added, notDeployed: "of a test" } });
    assertEquals(stale, ["README.md", "deno.json"]);
  });

  it("wants a setting in the Secret if and only if it is one", async () => {
    const { isSecret: _, ...told } = VARIABLES.AUTH_CLIENT_SECRET;
    assertEquals(await findStaleFiles({ ...VARIABLES, AUTH_CLIENT_SECRET: told }), [
      VALUES_SCHEMA,
      MANIFEST,
      VALUES,
    ]);
    const hidden = { ...VARIABLES.LOG_LEVEL, isSecret: true as const };
    assertEquals(await findStaleFiles({ ...VARIABLES, LOG_LEVEL: hidden }), [
      VALUES_SCHEMA,
      MANIFEST,
      VALUES,
    ]);
  });

  it("fails when a file has lost the place for it", async () => {
    const lost: [string, string, string][] = [
      ["README.md", "| variable ", "| Variable "],
      ["deno.json", '"service": {', '"serve": {'],
      ["deno.json", '"local": {', '"own": {'],
      [VALUES_SCHEMA, '"propertyNames"', '"names"'],
    ];
    for (const [file, place, other] of lost) {
      const read = async (name: string) => {
        const text = await Deno.readTextFile(ROOT + name);
        return name === file ? text.replace(place, other) : text;
      };
      await assertRejects(() => findStaleFiles(VARIABLES, read), Error, file.split("/").at(-1));
    }
    const withoutSettings = async (name: string) =>
      (await Deno.readTextFile(ROOT + name)).replaceAll(/^ {6}[A-Z_]+: \$\{[A-Z_]+:-\}\n/gm, "");
    await assertRejects(() => findStaleFiles(VARIABLES, withoutSettings), Error, "compose.yaml");
  });

  it("says the default of each setting", () => {
    const presets = z.record(z.string(), z.unknown()).parse(z.object(SCHEMAS).parse({}));
    const auth = { AUTH_ISSUER: "https://id.example", AUTH_AUDIENCE: "trainers" };
    presets["AUTH_ROLE_CLAIM"] = parseConfig(auth).jwt?.roleClaim; // absent, it asks nothing of AUTH_ISSUER
    assertEquals(presets["BACKFILL_LANES"], Math.max(1, navigator.hardwareConcurrency - 1));
    presets["BACKFILL_LANES"] = "processors minus one, at least 1";
    for (const [name, { preset }] of Object.entries(VARIABLES)) {
      const value = presets[name];
      const isNone = value === undefined || (Array.isArray(value) && value.length === 0);
      assertEquals(
        isNone ? "none" : String(value),
        preset.replaceAll("`", "").replace(/^none:.*/, "none"),
        name,
      );
    }
  });

  it("has no setting that the config does not read", async () => {
    const config = await Deno.readTextFile(`${ROOT}src/config.ts`);
    const unread = Object.keys(VARIABLES).filter((name) => !new RegExp(`\\b${name}\\b`).test(config));
    assertEquals(unread, []);
  });
});
