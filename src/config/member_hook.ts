import { z } from "zod";
import { splitList } from "./formats.ts";
import { type Provider, PROVIDERS } from "./member_hook_providers.ts";

/** How events of an identity provider are verified and read: those of `POST /v1/hooks/members`. */
export interface MemberHook extends Omit<Provider, "id"> {
  provider: ProviderName;
  /** Several while they rotate. */
  secrets: readonly string[];
  /** Pointers to the member's id; the first that leads to something counts. */
  id: readonly string[];
  /** Ids that are not UUIDs become UUIDs version 5 of this namespace. */
  namespace: string;
}

export type ProviderName = keyof typeof PROVIDERS;

/** Ids of a provider that are not UUIDs become version 5 of this one. A fixed value, so that it never changes. */
const NAMESPACE = "5f3c4d53-9a38-4b0e-8d0c-3d6a1b6a7e11";

const MIN_SECRET_LENGTH = 16;

/** Parses the name of a provider. */
export function memberHookProvider() {
  const names = Object.keys(PROVIDERS);
  return z.string().transform((text, context): ProviderName => {
    if (isProviderName(text)) return text;
    context.addIssue({ code: "custom", message: `must be one of ${names.join(", ")}` });
    return z.NEVER;
  }).default("standard");
}

/** Parses secrets, separated by commas. Supabase writes `v1,` before each. */
export function memberHookSecrets() {
  return z.string().default("")
    .transform((text) => splitList(text.replaceAll("v1,whsec_", "whsec_")))
    .refine(
      (secrets) => secrets.every((secret) => secret.length >= MIN_SECRET_LENGTH),
      `must be secrets of at least ${MIN_SECRET_LENGTH} characters, separated by commas`,
    );
}

/** Parses JSON pointers (RFC 6901), separated by commas; `off` for none. */
export function jsonPointers() {
  return z.string().transform((text) => text === "off" ? [] : splitList(text))
    .refine(
      (pointers) => pointers.every((pointer) => /^(\/([^~/]|~[01])*)+$/.test(pointer)),
      "must be JSON pointers such as /data/id, separated by commas",
    ).optional();
}

/** What the variables say of the hook. */
export interface MemberHookVariables {
  MEMBER_HOOK_SECRETS: string[];
  MEMBER_HOOK_PROVIDER: ProviderName;
  MEMBER_HOOK_TYPES: string[];
  MEMBER_HOOK_ID?: string[] | undefined;
  MEMBER_HOOK_EMAIL?: string[] | undefined;
  MEMBER_HOOK_NAME?: string[] | undefined;
  MEMBER_HOOK_NAMESPACE?: string | undefined;
}

/** Returns the hook that the variables describe; null without secrets. */
export function memberHook(given: MemberHookVariables): MemberHook | null {
  if (given.MEMBER_HOOK_SECRETS.length === 0) return null;
  const preset: Provider = PROVIDERS[given.MEMBER_HOOK_PROVIDER];
  return Object.freeze({
    ...preset,
    provider: given.MEMBER_HOOK_PROVIDER,
    secrets: given.MEMBER_HOOK_SECRETS,
    types: given.MEMBER_HOOK_TYPES.length > 0 ? given.MEMBER_HOOK_TYPES : preset.types,
    id: given.MEMBER_HOOK_ID ?? preset.id,
    idOfType: given.MEMBER_HOOK_ID === undefined ? preset.idOfType : {},
    email: given.MEMBER_HOOK_EMAIL ?? preset.email,
    name: given.MEMBER_HOOK_NAME ?? preset.name,
    namespace: (given.MEMBER_HOOK_NAMESPACE ?? NAMESPACE).toLowerCase(),
  });
}

/** Tells whether each secret has the form that the provider signs with. */
export function haveFormOfProvider(secrets: readonly string[], provider: ProviderName): boolean {
  return PROVIDERS[provider].scheme !== "standard" ||
    secrets.every((secret) =>
      /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret)
    );
}

function isProviderName(text: string): text is ProviderName {
  return Object.hasOwn(PROVIDERS, text);
}
