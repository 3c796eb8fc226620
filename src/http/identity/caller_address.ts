import type { Context } from "hono";
import {
  convertIPv4BinaryToString,
  convertIPv4MappedIPv6ToIPv4,
  convertIPv6BinaryToString,
  convertIPv6ToBinary,
  isIPv4MappedIPv6,
} from "hono/utils/ipaddr";
import { isIP } from "node:net";
import type { AppEnv } from "../env.ts";

/**
 * Finds the caller's address: that of the connection or, behind trusted proxies, the one that the outermost
 * proxy added to `X-Forwarded-For`. Entries to the left of it are the caller's own text. `unknown` without a
 * connection.
 */
export function callerAddress(c: Context<AppEnv>, trustedProxies: number): string {
  const forwarded = (c.req.header("x-forwarded-for") ?? "").split(",");
  const seenByProxy = trustedProxies > 0 ? readAddress(forwarded.at(-trustedProxies) ?? "") : undefined;
  const { remoteAddr } = c.env;
  const connected = remoteAddr !== undefined && "hostname" in remoteAddr ? remoteAddr.hostname : "";
  return seenByProxy ?? readAddress(connected) ?? "unknown";
}

/**
 * Returns the network that counts as one caller: an IPv4 address, or an IPv6 /64, which belongs to one
 * subscriber.
 */
export function callerNetwork(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${convertIPv6BinaryToString(convertIPv6ToBinary(address) >> 64n << 64n)}/64`;
}

/** Reads an address in any spelling, with or without a port. Converts an IPv4 address written as IPv6 to IPv4. */
function readAddress(text: string): string | undefined {
  const address = text.trim()
    .replace(/^\[([^\]]*)\](:\d+)?$/, "$1")
    .replace(/^([\d.]+):\d+$/, "$1")
    .replace(/%.*$/, ""); // the interface of a link-local one
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  const binary = convertIPv6ToBinary(address);
  return isIPv4MappedIPv6(binary)
    ? convertIPv4BinaryToString(convertIPv4MappedIPv6ToIPv4(binary))
    : convertIPv6BinaryToString(binary);
}
