import { tmpdir } from "node:os";
import { join } from "node:path";

/** Does what two processes must not do at the same time, such as installing a program: one waits for the other. */
export async function oneAtATime<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  using file = await Deno.open(join(tmpdir(), `trainer-assignment-${name}.lock`), {
    create: true,
    write: true,
  });
  await file.lock(true);
  return await work(); // closing the file, or the end of the process, gives the lock back
}
