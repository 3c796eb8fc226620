import { createRemoteJWKSet, customFetch } from "jose";
import { z } from "zod";
import { isSecureUrl } from "../../config/formats.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Problem } from "../problems.ts";

/** An OpenID Connect provider, as it describes itself. */
export interface Provider {
  /** The issuer as its tokens spell it. */
  issuer: string;
  keys: ReturnType<typeof createRemoteJWKSet>;
}

export interface ProviderKeysOptions {
  log: Logger;
  /** The age at which the keys are renewed in the background. */
  freshMs?: number;
  /** The shortest time between two requests to the provider, even if the first one failed. */
  cooldownMs?: number;
  /** The longest wait for an answer of the provider. The first caller may wait for two: discovery and keys. */
  timeoutMs?: number;
}

const MAX_KEYS = 100;
const MAX_BYTES = 1024 * 1024;

/**
 * Discovers a provider and keeps its signing keys fresh. jose's remote key set fetches the keys whenever a
 * token names an unknown one. This adds discovery, a limit on the size of answers, and a pause after failed
 * requests. It also renews old keys in the background: jose's own maximum age would make requests wait, and
 * fail while the provider is away.
 * @returns a function that returns the provider, without waiting once it is known. It and the key set throw
 * {@link Problem} `identity_provider_unavailable`.
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
      log.warn({ err: error, issuer: configured }, "the keys of the OpenID Connect provider cannot be read");
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

/** Reads and checks a discovery document (OpenID Connect Discovery 1.0, section 4). */
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
