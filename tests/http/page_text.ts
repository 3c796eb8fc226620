/** The text of a page as its readers see it, on one line. */
export function textOfPage(html: string): string {
  return html.replace(/^.*<main/s, "<main")
    .replaceAll(/<\/?(?:a|bdi|strong|code|span|time)\b[^>]*>/g, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name) => ENTITIES[name] ?? "")
    .replaceAll(/\s+/g, " ");
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
