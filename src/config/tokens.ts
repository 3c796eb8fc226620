import { z } from "zod";
import { splitList } from "./formats.ts";
import type { Role } from "./roles.ts";

/** A bearer token that a caller may present, known by its hash alone. */
export interface Token {
  /** What records name: who started, paused, changed. */
  name: string;
  role: Role;
  sha256: Uint8Array;
}

/** Parses `name=sha256,…`. */
export function tokens(role: Role) {
  return z.string().default("").transform((text, context): Token[] =>
    splitList(text).flatMap((entry, index) => {
      const [, name, sha256] = /^([A-Za-z0-9._-]{1,64})=([0-9a-fA-F]{64})$/.exec(entry) ?? [];
      if (name !== undefined && sha256 !== undefined) {
        return [{ name, role, sha256: Uint8Array.fromHex(sha256) }];
      }
      context.addIssue({
        code: "custom",
        message: `entry ${index + 1} must be name=sha256 (make one: deno task token NAME ${role})`,
      });
      return [];
    })
  );
}
