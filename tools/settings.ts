/**
 * What `deno task settings` runs: writes the README's table of variables, the permissions of deno.json, what
 * compose.yaml passes on and the names that the Helm chart accepts from src/config/variables.ts. With `--check` it only
 * tells whether they are up to date. The Kubernetes manifest and the chart's values, which have remarks beside their
 * settings, are checked alone.
 */
import { fileURLToPath } from "node:url";
import { parse as parseYaml, parseAllDocuments } from "yaml";
import { z } from "zod";
import { type Variable, VARIABLES } from "../src/config/variables.ts";
import { NEAR_MISSES, OTHER_CLIENTS } from "../src/database/database_variables.ts";
import { markdownTable } from "./markdown_table.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What the runtime reads for itself where it is deployed. */
const OF_DEPLOYED_RUNTIME = ["OTEL_DENO", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"];

/** What the runtime reads for itself, beside the variables of the service. */
const OF_THE_RUNTIME = {
  name: "OTEL_DENO",
  preset: "false",
  what: "true: traces go to `OTEL_EXPORTER_OTLP_ENDPOINT` ([more](docs/operating.md#logs-and-traces))",
};

/** The files that repeat the variables, and how each is made of them and of itself. */
const FILES: Record<string, (text: string, variables: Record<string, Variable>) => string> = {
  "README.md": writeTable,
  "deno.json": writePermissions,
  "compose.yaml": writeEnvironment,
  "deploy/helm/trainer-assignment/values.schema.json": writeNames,
};

/** The files that have the settings by hand, and what tells whether one has them all. */
const BY_HAND: Record<string, (text: string, variables: Record<string, Variable>) => boolean> = {
  "deploy/kubernetes/trainer-assignment.yaml": saysAll,
  "deploy/helm/trainer-assignment/values.yaml": hasValues,
};

const readFile = (file: string) => Deno.readTextFile(ROOT + file);

/** Lists the files that do not say what the variables do. @throws {Error} if a file has no place for them */
export async function findStaleFiles(
  variables: Record<string, Variable> = VARIABLES,
  read = readFile,
): Promise<string[]> {
  const stale: string[] = [];
  for (const [file, write] of Object.entries(FILES)) {
    const text = await read(file);
    if (write(text, variables) !== text) stale.push(file);
  }
  for (const [file, isRight] of Object.entries(BY_HAND)) {
    if (!isRight(await read(file), variables)) stale.push(file);
  }
  return stale;
}

/** Puts what is made of a place into that place. Without one it fails: else the file would count as up to date. */
function replacePlace(
  text: string,
  file: string,
  place: RegExp,
  make: (...found: string[]) => string,
): string {
  if (!place.test(text)) throw new Error(`${file} has no place for the settings: nothing is like ${place}`);
  return text.replace(place, make);
}

function writeTable(readme: string, variables: Record<string, Variable>): string {
  const rows = [
    ["variable", "default", "what"],
    ...[...Object.entries(variables).map(([name, variable]) => ({ name, ...variable })), OF_THE_RUNTIME]
      .map(({ name, preset, what }) => [`\`${name}\``, preset, what]),
  ];
  return replacePlace(readme, "README.md", /^\| variable .*\n(?:\|.*\n)+/m, () => markdownTable(rows));
}

function writePermissions(config: string, variables: Record<string, Variable>): string {
  const names = [...Object.keys(variables), ...NEAR_MISSES, ...OTHER_CLIENTS];
  let result = config;
  for (const [set, others] of [["service", []], ["local", ["npm_command"]]] as const) {
    const list = [...names, ...others].toSorted().map((name) => `          "${name}"`).join(",\n");
    const place = new RegExp(`("${set}": \\{[^]*?"allow": \\[\\n)[^]*?(\\n {8}\\],)`);
    result = replacePlace(result, "deno.json", place, (_, before = "", after = "") => before + list + after);
  }
  return result;
}

/** What compose passes on as it is given; the database's address it knows itself. */
function writeEnvironment(compose: string, variables: Record<string, Variable>): string {
  const passedOn = Object.keys(variables).filter((name) =>
    variables[name]?.notDeployed === undefined && !["DATABASE_URL", "DATABASE_PASSWORD"].includes(name)
  );
  const lines = passedOn.map((name) => `      ${name}: \${${name}:-}\n`).join("");
  return replacePlace(compose, "compose.yaml", /(?: {6}[A-Z_]+: \$\{[A-Z_]+:-\}\n){2,}/, () => lines);
}

/** The chart refuses other settings, secrets among them. */
function writeNames(schema: string, variables: Record<string, Variable>): string {
  const names = [...namesOfDeployed(variables, false), ...OF_DEPLOYED_RUNTIME];
  const list = names.map((name) => `          "${name}"`).join(",\n");
  const place = /("propertyNames": \{\s+"enum": \[\n)[^\]]*?(\n {8}\])/;
  return replacePlace(
    schema,
    "values.schema.json",
    place,
    (_, before = "", after = "") => before + list + after,
  );
}

/** Tells whether the chart's values have what is deployed and no secret. */
function hasValues(values: string, variables: Record<string, Variable>): boolean {
  const { settings } = z.looseObject({ settings: z.record(z.string(), z.string()) }).parse(parseYaml(values));
  const expected = new Set([...namesOfDeployed(variables, false), ...OF_DEPLOYED_RUNTIME]);
  return expected.symmetricDifference(new Set(Object.keys(settings))).size === 0;
}

function namesOfDeployed(variables: Record<string, Variable>, isSecret: boolean): Set<string> {
  return new Set(
    Object.entries(variables)
      .filter(([, row]) => row.notDeployed === undefined && (row.isSecret ?? false) === isSecret)
      .map(([name]) => name),
  );
}

const documentSchema = z.looseObject({
  kind: z.string(),
  data: z.record(z.string(), z.string()).default({}),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z.array(z.looseObject({ env: z.array(z.looseObject({ name: z.string() })).default([]) })),
      }),
    }).optional(),
  }).optional(),
});

/** Tells whether the ConfigMap has what is deployed and no secret, and the container's own variables are the secrets. */
function saysAll(manifest: string, variables: Record<string, Variable>): boolean {
  const documents = parseAllDocuments(manifest).map((document) => documentSchema.parse(document.toJS()));
  const inMap = documents.filter(({ kind }) => kind === "ConfigMap").flatMap(({ data }) => Object.keys(data));
  const ofContainer = documents.filter(({ kind }) => kind === "Deployment")
    .flatMap(({ spec }) => spec?.template?.spec.containers ?? []).flatMap(({ env }) =>
      env.map(({ name }) => name)
    );
  const ofService = inMap.filter((name) => !OF_DEPLOYED_RUNTIME.includes(name));
  return namesOfDeployed(variables, false).symmetricDifference(new Set(ofService)).size === 0 &&
    namesOfDeployed(variables, true).symmetricDifference(new Set(ofContainer)).size === 0;
}

if (import.meta.main) {
  const isCheck = Deno.args.includes("--check");
  let isAllWell = true;
  for (const file of await findStaleFiles()) {
    const write = FILES[file];
    if (isCheck || write === undefined) {
      isAllWell = false;
      const remedy = write === undefined ? "change it by hand" : "run `deno task settings`";
      console.error(`${file} does not say what src/config/variables.ts does: ${remedy}`);
    } else {
      await Deno.writeTextFile(ROOT + file, write(await readFile(file), VARIABLES));
      console.log(`written: ${file}`);
    }
  }
  Deno.exit(isAllWell ? 0 : 1);
}
