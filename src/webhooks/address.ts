import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Azure's own services for virtual machines, behind an address that looks public. */
const AZURE_WIRE_SERVER = "168.63.129.16";

/** What the registries have given out of IPv6. Beyond it are, among others, addresses that embed IPv4 ones. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/**
 * Tells whether an address belongs to the public internet. Private, loopback, link-local, shared (CGNAT),
 * multicast, documentation and reserved ones do not, nor do IPv6 addresses that embed an IPv4 one (mapped, NAT64,
 * 6to4, Teredo): those lead to wherever a gateway of this network takes them.
 * @param address as resolvers write it: four decimal parts, or IPv6 without brackets
 */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    return ipaddr.IPv4.parse(address).range() === "unicast" && address !== AZURE_WIRE_SERVER;
  }
  if (!ipaddr.IPv6.isValid(address) || address.includes("%")) return false;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.range() === "unicast" && parsed.match(GLOBAL_IPV6);
}

/**
 * Finds out what is wrong with a receiver's URL; null if nothing is. Names are not resolved: what they lead to is
 * checked when it is connected to.
 * @param allowPrivate also takes http, and every address
 * @returns what to say after "the URL", without credentials, path and query
 */
export function findUrlProblem(text: string, allowPrivate: boolean): string | null {
  const url = URL.parse(text);
  if (url === null) return "must be one such as https://hooks.example/trainers";
  if (url.protocol === "http:" && !allowPrivate) {
    return "must begin with https://; http is for tests, with WEBHOOK_ALLOW_PRIVATE=true";
  }
  if (!["https:", "http:"].includes(url.protocol)) return "must begin with https://";
  if (url.username !== "" || url.password !== "") {
    return "must not contain a user or password: receivers know the sender by the signature";
  }
  const isLocal = isLocalName(url.hostname);
  if (url.hostname.endsWith(".") && !isLocal) return "must not have a dot at the end of its host";
  if (allowPrivate) return null;
  const address = readAddress(url.hostname);
  const isRefused = isLocal || (address !== null && !isPublicAddress(address));
  return isRefused ? describeRefusal(address ?? url.hostname) : null;
}

/** Shortens a URL to its origin and `/…`: path and query may be secrets of the receiver. Null for null. */
export function shortenUrl(url: string | null): string | null {
  return url === null ? null : `${URL.parse(url)?.origin ?? ""}/…`;
}

/** Says why an address is refused and how to allow it, after what leads to it. */
export function describeRefusal(address: string): string {
  return `leads to ${address}, which is not an address of the public internet: ` +
    "set WEBHOOK_ALLOW_PRIVATE=true if whoever may add webhooks may also reach this network";
}

/** Returns the address that a URL's host is, without brackets; null for a name. */
function readAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? null : bare;
}

/** localhost and the names below it are this machine (RFC 6761), whatever a resolver says. */
function isLocalName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname);
}
