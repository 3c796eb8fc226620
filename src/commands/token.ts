import { createHash } from "node:crypto";
import { ROLES } from "../config/roles.ts";
import { createKey } from "../webhooks/key.ts";
import { type Command, UsageError } from "./command.ts";

/** Creates a token, of which the bearer keeps the token, the service its hash; or a key for webhooks. */
export const token: Command = {
  usage: "NAME admin|viewer|service | --webhook-key",
  summary: "make a token, or a key for webhooks, and the line that configures it",
  run({ args, print }) {
    const [name = "", asked, ...rest] = args;
    if (name === "--webhook-key") {
      if (args.length > 1) throw new UsageError("--webhook-key stands alone");
      print("Configuration of the service; keep it secret, and the same on every replica:");
      print(`WEBHOOK_KEY=${createKey()}`);
      return Promise.resolve(0);
    }
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      throw new UsageError("a token's name is 1 to 64 of the characters A-Z a-z 0-9 . _ -");
    }
    const role = ROLES.find((role) => role === asked);
    if (role === undefined || rest.length > 0) {
      throw new UsageError("a token's role is admin, viewer or service");
    }
    const { secret, sha256 } = createToken();
    print(`Token, for its bearer only; it is not kept anywhere:`);
    print(secret);
    print(`Configuration of the service; several tokens are separated by commas:`);
    print(`${role.toUpperCase()}_TOKENS=${name}=${sha256.toHex()}`);
    return Promise.resolve(0);
  },
};

/** Creates a token of 256 random bits. With so many, a plain hash is as good as a slow one. */
export function createToken(): { secret: string; sha256: Uint8Array } {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const secret = `ta_${random.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  return { secret, sha256: createHash("sha256").update(secret).digest() };
}
