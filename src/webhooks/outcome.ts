import { errorCode } from "../errors.ts";
import { describeRefusal } from "./address.ts";

/** What came of one attempt to send a message. */
export type Outcome = Answer | Failure;

/** The receiver answered, whatever it said. */
export interface Answer {
  status: number;
  tookMs: number;
  /** The first 2,000 characters of the body, well-formed and without NUL. */
  answer: string;
  /** Of the header Retry-After; null without one. */
  retryAfterSeconds: number | null;
}

/** There was no complete answer. */
export interface Failure {
  failed: FailureKind;
  tookMs: number;
  /** What happened and what to do, without secrets: of the URL it names host and port alone. */
  message: string;
}

/**
 * - `refused_address`: the URL or what its name leads to is not allowed; nothing was sent
 * - `dns`: the name cannot be resolved
 * - `connect`: nobody accepts connections there
 * - `tls`: the certificate or the handshake failed; nothing was sent
 * - `timeout`: the time limit was over, at whatever stage
 * - `reset`: the connection ended before the answer did
 * - `malformed`: the answer is not HTTP
 * - `too_large`: the answer's headers are too large; of a large body only the start is read
 * - `unsent`: this service itself failed
 */
export type FailureKind =
  | "refused_address"
  | "dns"
  | "connect"
  | "tls"
  | "timeout"
  | "reset"
  | "malformed"
  | "too_large"
  | "unsent";

/** The name of a receiver leads to an address that is not allowed. */
export class RefusedAddressError extends Error {
  override name = "RefusedAddressError";

  constructor(readonly address: string) {
    super(describeRefusal(address));
  }
}

/** Says what an error of a connection means. @param host with its port, as the message names it */
export function describeFailure(error: unknown, host: string): Pick<Failure, "failed" | "message"> {
  if (error instanceof RefusedAddressError) {
    return { failed: "refused_address", message: `${host} ${error.message}` };
  }
  const code = errorCode(error);
  if (/^(ENOTFOUND|ENODATA|ENOENT|EAI_\w+)$/.test(code)) {
    return { failed: "dns", message: `${host} cannot be resolved (${code}): check the host of the URL` };
  }
  if (/^(ECONNREFUSED|E(HOST|NET)(UNREACH|DOWN)|EADDRNOTAVAIL|ETIMEDOUT|EACCES|EPERM)$/.test(code)) {
    const what = `${host} cannot be connected to (${code})`;
    return {
      failed: "connect",
      message: `${what}: check that the receiver runs and is open to this service`,
    };
  }
  if (/TLS|SSL|CERT|SIGNATURE|ISSUER|PURPOSE|HOSTNAME|EPROTO/.test(code)) {
    return { failed: "tls", message: `${host} ${describeTls(code)} (${code})` };
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return { failed: "too_large", message: `${host} answers with headers of more than 16 KiB: send fewer` };
  }
  if (code.startsWith("HPE_")) {
    return { failed: "malformed", message: `${host} does not answer by HTTP/1.1 (${code}): check the port` };
  }
  const what = `${host} closed the connection before its answer was complete`;
  return { failed: "reset", message: `${what}: look into the receiver's log` };
}

/** Says that the time was over. */
export function describeTimeout(host: string, limitMs: number): Pick<Failure, "failed" | "message"> {
  const what = `${host} did not answer completely within ${limitMs / 1000} s`;
  return { failed: "timeout", message: `${what}: answer first, and work on the message afterwards` };
}

/** Says why a status is no success, and what to do. */
export function describeStatus(status: number): string {
  const what = `the receiver answered ${status}`;
  if (status >= 300 && status <= 399) {
    return `${what}, a redirect, which is not followed: give the webhook its final URL`;
  }
  if (status >= 500) return `${what}: it failed; look into its log`;
  switch (status) {
    case 401:
    case 403:
      return `${what}: it lets nobody in, or the signature does not fit; compare its secret with the webhook's`;
    case 404:
    case 405:
      return `${what}: nothing takes messages there; check the path of the URL`;
    case 410:
      return `${what}: it wants no more messages, so the webhook was disabled`;
    case 413:
      return `${what}: it takes no message of this size; raise its limit to 1 MB`;
    case 429:
      return `${what}: it has too much to do; let it take more, or wait`;
    default:
      return `${what}, which is no success (only 2xx is): look into its log`;
  }
}

function describeTls(code: string): string {
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "has a certificate for other names: give it one for the host of the URL";
    case "CERT_HAS_EXPIRED":
      return "has a certificate that has expired: renew it";
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return "has a certificate of an unknown authority: send the intermediate ones too, or name a CA of your own " +
        "in NODE_EXTRA_CA_CERTS";
    default:
      return "cannot be spoken to by TLS: check its certificate, and that the port is one for https";
  }
}
