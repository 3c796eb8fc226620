import { lookup } from "node:dns/promises";
import { Agent as HttpAgent, type AgentOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./address.ts";
import { RefusedAddressError } from "./outcome.ts";

const IDLE_MS = 30_000;
const MAX_IDLE_OF_A_HOST = 32;

/** An address that a name has. */
export interface ResolvedAddress {
  address: string;
  family: number;
}

export interface ConnectOptions {
  /** Connects to every address, and by http too. */
  allowPrivate: boolean;
  /** Resolves a name; by default as the system does. */
  resolve?: (name: string) => Promise<ResolvedAddress[]>;
  /** Tells whether an address may be connected to; by default only those of the public internet. */
  isAllowedAddress?: (address: string) => boolean;
  /** A certificate authority in PEM, in the place of those that the system trusts. */
  ca?: string;
}

/** Connections to receivers, kept open between messages: by TLS, and not. */
export interface Connections {
  http: HttpAgent;
  https: HttpsAgent;
}

/**
 * Opens connections only to addresses that are allowed. A new connection resolves its name once; what is checked is
 * what is connected to, so that a name cannot lead to another address in between. A host that is an address already is
 * not resolved: check it before.
 */
export function createConnections(options: ConnectOptions): Connections {
  const agentOptions = {
    keepAlive: true,
    maxFreeSockets: MAX_IDLE_OF_A_HOST,
    timeout: IDLE_MS,
    lookup: createCheckedLookup(options),
    // Asks `lookup` for all addresses, and tries one after the other.
    autoSelectFamily: true,
    // Against NODE_USE_ENV_PROXY: a proxy would resolve the name again.
    proxyEnv: {},
  } satisfies AgentOptions & { lookup: LookupFunction; autoSelectFamily: boolean };
  return {
    http: new HttpAgent(agentOptions),
    https: new HttpsAgent({
      ...agentOptions,
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    }),
  };
}

function createCheckedLookup(
  { allowPrivate, resolve = resolveAll, isAllowedAddress = allowPrivate ? () => true : isPublicAddress }:
    ConnectOptions,
): LookupFunction {
  return (name, _options, callback) => {
    resolve(name).then((addresses) => {
      const refused = addresses.find(({ address }) => !isAllowedAddress(address));
      if (addresses.length === 0) throw Object.assign(new Error("no address"), { code: "ENODATA" });
      if (refused !== undefined) throw new RefusedAddressError(refused.address);
      callback(null, addresses);
    }).catch((error) => callback(error, []));
  };
}

function resolveAll(name: string): Promise<ResolvedAddress[]> {
  return lookup(name, { all: true });
}
