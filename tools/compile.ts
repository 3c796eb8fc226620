/**
 * What `deno task compile` runs: writes one file that serves and migrates on a machine without Deno and npm, of the
 * operating system and processor on which it is made. It holds what the image holds, and Deno itself; it unpacks itself
 * into the account's cache when it is started the first time.
 *
 * `deno compile` would not do: dbmate is a program of its own, which has to lie on a disk to be run.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createHash } from "node:crypto";
import project from "../deno.json" with { type: "json" };
import { VERSION } from "../src/version.ts";
import { buildImage, run } from "./image.ts";

/** Writes the one file. @param output its path; a file that is there is written anew */
export async function writeOneFile(output: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "trainer-assignment-one-file-" });
  try {
    const content = join(folder, "content");
    await Deno.mkdir(content);
    await buildImage(content);
    await Deno.remove(join(content, "deno-dir/gen"), { recursive: true }); // compiled for the paths of this folder
    await Deno.copyFile(Deno.execPath(), join(content, "deno"));
    const dbmate = await findDbmate(content);
    if (dbmate === null) throw new Error(`dbmate has no program for ${Deno.build.os} on ${Deno.build.arch}`);
    const reads = project.permissions.service.read.filter((path) => path !== "./").join(",");
    const archive = join(folder, "content.tar.gz");
    // Level 1 takes less than half of the time of gzip's own level, for 6 MB more.
    const options = ["--use-compress-program=gzip -1", "-cf", archive, "-C", content];
    await run("tar", { args: [...options, "app", "deno", "deno-dir"] });

    const packed = await Deno.readFile(archive);
    const digest = createHash("sha256").update(packed).digest("hex").slice(0, 12);
    const script = await Deno.readTextFile(new URL("one_file.sh", import.meta.url));
    const head = (lines: number) =>
      `#!/bin/sh\nname=${VERSION}-${digest}\nlines=${lines}\ndbmate=${dbmate}\nreads=${reads}\n${script}`;
    const lines = head(0).split("\n").length - 1;
    await Deno.writeFile(output, new TextEncoder().encode(head(lines)));
    await Deno.writeFile(output, packed, { append: true });
    await Deno.chmod(output, 0o755);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Finds dbmate's program among the packages. @returns its path from the folder, or null */
async function findDbmate(folder: string, below = "deno-dir/npm"): Promise<string | null> {
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    if (isDirectory) {
      const found = await findDbmate(folder, path);
      if (found !== null) return found;
    } else if (path.endsWith("/bin/dbmate")) {
      return path;
    }
  }
  return null;
}

if (import.meta.main) {
  const { values } = parseArgs({ args: Deno.args, options: { output: { type: "string" } } });
  const output = values.output ?? fileURLToPath(new URL("../trainer-assignment", import.meta.url));
  await writeOneFile(output);
  const { size } = await Deno.stat(output);
  console.log(`written: ${output}, ${Math.round(size / 1e6)} MB, for ${Deno.build.os} on ${Deno.build.arch}`);
}
