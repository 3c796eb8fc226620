/** What deno.lock holds, what each package is for, and under which licence it comes. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { EMBEDDED_SERVER, findServiceImports } from "../deploy/trim_imports.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** `service`: in the image. `checkout`: the PostgreSQL that a checkout brings. `development`: tests and tools alone. */
export type Purpose = "service" | "checkout" | "development";

/** A package of deno.lock. */
export interface Dependency {
  /** Its name in the lock, with its peers: one a copy. */
  key: string;
  name: string;
  version: string;
  /** As the lock has it: `sha512-` and the hash in base64. */
  integrity: string;
  purpose: Purpose;
  /** An SPDX expression. A program of one system has that of the package that brings it. */
  licence: string;
  /** Whether only machines of one system install it. */
  isOfOneSystem: boolean;
  /** Keys of what it needs, optional packages too. */
  needs: string[];
  /** Whether deno.json names it. */
  isDirect: boolean;
}

const lockSchema = z.object({
  specifiers: z.record(z.string(), z.string()),
  npm: z.record(
    z.string(),
    z.object({
      integrity: z.string(),
      dependencies: z.array(z.string()).default([]),
      optionalDependencies: z.array(z.string()).default([]),
      os: z.array(z.string()).optional(),
    }),
  ),
});
const configSchema = z.object({ imports: z.record(z.string(), z.string()) });
const packageSchema = z.object({ license: z.string() });

/**
 * Lists the packages of deno.lock, by name.
 * @throws {Error} if a package is not installed, or names no licence
 */
export async function readDependencies(): Promise<Dependency[]> {
  const { specifiers, npm } = lockSchema.parse(JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`)));
  const keys = Object.keys(npm);
  const needsOf = (key: string) => {
    const { dependencies = [], optionalDependencies = [] } = npm[key] ?? {};
    return [...dependencies, ...optionalDependencies].map((need) => findKey(keys, need));
  };

  const { imports } = configSchema.parse(JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)));
  const roots: Record<string, string> = {};
  for (const [name, target] of Object.entries(imports)) {
    const [, specifier = "", packageName = ""] = /^npm:\/?((@?[^@]+)@[^/]+)/.exec(target) ?? [];
    const version = specifiers[`npm:${specifier}`];
    if (version !== undefined) roots[name] = `${packageName}@${version}`;
  }
  const ofService = await findServiceImports(ROOT, Object.keys(roots));
  const closureOf = (names: string[]) => reach(names.flatMap((name) => roots[name] ?? []), needsOf);
  const checkout = closureOf(ofService);
  const service = closureOf(ofService.filter((name) => name !== EMBEDDED_SERVER));

  const bringers = Object.fromEntries(
    keys.flatMap((key) => needsOf(key).map((need) => [need, key] as const)),
  );
  return await Promise.all(
    keys.toSorted().map(async (key) => {
      const isOfOneSystem = npm[key]?.os !== undefined;
      return {
        key,
        ...splitKey(key),
        integrity: npm[key]?.integrity ?? "",
        purpose: service.has(key) ? "service" : checkout.has(key) ? "checkout" : "development",
        licence: await readLicence(isOfOneSystem ? bringers[key] ?? key : key),
        isOfOneSystem,
        needs: needsOf(key),
        isDirect: Object.values(roots).includes(key),
      };
    }),
  );
}

/** Reads the licence of an installed package. @throws {Error} if it names none */
export async function readLicence(key: string): Promise<string> {
  const { name, version } = splitKey(key);
  const folder = `${ROOT}node_modules/.deno/${name.replace("/", "+")}@${version}/node_modules/${name}`;
  const parsed = packageSchema.safeParse(JSON.parse(await Deno.readTextFile(`${folder}/package.json`)));
  if (!parsed.success) throw new Error(`${name}@${version} names no licence in its package.json`);
  return parsed.data.license;
}

/** `@a/b@1.0.0_peer@2.0.0` is version 1.0.0 of `@a/b`. */
function splitKey(key: string): { name: string; version: string } {
  const [, name = key, version = ""] = /^(@?[^@]+)@([^_]+)/.exec(key) ?? [];
  return { name, version };
}

/** The lock names a package by its name alone where it has one version of it. */
function findKey(keys: string[], need: string): string {
  const found = keys.find((key) => key === need) ?? keys.find((key) => key.startsWith(`${need}_`)) ??
    keys.find((key) => splitKey(key).name === need);
  if (found === undefined) throw new Error(`deno.lock has no ${need}`);
  return found;
}

function reach(roots: string[], needsOf: (key: string) => string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    waiting.push(...needsOf(key));
  }
  return reached;
}
