/** One line of the chart: a rate at each size. */
export interface Series {
  name: string;
  values: number[];
}

const WIDTH = 720;
const PANEL_HEIGHT = 96;
const LEFT = 232;
const RIGHT = 40;
const BAR_GAP = 3;

/** Draws each series as bars, a panel each, from zero; SVG without script or fonts of its own. */
export function writeChart(sizes: readonly number[], series: readonly Series[]): string {
  const height = series.length * PANEL_HEIGHT + 8;
  const panels = series.map((line, index) => writePanel(sizes, line, index * PANEL_HEIGHT));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif">`,
    `<title>Rates by number of members</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function writePanel(sizes: readonly number[], { name, values }: Series, top: number): string {
  const most = Math.max(...values);
  const bar = (PANEL_HEIGHT - 16) / values.length;
  const bars = values.map((value, index) => {
    const y = top + 8 + index * bar;
    const width = Math.max(1, (WIDTH - LEFT - RIGHT - 80) * value / most);
    const middle = y + bar / 2 + 4;
    return `<text x="${LEFT - 6}" y="${middle}" font-size="11" text-anchor="end" fill="#555">${
      sizes[index]?.toLocaleString("en")
    }</text>
<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${(bar - BAR_GAP).toFixed(1)}" fill="#3b6ea5"/>
<text x="${LEFT + width + 6}" y="${middle}" font-size="11" fill="#222">${
      Math.round(value).toLocaleString("en")
    }</text>`;
  });
  const [what = "", ...unit] = name.split(/, (?=[^,]*$)/);
  return `<text x="8" y="${top + 36}" font-size="13" font-weight="bold" fill="#222">${what}</text>
<text x="8" y="${top + 54}" font-size="11" fill="#555">${unit.join("")}</text>
${bars.join("\n")}`;
}
