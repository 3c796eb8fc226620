/** CONTRIBUTING.md, "Where things live", read from the imports themselves. */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** From below to above: a file imports from its own row and from those before it. */
const FLOORS = [
  ["deno.json"],
  [
    "src/actor.ts",
    "src/errors.ts",
    "src/deadline.ts",
    "src/input_errors.ts",
    "src/storable_text.ts",
    "src/times.ts",
    "src/version.ts",
  ],
  ["src/telemetry"],
  ["src/database"],
  ["src/config.ts", "src/config"],
  ["src/assignments", "src/history", "src/policy", "src/runs", "src/webhooks"],
  ["src/trainer_assignment.ts"],
  ["src/operation"],
  ["src/http"],
  ["src/admin"],
  ["src/service.ts"],
  ["src/commands"],
  ["main.ts"],
];
/** The typed client, a package of its own: for programs beside the service, in any JavaScript runtime. */
const CLIENT = "packages/client/src";

interface SourceFile {
  path: string;
  text: string;
  imports: string[];
}

describe("the architecture", () => {
  const files = readFiles("src");
  files.push(readFile("main.ts"));
  const clientFiles = readFiles(CLIENT);

  it("gives every file of src one place", () => {
    const homeless = files.filter(({ path }) => floorOf(path) === undefined);
    assertEquals(homeless.map(({ path }) => path), []);
  });

  it("has no import of a higher layer", () => {
    const arrows = files.flatMap(({ path, imports }) =>
      imports.filter((target) => (floorOf(target) ?? Infinity) > (floorOf(path) ?? -1))
        .map((target) => `${path} -> ${target}`)
    );
    assertEquals(arrows, []);
  });

  it("has no circle of imports, types included", () => {
    const targets = new Map([...files, ...clientFiles].map(({ path, imports }) => [path, imports]));
    assertEquals(findCircle(targets), []);
  });

  it("has a typed client that imports nothing but its own files", () => {
    const arrows = clientFiles.flatMap(({ path, text }) =>
      Array.from(
        text.matchAll(/\bfrom "([^"]+)"|\bimport[( ]"([^"]+)"/g),
        ([, from, bare]) => from ?? bare ?? "",
      )
        .filter((target) => !/^\.\/\w+\.ts$/.test(target)).map((target) => `${path} -> ${target}`)
    );
    assertEquals(arrows, []);
  });

  it("has a service that imports nothing of the typed client", () => {
    const users = files.filter(({ text }) => /packages\/client|"trainer-assignment-client"/.test(text));
    assertEquals(users.map(({ path }) => path), []);
  });

  it("has SQL neither in routes nor in pages", () => {
    const isShell = ({ path }: SourceFile) =>
      path.startsWith("src/http/routes/") || path.startsWith("src/admin/");
    const withSql = files.filter(isShell).filter(({ text }) => /\bsql(<[^`]*>)?`/.test(text));
    assertEquals(withSql.map(({ path }) => path), []);
  });

  it("reads the environment in main.ts alone", () => {
    const readers = files.filter(({ text }) => /\bDeno\.env\b|\bprocess\.env\b/.test(text));
    assertEquals(readers.map(({ path }) => path), ["main.ts"]);
  });

  it("finds a circle where there is one", () => {
    const circle = findCircle(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]]));
    assertEquals(circle, ["b", "c", "b"]);
  });
});

function readFiles(folder: string): SourceFile[] {
  return Array.from(Deno.readDirSync(join(ROOT, folder))).flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return readFiles(path);
    return /\.tsx?$/.test(name) ? [readFile(path)] : [];
  });
}

function readFile(path: string): SourceFile {
  const text = Deno.readTextFileSync(join(ROOT, path));
  const imports = Array.from(
    text.matchAll(/\bfrom "(\.[^"]+)"/g),
    ([, target = ""]) => normalize(join(dirname(path), target)),
  );
  return { path, text, imports };
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

function floorOf(path: string): number | undefined {
  const floor = FLOORS.findIndex((places) => places.some((place) => isWithin(path, place)));
  return floor === -1 ? undefined : floor;
}

/** The first circle that a walk along the arrows meets; empty where there is none. */
function findCircle(targets: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const walk = (path: string, way: string[]): string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const circle = walk(target, [...way, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const path of targets.keys()) {
    const circle = walk(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
