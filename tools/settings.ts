/**
 * What `deno task settings` runs: writes the README's table of variables, the permissions of deno.json and what
 * compose.yaml passes on from src/config/variables.ts. With `--check` it only tells whether they are up to date. The Kubernetes
 * manifest, which has remarks beside its settings, is checked alone.
 */
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { type Variable, VARIABLES } from "../src/config/variables.ts";
import { NEAR_MISSES, OTHER_CLIENTS } from "../src/database/database_variables.ts";
import { markdownTable } from "./markdown_table.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

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
};

/** Has the settings by hand. */
const MANIFEST = "deploy/kubernetes/trainer-assignment.yaml";

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
  return saysAll(await read(MANIFEST), variables) ? stale : [...stale, MANIFEST];
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
  const deployed = Object.entries(variables).filter(([, { notDeployed }]) => notDeployed === undefined);
  const names = (isSecret: boolean) =>
    new Set(deployed.filter(([, row]) => (row.isSecret ?? false) === isSecret).map(([name]) => name));
  const ofService = inMap.filter((name) => !name.startsWith("OTEL_")); // the runtime's own
  return names(false).symmetricDifference(new Set(ofService)).size === 0 &&
    names(true).symmetricDifference(new Set(ofContainer)).size === 0;
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
