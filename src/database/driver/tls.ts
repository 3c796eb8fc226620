/**
 * Reads how connections are encrypted from a database URL. Mends a defect of the driver: it ignores the file of
 * `sslrootcert`.
 * @module
 */
import { isIP } from "node:net";
import { OperatorError } from "../../errors.ts";
import { socketFolder, splitHosts } from "./hosts.ts";

/** The code of the error when TLS is required and the server offers none. */
export const NO_TLS = "CONNECT_WITHOUT_TLS";

/**
 * How connections are encrypted: the options of `node:tls`. `rejectUnauthorized` verifies certificate chain and
 * host name.
 */
export interface Tls {
  /** Whether a server without TLS is refused. */
  isRequired: boolean;
  rejectUnauthorized: boolean;
  ca?: string;
}

/** The URL parameters by which the driver or dbmate chooses the encryption. */
const TLS_PARAMETERS = ["ssl", "sslmode", "sslrootcert"];

/**
 * Makes a database URL ask for TLS verified against a CA file, in place of its own TLS parameters. libpq and
 * dbmate read the same.
 */
export function verifyingUrl(databaseUrl: string, caFile: string): string {
  return withTlsParameters(databaseUrl, { sslmode: "verify-full", sslrootcert: caFile });
}

/** Removes the TLS parameters from a URL: the driver's sockets are encrypted already. */
export function withoutTls(databaseUrl: string): string {
  return withTlsParameters(databaseUrl, {});
}

/**
 * Reads from a URL how its connections are encrypted; null: not at all. With an `sslrootcert`, whose file is
 * read now, certificate chain and host name are verified. Else `sslmode` decides. By default, connections to
 * this machine are not encrypted, and others are where the server offers TLS.
 * @throws {OperatorError} when the file cannot be read or holds no certificate, and for an IP address among
 * several hosts
 */
export function readTls(databaseUrl: string): Tls | null {
  const parameters = new URLSearchParams(partsOf(databaseUrl).query);
  const file = parameters.get("sslrootcert");
  if (file !== null && file !== "system") {
    refuseAddressAmongSeveral(databaseUrl);
    return { isRequired: true, rejectUnauthorized: true, ca: readCertificates(file) };
  }
  const mode = file === "system" ? "verify-full" : parameters.get("sslmode") ?? parameters.get("ssl");
  switch (mode ?? (isOnThisMachine(databaseUrl) ? "disable" : "prefer")) {
    case "disable":
    case "false":
      return null;
    case "allow":
    case "prefer":
      return { isRequired: false, rejectUnauthorized: false };
    case "require":
      return { isRequired: true, rejectUnauthorized: false };
    default:
      return { isRequired: true, rejectUnauthorized: true };
  }
}

function isOnThisMachine(databaseUrl: string): boolean {
  const urls = splitHosts(databaseUrl) ?? [];
  return urls.every((url) =>
    ["localhost", "127.0.0.1", "[::1]"].includes(new URL(url).hostname) || socketFolder(url) !== null
  );
}

function refuseAddressAmongSeveral(databaseUrl: string): void {
  const hosts = (splitHosts(databaseUrl) ?? []).map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  const address = hosts.find((host) => isIP(host) !== 0);
  if (hosts.length > 1 && address !== undefined) {
    throw new OperatorError(
      `DATABASE_CA_FILE: each of several hosts in DATABASE_URL must be a name: ${address} is an address`,
    );
  }
}

/** Says what to do about an error of TLS, by Node's code for it; null for any other error. */
export function describeTlsError({ message }: Error, code: string): string | null {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `its certificate is for another host: name it in DATABASE_URL as the certificate does, or have one issued ` +
      `for this host (an address needs an IP entry) (${message})`;
  }
  if (/^(?:UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA)/.test(code)) {
    return `its certificate is not valid by DATABASE_CA_FILE: use the file of the authority that signed it (${message})`;
  }
  if (code === NO_TLS) {
    return "it offers no TLS: switch it on there (ssl = on), or do not require it (DATABASE_CA_FILE, sslmode)";
  }
  return null;
}

function readCertificates(path: string): string {
  const text = readFile(path);
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new OperatorError(`DATABASE_CA_FILE: ${path} holds no certificate in PEM form (BEGIN CERTIFICATE)`);
  }
  return text;
}

function readFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new OperatorError(
        `DATABASE_CA_FILE: there is no file ${path}: mount it there, or correct the path`,
      );
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new OperatorError(
        `DATABASE_CA_FILE: ${path} lies outside of what the service may read: ` +
          `put it below the service's folder, such as ./certs/ca.pem, or add --allow-read=.,${path}`,
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`DATABASE_CA_FILE: cannot read ${path}: ${reason}`);
  }
}

/** Splits the URL by hand, for `URL` cannot parse several hosts. */
function withTlsParameters(databaseUrl: string, parameters: Record<string, string>): string {
  const { address, query } = partsOf(databaseUrl);
  const search = new URLSearchParams(query);
  for (const name of TLS_PARAMETERS) search.delete(name);
  for (const [name, value] of Object.entries(parameters)) search.set(name, value);
  return search.size === 0 ? address : `${address}?${search}`;
}

function partsOf(databaseUrl: string): { address: string; query: string } {
  const [address = "", ...rest] = databaseUrl.split("?");
  return { address, query: rest.join("?") };
}
