import { z } from "zod";
import { readDatabaseUrl, withPassword } from "./database_url.ts";
import { verifyingUrl } from "./driver/tls.ts";

/** Variables that are probably meant as DATABASE_URL. If one is set, the service does not start its own database. */
export const NEAR_MISSES = [
  "DATABASE_DSN",
  "DATABASE_URI",
  "DATABSE_URL",
  "DATBASE_URL",
  "DB_URL",
  "PG_URL",
  "POSTGRESQL_URL",
  "POSTGRES_URI",
  "POSTGRES_URL",
] as const;

/** Variables of other database clients, which may be set for those. */
export const OTHER_CLIENTS = ["DB_HOST", "PGDATABASE", "PGHOST", "POSTGRES_HOST"] as const;

/** Returns the problem of a missing DATABASE_URL while a similar variable is set. */
export function findMissingUrl(environment: Record<string, string>): string[] {
  if (environment["DATABASE_URL"] === "") {
    return ["DATABASE_URL: is empty: give it, or unset it for a database of the service's own in .data"];
  }
  if (environment["DATABASE_URL"] !== undefined) return [];
  return NEAR_MISSES.filter((name) => environment[name]).map((name) =>
    `DATABASE_URL: is missing, but ${name} is set: rename it if it names the database, else unset it`
  );
}

/** Returns warnings about settings without effect. */
export function findWarnings(
  given: Record<string, string>,
  urls: { DATABASE_URL?: GivenUrl | undefined; DATABASE_READ_URL?: GivenUrl | undefined },
): string[] {
  const { DATABASE_URL, DATABASE_READ_URL } = urls;
  const ignored = Object.entries({ DATABASE_URL, DATABASE_READ_URL }).flatMap(([name, url]) =>
    url === undefined || url.ignored.length === 0 ? [] : `${name}: ignored are ${url.ignored.join(", ")}`
  );
  const others = OTHER_CLIENTS.filter((name) => DATABASE_URL === undefined && given[name] !== undefined);
  if (others.length === 0) return ignored;
  return [
    ...ignored,
    `DATABASE_URL is missing, and ${
      others.join(", ")
    } not read: the service uses a database of its own in .data`,
  ];
}

/** A valid address, and its parameters without effect. */
export interface GivenUrl {
  url: string;
  ignored: string[];
}

/** Parses a variable that holds a database's address. */
export function databaseUrl() {
  return z.string().transform((text, context): GivenUrl => {
    const read = readDatabaseUrl(text);
    if ("url" in read) return read;
    context.addIssue({ code: "custom", message: read.problem });
    return z.NEVER;
  });
}

/** Adds the password and the CA file, which have variables of their own, to the address. */
export function completeUrl(
  url: string | undefined,
  { DATABASE_PASSWORD: password, DATABASE_CA_FILE: caFile }: {
    DATABASE_PASSWORD?: string | undefined;
    DATABASE_CA_FILE?: string | undefined;
  },
): string | null {
  if (url === undefined) return null;
  const complete = withPassword(url, password);
  return caFile === undefined ? complete : verifyingUrl(complete, caFile);
}
