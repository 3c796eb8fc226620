import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** A secret that can be recognised wherever it turns up. */
export interface Canary {
  name: string;
  value: string;
  /** What it is sent along with: `name:value` is one secret in base64. */
  user?: string;
}

/** Something that others see: what was printed, an answer, a metric, a span. */
export interface Sight {
  where: string;
  text: string;
}

/** The ways in which a secret could be written, by name. */
export function formsOf({ value, user }: Canary): Map<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64").replace(/=+$/, "");
  const base64url = (text: string) => Buffer.from(text).toString("base64url");
  const forms = new Map([
    ["plain", value],
    ["in JSON", JSON.stringify(value).slice(1, -1)],
    ["URL-encoded", encodeURIComponent(value)],
    ["in a form", new URLSearchParams({ value }).toString().slice("value=".length)],
    ["in hex", Buffer.from(value).toString("hex")],
    ["in base64", base64(value)],
    ["in base64url", base64url(value)],
    ["by its SHA-256", hash("sha256", value, "hex")],
    ["by its SHA-256 in base64", hash("sha256", value, "base64url").slice(0, 32)],
  ]);
  if (user !== undefined) {
    forms.set("as credentials in base64", base64(`${user}:${value}`));
    forms.set(
      "as encoded credentials in base64",
      base64(`${encodeURIComponent(user)}:${encodeURIComponent(value)}`),
    );
  }
  return forms;
}

/** Finds each secret in what was seen: one text for each finding. */
export function findCanaries(canaries: readonly Canary[], sights: readonly Sight[]): string[] {
  return canaries.flatMap((canary) =>
    [...formsOf(canary)].flatMap(([form, text]) =>
      sights.filter((sight) => sight.text.includes(text)).map(({ where }) =>
        `${canary.name}, ${form}, in ${where}`
      )
    )
  );
}

/** Records an answer as its reader sees it: status, headers and body, of a download that is cut off what had come. */
export async function sightOf(where: string, response: Response): Promise<Sight> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  let body = "";
  try {
    for await (const text of (response.body ?? new Blob([]).stream()).pipeThrough(new TextDecoderStream())) {
      body += text;
    }
  } catch (error) {
    body += `\ncut off: ${error}`;
  }
  return { where, text: [String(response.status), ...headers, body].join("\n") };
}
