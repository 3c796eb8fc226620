import type { EndpointState } from "../../webhooks/endpoints.ts";
import { Badge } from "../frame/parts.tsx";

/** Shows in a word how a webhook stands. */
export function Standing({ webhook: { url, enabled, disabledBecause, failingSince } }: {
  webhook: EndpointState;
}) {
  if (disabledBecause === "gone") return <Badge tone="bad">Disabled: gone</Badge>;
  if (disabledBecause === "failing") return <Badge tone="bad">Disabled: failing</Badge>;
  if (!enabled) return <Badge tone="plain">Disabled</Badge>;
  if (url === null) return <Badge tone="plain">Fetched</Badge>;
  return failingSince === null ? <Badge tone="good">Enabled</Badge> : <Badge tone="warn">Failing</Badge>;
}

/** Says where messages go. */
export function Where({ url }: { url: string | null }) {
  return url === null ? <>fetched from here</> : <bdi class="url">{url}</bdi>;
}
