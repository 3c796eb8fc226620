import { createRemoteJWKSet, customFetch } from "jose";
import { z } from "zod";
import { isSecureUrl } from "../../config/formats.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Problem } from "../problems.ts";

/** An OpenID Connect provider, as it describes itself. */
export interface Provider {
  /** As its tokens write it. */
  issuer: string;
  keys: ReturnType<typeof createRemoteJWKSet>;
}

export interface ProviderKeysOptions {
  log: Logger;
  /** How long the keys are used before the provider is asked again, beside the requests. */
  freshMs?: number;
  /** The least time from one question to the next, whatever tokens name and whether it answered. */
  cooldownMs?: number;
  /** How long the provider may take for an answer; the first caller may wait for two, discovery and keys. */
  timeoutMs?: number;
}

const MAX_KEYS = 100;
const MAX_BYTES = 1024 * 1024;

/**
 * Finds a provider and keeps its signing keys. They are jose's remote key set, which asks for the keys when a token names
 * an unknown one. jose itself lacks discovery, bounds for the answer, and a rest after a failed question, and its own
 * maximum age makes requests wait, and fail while the provider is away. So age is ours: discovery and keys are renewed
 * beside the requests, and known keys stay good meanwhile.
 * @returns what finds the provider: at once, but for the first callers. It throws {@link Problem}
 * `identity_provider_unavailable`, and so does the key set.
 */
export function createProviderKeys(
  configured: string,
  options: ProviderKeysOptions,
): () => Promise<Provider> {
  const { log, freshMs = 600_000, cooldownMs = 10_000, timeoutMs = 2_500 } = options;
  let known: Provider | undefined;
  let foundAt = -Infinity;
  let failedAt = -Infinity;
  let underWay: Promise<Provider> | undefined;

  return async function findProvider() {
    if (known === undefined) return await renew();
    if (performance.now() - foundAt > freshMs) renew().catch(() => {}); // logged
    return known;
  };

  function renew(): Promise<Provider> {
    return underWay ??= discover().finally(() => underWay = undefined);
  }

  async function discover(): Promise<Provider> {
    const place = `${configured.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const { issuer, jwks_uri } = await ask(
      place,
      AbortSignal.timeout(timeoutMs),
      (json) => readDiscovery(json, configured),
    );
    const keys = createRemoteJWKSet(new URL(jwks_uri), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: Infinity,
      [customFetch]: async (url, { signal }) => Response.json(await ask(url, signal, keySetSchema.parse)),
    });
    await keys.reload();
    foundAt = performance.now();
    return known = { issuer, keys };
  }

  async function ask<T>(url: string, signal: AbortSignal, read: (json: unknown) => T): Promise<T> {
    if (performance.now() - failedAt < cooldownMs) throw unavailable();
    try {
      return read(await fetchJson(url, signal));
    } catch (error) {
      failedAt = performance.now();
      log.warn({ err: error, issuer: configured }, "the OpenID Connect provider does not tell its keys");
      throw unavailable();
    }
  }
}

function unavailable(): Problem {
  return new Problem(
    "identity_provider_unavailable",
    "The identity provider does not answer, and the key of this token is not known.",
  );
}

const discoverySchema = z.object({ issuer: z.url(), jwks_uri: z.url() });
const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS) });

/** OpenID Connect Discovery 1.0, section 4. */
function readDiscovery(json: unknown, configured: string): z.infer<typeof discoverySchema> {
  const discovered = discoverySchema.parse(json);
  const { issuer, jwks_uri } = discovered;
  if (new URL(issuer).href !== new URL(configured).href) throw new Error(`the provider is ${issuer}`);
  if (!isSecureUrl(jwks_uri)) throw new Error("the provider's keys are not at an https URL");
  return discovered;
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "error", headers: { Accept: "application/json" } });
  let text = "";
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${url} answers with more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return JSON.parse(text);
}
