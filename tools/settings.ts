/**
 * What `deno task settings` runs: writes the README's table of variables, the permissions of deno.json and what
 * compose.yaml passes on from src/config/variables.ts. With `--check` it only tells whether they are up to date.
 */
import { fileURLToPath } from "node:url";
import { type Variable, VARIABLES } from "../src/config/variables.ts";
import { NEAR_MISSES, OTHER_CLIENTS } from "../src/database/database_variables.ts";

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

/** Lists the files that do not say what the variables do. */
export async function findStaleFiles(variables: Record<string, Variable> = VARIABLES): Promise<string[]> {
  const stale: string[] = [];
  for (const [file, write] of Object.entries(FILES)) {
    const text = await Deno.readTextFile(ROOT + file);
    if (write(text, variables) !== text) stale.push(file);
  }
  return stale;
}

function writeTable(readme: string, variables: Record<string, Variable>): string {
  const rows = [
    ["variable", "default", "what"],
    ...[...Object.entries(variables).map(([name, variable]) => ({ name, ...variable })), OF_THE_RUNTIME]
      .map(({ name, preset, what }) => [`\`${name}\``, preset, what]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[], fill: string) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |\n`;
  const [head = [], ...body] = rows;
  const table = line(head, " ") + line(["", "", ""], "-") + body.map((row) => line(row, " ")).join("");
  return readme.replace(/^\| variable .*\n(?:\|.*\n)+/m, () => table);
}

function writePermissions(config: string, variables: Record<string, Variable>): string {
  const names = [...Object.keys(variables), ...NEAR_MISSES, ...OTHER_CLIENTS];
  let result = config;
  for (const [set, others] of [["service", []], ["local", ["npm_command"]]] as const) {
    const list = [...names, ...others].toSorted().map((name) => `          "${name}"`).join(",\n");
    const place = new RegExp(`("${set}": \\{[^]*?"allow": \\[\\n)[^]*?(\\n {8}\\],)`);
    result = result.replace(place, (_, before: string, after: string) => before + list + after);
  }
  return result;
}

/** What compose passes on as it is given; the database's address it knows itself. */
function writeEnvironment(compose: string, variables: Record<string, Variable>): string {
  const passedOn = Object.keys(variables).filter((name) =>
    variables[name]?.notDeployed === undefined && !["DATABASE_URL", "DATABASE_PASSWORD"].includes(name)
  );
  const lines = passedOn.map((name) => `      ${name}: \${${name}:-}\n`).join("");
  return compose.replace(/(?: {6}[A-Z_]+: \$\{[A-Z_]+:-\}\n){2,}/, () => lines);
}

if (import.meta.main) {
  const stale = await findStaleFiles();
  if (Deno.args.includes("--check")) {
    for (const file of stale) {
      console.error(`${file} does not say what src/config/variables.ts does: run \`deno task settings\``);
    }
    Deno.exit(stale.length === 0 ? 0 : 1);
  }
  for (const file of stale) {
    const write = FILES[file] ?? ((text: string) => text);
    await Deno.writeTextFile(ROOT + file, write(await Deno.readTextFile(ROOT + file), VARIABLES));
    console.log(`written: ${file}`);
  }
}
