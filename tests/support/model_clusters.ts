import {
  createCluster,
  findFreePort,
  startServer,
  stopServer,
  SUPERUSER,
} from "../../src/database/embedded/postgres_server.ts";
import { makeClusterFolder } from "./cluster_folder.ts";
import { findBinaries, type PostgresVersion } from "./servers.ts";
import { makeTemplate } from "./template.ts";

/**
 * Makes the clusters that the servers of tests are copies of, which is ten times as fast as initdb, with the template
 * that the databases of tests are copies of. `TEST_CLUSTERS` is their `json`.
 */
export async function createModelClusters(
  versions: readonly PostgresVersion[],
): Promise<{ json: string; remove(): Promise<void> }> {
  const parent = await makeClusterFolder();
  const remove = () => Deno.remove(parent, { recursive: true });
  try {
    const models = versions.map(async (version) =>
      [version, await createModelCluster(version, `${parent}/postgres_${version}`)] as const
    );
    await Promise.allSettled(models); // none is under way when their folder is removed
    return { json: JSON.stringify(Object.fromEntries(await Promise.all(models))), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function createModelCluster(
  version: PostgresVersion,
  folder: string,
): Promise<{ folder: string; password: string }> {
  const binaries = await findBinaries(version);
  const password = crypto.randomUUID();
  await createCluster(binaries, folder, { password, sync: false });
  const port = findFreePort();
  await startServer(binaries, folder, port, { fsync: "off" });
  try {
    await makeTemplate(`postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`);
  } finally {
    await stopServer(binaries, folder);
  }
  return { folder, password };
}
