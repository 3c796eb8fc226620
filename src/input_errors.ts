import type { z } from "zod";

/** One thing wrong with an input. */
export interface InputError {
  /** A JSON Pointer (RFC 6901) into the input. */
  pointer: string;
  detail: string;
}

/** What is told of a key that a schema does not have. */
export const UNKNOWN_NAME = "Unknown name; check the spelling.";

/** Lists what a schema found wrong, each with a pointer. @param place the keys above the input */
export function toInputErrors(error: z.ZodError, place: readonly PropertyKey[] = []): InputError[] {
  return error.issues.flatMap((issue) => {
    const path = [...place, ...issue.path];
    return issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ pointer: toPointer([...path, key]), detail: UNKNOWN_NAME }))
      : [{ pointer: toPointer(path), detail: issue.message }];
  });
}

function toPointer(path: PropertyKey[]): string {
  return path.map((key) => "/" + String(key).replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}
