import { z } from "zod";
import type { Figure } from "./claim.ts";
import type { Surroundings } from "./machine.ts";

const RESULTS = new URL("../results.json", import.meta.url);
const README = new URL("../README.md", import.meta.url);
const CLAIMS = /(<!-- claims: written by the bench -->\n)[^]*?(<!-- end of claims -->)/;
const TABLE = /(<!-- results: written by the bench -->\n)[^]*?(<!-- end of results -->)/;

const processorSchema = z.object({ service: z.number(), database: z.number() });
const figureSchema = z.object({
  what: z.string(),
  unit: z.string(),
  target: z.string().nullable(),
  isReached: z.boolean().nullable(),
  median: z.number(),
  least: z.number(),
  most: z.number(),
  rounds: z.number(),
  processor: z.object({ ours: processorSchema, peer: processorSchema.optional() }).optional(),
});
const resultsSchema = z.record(
  z.string(),
  z.object({
    surroundings: z.object({
      date: z.string(),
      commit: z.string(),
      machine: z.string(),
      versions: z.string(),
      load: z.number(),
    }),
    figures: z.array(figureSchema),
  }),
);

/** Writes figures as lines of a Markdown table. */
export function formatFigures(figures: readonly Figure[]): string {
  return figures.map((figure) => {
    const { what, unit, target, isReached, median, least, most, rounds } = figure;
    const spread = rounds > 1 ? ` (${formatNumber(least)} to ${formatNumber(most)})` : "";
    const verdict = isReached === null ? "" : isReached ? "reached" : "**not reached**";
    return `| ${what} | ${target ?? ""} | ${formatNumber(median)}${unit}${spread} | ${verdict} |`;
  }).join("\n");
}

/** Keeps a claim's figures at full size, and writes the table of bench/README.md anew. */
export async function keepResult(
  name: string,
  surroundings: Surroundings,
  figures: Figure[],
  order: string[],
): Promise<void> {
  const kept = await Deno.readTextFile(RESULTS).then(
    (text) => resultsSchema.parse(JSON.parse(text)),
    () => ({}),
  );
  const results: z.infer<typeof resultsSchema> = { ...kept, [name]: { surroundings, figures } };
  await Deno.writeTextFile(RESULTS, JSON.stringify(results, null, 2) + "\n");
  await writeReadme(order);
}

/** Writes the tables of bench/README.md from the kept results. */
export async function writeReadme(order: string[]): Promise<void> {
  const results = resultsSchema.parse(JSON.parse(await Deno.readTextFile(RESULTS)));
  const sections = order.flatMap((claim) => {
    const result = results[claim];
    if (result === undefined) return [];
    const { date, commit, machine, versions, load } = result.surroundings;
    return `\n### ${claim}\n\n\`deno task bench ${claim} --full\` on ${date}, commit ${commit}; ${machine}, load ${load}; ` +
      `${versions}\n\n| what | target | median (least to most of the rounds) | |\n|---|---|---|---|\n` +
      formatFigures(result.figures) + "\n";
  });
  const readme = await Deno.readTextFile(README);
  await Deno.writeTextFile(
    README,
    readme
      .replace(CLAIMS, (_, begin, end) => begin + formatClaims(results, order) + end)
      .replace(TABLE, (_, begin, end) => begin + sections.join("") + "\n" + end),
  );
}

/** One line for each figure with a target. */
function formatClaims(results: z.infer<typeof resultsSchema>, order: string[]): string {
  const lines = order.flatMap((claim) =>
    (results[claim]?.figures ?? []).filter(({ isReached }) => isReached !== null).map((figure) => {
      const [what, ...against] = figure.what.split(" / ");
      const cells = [
        `${claim}: ${what}`,
        against.join(" / "),
        formatNumber(figure.median) + figure.unit,
        figure.target,
        formatProcessor(figure.processor),
        figure.isReached ? "reached" : "**not reached**",
      ];
      return `| ${cells.join(" | ")} |\n`;
    })
  );
  const head = "| claim | against | measured | target | processor time, service + database | |\n";
  return `\n${head}|---|---|---|---|---|---|\n${lines.join("")}\n`;
}

function formatProcessor(processor: Figure["processor"]): string {
  if (processor === undefined) return "";
  const parts = [processor.ours, ...(processor.peer === undefined ? [] : [processor.peer])];
  return parts.map(({ service, database }) => `${formatNumber(service)} + ${formatNumber(database)}`)
    .join(" against ") + " µs";
}

function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
