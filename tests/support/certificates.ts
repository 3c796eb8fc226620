import { join } from "node:path";
import type { TestServer } from "./servers.ts";

/** A certificate authority of a test's own; its files lie in the folder given. */
export interface TestAuthority {
  /** The PEM file that a client verifies against. */
  caFile: string;
  /** Signs a certificate for these names, such as `DNS:localhost` or `IP:127.0.0.1`; returns its PEM and its key's. */
  issue(names: string): Promise<{ certificate: string; key: string }>;
  /** Gives a server one, from its next start on. */
  install(server: TestServer, names: string): Promise<void>;
}

/** Makes an authority with openssl. Keys live in the folder alone, and go with it. */
export async function createAuthority(folder: string, name: string): Promise<TestAuthority> {
  const file = (suffix: string) => join(folder, `${name}.${suffix}`);
  const caFile = file("pem");
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...ec, "-keyout", file("key"), "-out", caFile, "-subj", `/CN=${name}`);
  const authority: TestAuthority = {
    caFile,
    async issue(names) {
      const [key, certificate] = [file("server.key"), file("server.pem")];
      const signer = ["-CA", caFile, "-CAkey", file("key")];
      const extensions = [
        "-addext",
        `subjectAltName=${names}`,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
      ];
      await openssl(
        "req",
        "-x509",
        ...ec,
        ...signer,
        ...extensions,
        "-keyout",
        key,
        "-out",
        certificate,
        "-subj",
        "/CN=server",
      );
      return { certificate: await Deno.readTextFile(certificate), key: await Deno.readTextFile(key) };
    },
    async install(server, names) {
      const { certificate, key } = await authority.issue(names);
      const { uid, gid } = await Deno.stat(server.folder);
      for (const [name, text] of [["server.crt", certificate], ["server.key", key]] as const) {
        const path = join(server.folder, name);
        await Deno.writeTextFile(path, text, { mode: 0o600 });
        await Deno.chown(path, uid, gid);
      }
      await Deno.writeTextFile(join(server.folder, "postgresql.auto.conf"), "ssl = on\n");
    },
  };
  return authority;
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
}
