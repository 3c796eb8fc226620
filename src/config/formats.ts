import { Cron } from "croner";
import { z } from "zod";

/** Parses a whole number within its bounds. */
export function wholeNumber(least: number, most: number, preset: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.string().regex(/^\d{1,9}$/, message).default(String(preset)).transform(Number)
    .refine((number) => number >= least && number <= most, message);
}

/** Splits at commas; empty entries do not count. */
export function splitList(text: string): string[] {
  return text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

/** Tells whether a URL uses https, as OpenID Connect requires, or is on this machine. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text);
  const isLoopback = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url?.protocol === "https:" || (isLoopback && url.protocol === "http:");
}

/** Tells whether it is an origin exactly as browsers write it: lower-case, without a path and a default port. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ["https:", "http:"].includes(url.protocol) && url.origin === text &&
    !text.includes("*");
}

/** Tells whether it is a cron pattern that matches at some time, or `off`. */
export function isCronPattern(text: string): boolean {
  if (text === "off") return true;
  try {
    return new Cron(text, { paused: true, timezone: "UTC" }).nextRun() !== null;
  } catch {
    return false;
  }
}
