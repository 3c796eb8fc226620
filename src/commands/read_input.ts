import { OperatorError } from "../errors.ts";

/** Reads a file that was named on the command line; `-` is standard input. */
export async function readInput(file: string): Promise<string> {
  if (file === "-") return await new Response(Deno.stdin.readable).text();
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new OperatorError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}
