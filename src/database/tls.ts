import { isIP } from "node:net";
import { OperatorError } from "../operator_error.ts";
import { splitHosts } from "./hosts.ts";

/** What the driver hands to TLS, so that it verifies the server's chain, and that the certificate names its host. */
export interface VerifiedTls {
  ca: string;
  rejectUnauthorized: true;
  /** Where the host is an address: the driver names none then, and `localhost` would be verified in its place. */
  host?: string;
}

/** Every parameter of a database's URL by which the driver, or dbmate, would choose how to encrypt. */
const TLS_PARAMETERS = ["ssl", "sslmode", "sslrootcert"];

/** Makes a database URL ask for TLS verified against a CA file, as libpq and dbmate read it too; whatever it said before. */
export function verifyingUrl(databaseUrl: string, caFile: string): string {
  return withTlsParameters(databaseUrl, { sslmode: "verify-full", sslrootcert: caFile });
}

/** The URL without what it says of TLS: the driver would send `sslrootcert` to the server, which knows no such setting. */
export function withoutTls(databaseUrl: string): string {
  return withTlsParameters(databaseUrl, {});
}

/**
 * Reads the file that the URL's `sslrootcert` names; null where it names none.
 * @throws {OperatorError} when the file cannot be read, or holds no certificate, and for an address among several hosts
 */
export function readTls(databaseUrl: string): VerifiedTls | null {
  const path = new URLSearchParams(partsOf(databaseUrl).query).get("sslrootcert");
  if (path === null || path === "system") return null;
  const ca = readCertificates(path);
  if (!ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new OperatorError(`DATABASE_CA_FILE: ${path} holds no certificate in PEM form (BEGIN CERTIFICATE)`);
  }
  const hosts = (splitHosts(databaseUrl) ?? []).map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  const address = hosts.find((host) => isIP(host) !== 0);
  if (address === undefined) return { ca, rejectUnauthorized: true };
  if (hosts.length > 1) {
    throw new OperatorError(
      `DATABASE_CA_FILE: of several hosts in DATABASE_URL each must be a name: ${address} is an address`,
    );
  }
  return { ca, rejectUnauthorized: true, host: address };
}

/** Says what to do about a server that TLS does not verify, by Node's codes and words; null for any other error. */
export function describeTlsError({ message }: Error, code: string): string | null {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `its certificate is for another host: name it in DATABASE_URL as the certificate does, or have one issued ` +
      `for this host (an address needs an IP entry) (${message})`;
  }
  if (/^(?:UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA)/.test(code)) {
    return `its certificate is not valid by DATABASE_CA_FILE: use the file of the authority that signed it (${message})`;
  }
  if (message.includes("before secure TLS connection was established")) {
    return "it offers no TLS, or breaks it off: switch TLS on there (ssl = on), or ask for none (DATABASE_CA_FILE, sslmode)";
  }
  return null;
}

function readCertificates(path: string): string {
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
          `put it below the service's folder, such as ./certs/ca.pem, or add --allow-read=${path}`,
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`DATABASE_CA_FILE: cannot read ${path}: ${reason}`);
  }
}

/** By hand: a URL of several hosts is none to `URL`. */
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
