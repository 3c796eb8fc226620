import { z } from "zod";
import { splitList } from "./formats.ts";

/** 32 bytes as base64, as `deno task token --webhook-key` prints them. */
const KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** Parses `key,…`: the first seals, all open. */
export function webhookKeys() {
  return z.string().default("").transform((text, context): readonly Uint8Array[] => {
    const entries = splitList(text);
    entries.forEach((entry, index) => {
      if (KEY.test(entry)) return;
      context.addIssue({
        code: "custom",
        message: `entry ${index + 1} must be 32 bytes as base64 (make one: deno task token --webhook-key)`,
      });
    });
    if (new Set(entries).size < entries.length) {
      context.addIssue({ code: "custom", message: "the same key is given twice" });
    }
    return context.issues.length > 0
      ? []
      : Object.freeze(entries.map((entry) => Uint8Array.fromBase64(entry)));
  });
}
