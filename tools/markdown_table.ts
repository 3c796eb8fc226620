/** Writes a table as `deno fmt` has it. The first row is its head. */
export function markdownTable([head = [], ...body]: string[][]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((row) => [...row[column] ?? ""].length))
  );
  const line = (cells: string[], fill: string) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width, fill)).join(" | ")} |\n`;
  return line(head, " ") + line([], "-") + body.map((row) => line(row, " ")).join("");
}
