import { join } from "node:path";

/** A file system of a few MiB, which can be filled and emptied again. */
export interface SmallDisk {
  folder: string;
  /** Takes all the space that is left. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Mounts a tmpfs that belongs to the owner of another folder, such as a server's data; null where this account may not
 * mount.
 */
export async function mountSmallDisk(
  folder: string,
  { sizeMib, ownerOf }: { sizeMib: number; ownerOf: string },
): Promise<SmallDisk | null> {
  await Deno.mkdir(folder);
  const options = ["-t", "tmpfs", "-o", `size=${sizeMib}m,mode=777`, "tmpfs", folder];
  if (!await run("mount", options)) {
    await Deno.remove(folder);
    return null;
  }
  const { uid, gid } = await Deno.stat(ownerOf);
  if (uid !== null && gid !== null) await Deno.chown(folder, uid, gid);
  const filler = join(folder, "filler");
  return {
    folder,
    fill: () => writeUntilFull(filler),
    free: () => Deno.remove(filler),
    async remove() {
      await run("umount", ["--lazy", folder]);
      await Deno.remove(folder);
    },
  };
}

async function writeUntilFull(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  for (const bytes of [new Uint8Array(65_536), new Uint8Array(512)]) {
    try {
      for (;;) file.writeSync(bytes);
    } catch {
      // full
    }
  }
}

async function run(program: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false; // there is no such program
  }
}
