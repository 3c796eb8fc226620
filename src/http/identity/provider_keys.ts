import { createLocalJWKSet } from "jose";
import { z } from "zod";
import { isSecureUrl } from "../../config.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Problem } from "../problems.ts";

/** What the provider says of itself. */
export interface Provider {
  /** As its tokens write it. */
  issuer: string;
  findKey: ReturnType<typeof createLocalJWKSet>;
}

/** The provider's keys, as far as they are known. Both throw {@link Problem} `identity_provider_unavailable`. */
export interface ProviderKeys {
  /** What is known; asks the provider only where nothing is. */
  current(): Promise<Provider>;
  /** What the provider says now, for a token that names none of the known keys; what is known, if it was asked just before. */
  renewed(): Promise<Provider>;
}

export interface ProviderKeysOptions {
  log: Logger;
  /** How long the keys are used before the provider is asked again, beside the requests. */
  freshMs?: number;
  /** The least time from one question to the next, whatever tokens name. */
  cooldownMs?: number;
  timeoutMs?: number;
}

const MOST_KEYS = 100;
const MOST_BYTES = 1024 * 1024;

/**
 * Keeps the signing keys of an OpenID Connect provider: found through discovery, kept in memory, asked for again when
 * they are ten minutes old, or at once when a token names another one, but at most once in ten seconds. Only somebody who
 * comes before anything is known, or with an unknown key, waits for the provider. While it is away the known keys
 * stay good: it cannot sign anything new meanwhile.
 */
export function createProviderKeys(issuer: string, options: ProviderKeysOptions): ProviderKeys {
  const { log, freshMs = 600_000, cooldownMs = 10_000, timeoutMs = 5_000 } = options;
  let known: Provider | undefined;
  let isAway = false;
  let knownSince = -Infinity;
  let askedAt = -Infinity;
  let underWay: Promise<Provider> | undefined;

  function ask(): Promise<Provider> {
    return underWay ??= fetchProvider(issuer, timeoutMs)
      .then((provider) => {
        isAway = false;
        knownSince = performance.now();
        return known = provider;
      }, (error) => {
        isAway = true;
        log.warn({ err: error, issuer }, "the OpenID Connect provider does not tell its keys");
        throw unavailable();
      })
      .finally(() => {
        askedAt = performance.now();
        underWay = undefined;
      });
  }

  const wasAskedJustNow = () => underWay === undefined && performance.now() - askedAt < cooldownMs;

  async function renewed(): Promise<Provider> {
    if (!wasAskedJustNow()) return await ask();
    if (isAway || known === undefined) throw unavailable();
    return known;
  }

  return {
    renewed,
    async current() {
      if (known === undefined) return await renewed();
      const isStale = performance.now() - knownSince > freshMs;
      if (isStale && !wasAskedJustNow()) ask().catch(() => {}); // logged; what is known serves meanwhile
      return known;
    },
  };
}

function unavailable(): Problem {
  return new Problem(
    "identity_provider_unavailable",
    "The provider that could vouch for this token does not answer, and its key is not known here.",
  );
}

const discoverySchema = z.object({ issuer: z.url(), jwks_uri: z.url() });
const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MOST_KEYS) });

/** OpenID Connect Discovery 1.0, section 4. */
async function fetchProvider(configured: string, timeoutMs: number): Promise<Provider> {
  const signal = AbortSignal.timeout(timeoutMs);
  const place = `${configured.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const { issuer, jwks_uri } = discoverySchema.parse(await fetchJson(place, signal));
  if (new URL(issuer).href !== new URL(configured).href) throw new Error(`the provider is ${issuer}`);
  if (!isSecureUrl(jwks_uri)) throw new Error("the provider's keys are not at an https URL");
  const keySet = keySetSchema.parse(await fetchJson(jwks_uri, signal));
  return { issuer, findKey: createLocalJWKSet(keySet) };
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "error", headers: { Accept: "application/json" } });
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`${url} answers with more than ${MOST_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return JSON.parse(text);
}
