import type { Context } from "hono";
import { Problem } from "./problems.ts";
import { invalidRequest } from "./validation.ts";

// Proxies that compress an answer mark its ETag as weak (`W/`); the version it names is the same.
const VERSION_TAG = /^(?:W\/)?"([1-9]\d{0,8})"$/;

/** The ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** Whether the caller has this version already (`If-None-Match`). */
export function hasVersion(c: Context, version: number): boolean {
  const tags = c.req.header("if-none-match")?.split(",").map((tag) => tag.trim()) ?? [];
  return tags.some((tag) => tag === "*" || tag === etagOf(version) || tag === `W/${etagOf(version)}`);
}

/**
 * Reads the version that a change was made from (`If-Match`); undefined for `*`: whatever version is in force.
 * @throws {Problem} `precondition_required`, `invalid_request`
 */
export function readExpectedVersion(c: Context): number | undefined {
  const tag = c.req.header("if-match")?.trim();
  if (tag === undefined) {
    throw new Problem(
      "precondition_required",
      "Send If-Match with the ETag of the version that you changed, or * to replace any version.",
    );
  }
  if (tag === "*") return undefined;
  const [, version] = VERSION_TAG.exec(tag) ?? [];
  if (version === undefined) {
    throw invalidRequest([{
      pointer: "/header/If-Match",
      detail: 'Must be one ETag as it was sent, such as "3" with its double quotes, or *.',
    }]);
  }
  return Number(version);
}
