import { get, HOME } from "./admin_page.ts";
import type { TestService } from "./test_service.ts";

/** What somebody can reach on the admin page by links and by forms that ask for a page. */
export interface Crawl {
  /** The text of each page, by its address. */
  pages: Map<string, string>;
  /** The answers that were neither a page, a file nor a redirect. */
  refused: string[];
  /** The forms that send something, each kind once. */
  forms: SentForm[];
}

export interface SentForm {
  action: string;
  fields: Record<string, string>;
}

/** Follows every link of the pages, and every form that asks for a page, filled in with an id. */
export async function crawlPages(service: TestService, cookie: string, typed: string): Promise<Crawl> {
  const pages = new Map<string, string>();
  const refused: string[] = [];
  const forms = new Map<string, SentForm>();
  const seen = new Set([HOME]);
  for (const path of seen) {
    const response = await get(service, path, cookie);
    const text = await response.text();
    const location = response.headers.get("location");
    if (location !== null) {
      seen.add(location);
      continue;
    }
    if (response.status !== 200) refused.push(`${path}: ${response.status}`);
    if (response.headers.get("content-type")?.startsWith("text/html") !== true) continue;
    if (!path.startsWith("/admin/")) continue; // the documentation
    pages.set(path, text);
    for (const [, href = ""] of text.matchAll(/<a [^>]*?href="([^"]*)"/g)) {
      const { pathname, search } = new URL(unescape(href), `http://localhost${path}`);
      seen.add(pathname + search);
    }
    for (const { action, fields } of findForms(text, "get", typed)) {
      seen.add(`${action}?${new URLSearchParams(fields)}`);
    }
    for (const form of findForms(text, "post", typed)) forms.set(kindOf(form.action), form);
  }
  return { pages, refused, forms: [...forms.values()] };
}

/** An address without what makes it one of many: `…/runs/:id`. */
export function kindOf(path: string): string {
  return path.replace(/\?.*/, "").replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ":id").replace(/\d+$/, ":version");
}

/** The forms of a page that are sent by a method; empty fields are filled in with what is typed. */
export function findForms(html: string, method = "post", typed = ""): SentForm[] {
  return [...html.matchAll(/<form ([^>]*)>([^]*?)<\/form>/g)]
    .filter(([, attributes = ""]) => (attributeOf(attributes, "method") ?? "get") === method)
    .map(([, attributes = "", content = ""]) => ({
      action: unescape(attributeOf(attributes, "action") ?? ""),
      fields: fieldsOf(content, typed),
    }));
}

/** The fields as they are filled in, empty ones with what is typed, but for days. */
function fieldsOf(content: string, typed: string): Record<string, string> {
  const fields = [...content.matchAll(/<input ([^>]*)>/g)].map(([, attributes = ""]) => [
    attributeOf(attributes, "name") ?? "",
    unescape(attributeOf(attributes, "value") ?? (attributeOf(attributes, "type") === "date" ? "" : typed)),
  ]);
  return Object.fromEntries(fields);
}

function attributeOf(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
}

function unescape(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
