import { join, resolve } from "node:path";
import { OperatorError } from "../errors.ts";
import { createKey } from "./key.ts";

/**
 * Reads the key that a service with a database of its own keeps beside it; makes it the first time.
 * @param folder of the data; only one service at a time uses it
 * @throws {OperatorError}
 */
export async function readOwnKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, "webhook_key");
  try {
    const text = await readText(path) ?? await create(path);
    const key = Uint8Array.fromBase64(text.trim());
    if (key.length === 32) return key;
    throw new TypeError("it is not 32 bytes as base64");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(
      `cannot use the key of webhooks in ${resolve(path)}: ${reason}: restore the file, or delete it, ` +
        "start again and give each webhook a new secret",
    );
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Writes under another name first: an interrupted start leaves no half a key. */
async function create(path: string): Promise<string> {
  const key = createKey();
  await Deno.writeTextFile(`${path}.new`, `${key}\n`, { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
  return key;
}
