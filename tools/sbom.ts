/**
 * What `deno task sbom` runs: writes sbom.cdx.json, a CycloneDX 1.6 list of all packages of deno.lock, and the
 * licences of those that run with the service into docs/licences.md. The same lock gives the same bytes.
 */
import * as License from "@cyclonedx/cyclonedx-library/Contrib/License";
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import { fileURLToPath } from "node:url";
import parseExpression from "spdx-expression-parse";
import { VERSION } from "../src/version.ts";
import { type Dependency, type Purpose, readDependencies } from "./dependencies.ts";
import { markdownTable } from "./markdown_table.ts";

const { LicenseFactory } = License.Factories;
type Licences = InstanceType<typeof LicenseFactory>;

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const NAME = "trainer-assignment";

const SCOPES: Record<Purpose, Enums.ComponentScope> = {
  service: Enums.ComponentScope.Required,
  checkout: Enums.ComponentScope.Optional,
  development: Enums.ComponentScope.Excluded,
};

/** The list of licences: its two tables are made, the words around them written by hand. */
export const LICENCES = "docs/licences.md";

/** What runs with the service is under one of these: none asks anything of those who use it but to keep its notice. */
const ALLOWED_LICENCES = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "PostgreSQL",
  "Unlicense",
];

/** Makes the CycloneDX document: JSON, sorted, without a time or a serial number. */
export function writeSbom(dependencies: readonly Dependency[]): string {
  const licences = new LicenseFactory(parseExpression);
  const service = new Models.Component(Enums.ComponentType.Application, NAME, {
    version: VERSION,
    bomRef: NAME,
    licenses: new Models.LicenseRepository([licences.makeFromString("MIT")]),
  });
  const components = new Map(
    dependencies.map((dependency) => [dependency.key, makeComponent(dependency, licences)]),
  );
  for (const { key, isDirect, needs } of dependencies) {
    const component = components.get(key);
    if (component === undefined) continue;
    if (isDirect) service.dependencies.add(component.bomRef);
    for (const need of needs.flatMap((need) => components.get(need) ?? [])) {
      component.dependencies.add(need.bomRef);
    }
  }
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: service,
      lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.PreBuild]),
      properties: new Models.PropertyRepository([new Models.Property("cdx:reproducible", "true")]),
    }),
    components: new Models.ComponentRepository(components.values()),
  });
  const serializer = new Serialize.JsonSerializer(
    new Serialize.JSON.Normalize.Factory(Spec1dot6),
  );
  return serializer.serialize(bom, { sortLists: true, space: 2 }) + "\n";
}

function makeComponent(dependency: Dependency, licences: Licences): Models.Component {
  const { key, name, version, integrity, purpose, licence } = dependency;
  const [group, ownName = name] = name.startsWith("@") ? name.split("/") : [undefined, name];
  const [algorithm, hash = ""] = integrity.split("-");
  if (algorithm !== "sha512") throw new Error(`deno.lock has a hash of another kind: ${key} ${integrity}`);
  return new Models.Component(Enums.ComponentType.Library, ownName, {
    ...(group === undefined ? {} : { group }),
    version,
    bomRef: key,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    scope: SCOPES[purpose],
    hashes: new Models.HashDictionary([[
      Enums.HashAlgorithm["SHA-512"],
      Uint8Array.fromBase64(hash).toHex(),
    ]]),
    licenses: new Models.LicenseRepository([licences.makeFromString(licence)]),
    properties: new Models.PropertyRepository(
      purpose === "development" ? [new Models.Property("cdx:npm:package:development", "true")] : [],
    ),
  });
}

/** Puts the licences of the packages that run with the service into their list. @throws {Error} if it has no place */
export function writeLicences(text: string, dependencies: readonly Dependency[]): string {
  const tableOf = (purpose: Purpose) =>
    markdownTable([
      ["package", "version", "licence"],
      ...dependencies.filter((dependency) => dependency.purpose === purpose)
        .map(({ name, version, licence }) => [name, version, licence]),
    ]);
  const tables: [heading: string, purpose: Purpose][] = [
    ["## In the image", "service"],
    ["## In a checkout alone", "checkout"],
  ];
  return tables.reduce((result, [heading, purpose]) => {
    const place = new RegExp(`(^${heading}\\n[^|]*?)(?:\\|.*\\n)+`, "m");
    if (!place.test(result)) throw new Error(`${LICENCES} has no table below "${heading}"`);
    return result.replace(place, (_, before) => before + tableOf(purpose));
  }, text);
}

/** Names the packages that run with the service under a licence that is not allowed. */
export function findForeignLicences(dependencies: readonly Dependency[]): string[] {
  return dependencies
    .filter(({ purpose, licence }) => purpose !== "development" && !ALLOWED_LICENCES.includes(licence))
    .map(({ name, version, licence }) => `${name}@${version} is under ${licence}`);
}

if (import.meta.main) {
  const dependencies = await readDependencies();
  await Deno.writeTextFile(`${ROOT}sbom.cdx.json`, writeSbom(dependencies));
  const licences = await Deno.readTextFile(ROOT + LICENCES);
  await Deno.writeTextFile(ROOT + LICENCES, writeLicences(licences, dependencies));
  for (const foreign of findForeignLicences(dependencies)) console.error(`not allowed: ${foreign}`);
  console.log(`written: sbom.cdx.json (${dependencies.length} packages), ${LICENCES}`);
}
