import { fileURLToPath } from "node:url";
import { type Child, startChild } from "./child.ts";
import { TOKEN } from "./service.ts";

const FOLDER = fileURLToPath(new URL("../peers/", import.meta.url));

/** Installs the peers' packages beside them, when that has not been done; nothing else of the project needs them. */
export async function installPeers(): Promise<void> {
  const isInstalled = await Deno.stat(`${FOLDER}/node_modules/autocannon`).then(() => true, () => false);
  if (isInstalled) return;
  const install = new Deno.Command("npm", {
    args: ["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    cwd: FOLDER,
    stdout: "null",
  });
  if (!(await install.spawn().status).success) throw new Error(`npm ci failed in ${FOLDER}`);
}

/** Starts one of the programs in bench/peers, on Node. */
export async function startPeer(name: "fastify" | "express", databaseUrl: string): Promise<Child> {
  return await startChild("node", [`${name}.js`], {
    cwd: FOLDER,
    environment: { DATABASE_URL: databaseUrl, TOKEN, NODE_ENV: "production" },
  });
}
