import type { EndpointState } from "../../webhooks/endpoints.ts";
import { shortenUrl } from "../../webhooks/address.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
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
  if (url === null) return <>fetched from here</>;
  return (
    <bdi class="url">
      <Url url={url} />
    </bdi>
  );
}

/** Names a webhook by what it is for, or else by where messages go. */
export function WebhookName({ webhook: { description, url } }: { webhook: EndpointState }) {
  if (description !== null || url === null) return <bdi>{description ?? "A webhook without a URL"}</bdi>;
  return (
    <bdi>
      <Url url={url} />
    </bdi>
  );
}

/** A path or a query may be a secret: only who may change it sees them. */
function Url({ url }: { url: string }) {
  return <ForAdmins others={shortenUrl(url)}>{url}</ForAdmins>;
}
