import { statfs } from "node:fs/promises";

const MEMORY_DISK = "/dev/shm";
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * Makes a folder for the data of a server: in memory where there is room, else on disk. A database is 300 files, and ext4
 * takes half a millisecond of processor time for each new one while many others have just been deleted.
 * @param options.onDisk for what a command must reach: below /dev Deno opens nothing to a process of limited permissions
 */
export async function makeClusterFolder(options: { onDisk?: boolean } = {}): Promise<string> {
  const inMemory = options.onDisk !== true && await hasRoomInMemory();
  const folder = await Deno.makeTempDir({
    prefix: "trainer-assignment-",
    ...(inMemory ? { dir: MEMORY_DISK } : {}),
  });
  await Deno.chmod(folder, 0o711); // as root, the server's account passes through
  return folder;
}

async function hasRoomInMemory(): Promise<boolean> {
  const disk = await statfs(MEMORY_DISK).catch(() => null); // there is none on macOS
  if (disk === null || disk.bavail * disk.bsize < ROOM_BYTES) return false;
  return Deno.systemMemoryInfo().available > ROOM_BYTES;
}
