import type { Child } from "hono/jsx";
import type { EndpointState } from "../../webhooks/endpoints.ts";
import type { AuditLine } from "../../history/audit_lines.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { Figure, Time } from "../frame/parts.tsx";
import type { Typed } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { formatWaiting } from "../frame/wording.ts";
import { historyPath } from "../history/asked.ts";
import { LatestLines } from "../history/latest_lines.tsx";
import type { Known } from "../history/line_details.tsx";
import { typedOf } from "./form.ts";
import { WebhookFields } from "./form_fields.tsx";
import { Standing, WebhookName, Where } from "./standing.tsx";
import { TYPE_WORDS } from "./wording.ts";

/** Shows a webhook, how it stands, and what was sent to it. */
export function WebhookPage({ webhook, secret, changes, typed, children }: {
  webhook: EndpointState;
  /** The secret that was just made. */
  secret?: string | undefined;
  changes: { lines: AuditLine[]; known: Known };
  /** The refused form. */
  typed: Typed | undefined;
  /** Its deliveries. */
  children?: Child;
}) {
  const { id, url } = webhook;
  return (
    <>
      <h1>
        <WebhookName webhook={webhook} />
      </h1>
      <p class="meta">
        <Where url={url} /> <code class="id">{id}</code>
      </p>
      {secret !== undefined && <NewSecret secret={secret} until={webhook.formerSecretUntil} />}
      <section class="card" aria-labelledby="state-title">
        <h2 id="state-title">How it stands</h2>
        <Figures webhook={webhook} />
        <StateInWords webhook={webhook} />
        <p>Is told when: {webhook.types.map((type) => TYPE_WORDS[type]).join("; ")}.</p>
        <LatestLines {...changes} allPath={historyPath({ subject: `webhook:${id}` })} />
        <ForAdmins>
          <div class="actions">
            <Switch webhook={webhook} />
            <Edit webhook={webhook} typed={typed} />
            {url !== null && <Rotate id={id} />}
            <Delete id={id} />
          </div>
        </ForAdmins>
      </section>
      {children}
    </>
  );
}

function NewSecret({ secret, until }: { secret: string; until: Date | null }) {
  return (
    <section class="card" aria-labelledby="secret-title">
      <h2 id="secret-title">The secret</h2>
      <p>
        Give it to the receiver, which verifies the messages with it. Copy it now: it is not shown again.
      </p>
      <p>
        <code class="secret" tabindex={0}>{secret}</code>
      </p>
      {until !== null && (
        <p class="meta">
          Until <Time at={until} />, messages are signed with the former secret too.
        </p>
      )}
    </section>
  );
}

function Figures({ webhook }: { webhook: EndpointState }) {
  const { url, pending, failed } = webhook;
  return (
    <dl class="figures">
      <Figure label="State">
        <Standing webhook={webhook} />
      </Figure>
      {url !== null && (
        <>
          <Figure label="Messages that wait">{formatWaiting(pending)}</Figure>
          <Figure label="Given up (30 days)" tone={failed > 0 ? "bad" : undefined}>
            {formatWaiting(failed)}
          </Figure>
        </>
      )}
    </dl>
  );
}

function StateInWords({ webhook }: { webhook: EndpointState }) {
  const { url, enabled, disabledBecause, failingSince, oldestPendingAt, formerSecretUntil } = webhook;
  if (url === null) {
    return (
      <p>
        Messages are kept for seven days. Programs fetch them with <code>GET /v1/events</code>.
        {!enabled && " It is disabled: no messages are kept for it."}
      </p>
    );
  }
  return (
    <>
      {disabledBecause === "gone" && (
        <p>The service disabled it: the receiver answered that it is gone for good (410).</p>
      )}
      {disabledBecause === "failing" && (
        <p>
          The service disabled it: nothing was delivered for five days. Mend the receiver, then enable it.
        </p>
      )}
      {!enabled && (
        <p>No messages are added while it is disabled. Those that wait are sent when it is enabled.</p>
      )}
      {enabled && failingSince !== null && (
        <p>
          Nothing was delivered since <Time at={failingSince} />. The service goes on trying.
        </p>
      )}
      {oldestPendingAt !== null && (
        <p class="meta">
          The oldest message that waits is of <Time at={oldestPendingAt} />.
        </p>
      )}
      {formerSecretUntil !== null && (
        <p class="meta">
          Messages are signed with two secrets until <Time at={formerSecretUntil} />.
        </p>
      )}
    </>
  );
}

function Switch({ webhook: { id, enabled } }: { webhook: EndpointState }) {
  return (
    <form method="post" action={paths.changeWebhook(id, enabled ? "disable" : "enable")}>
      <button class={enabled ? undefined : "primary"} type="submit">{enabled ? "Disable" : "Enable"}</button>
    </form>
  );
}

function Edit({ webhook, typed }: { webhook: EndpointState; typed: Typed | undefined }) {
  return (
    <details class="confirm edit" open={typed !== undefined}>
      <summary class="button">Change…</summary>
      <div>
        <form class="assign" method="post" action={paths.changeWebhook(webhook.id, "change")}>
          <WebhookFields
            typed={typed ?? typedOf(webhook)}
            url={webhook.url === null
              ? undefined
              : { label: "URL that messages are sent to", isRequired: true }}
          />
          <button class="primary" type="submit">Save</button>
        </form>
      </div>
    </details>
  );
}

function Rotate({ id }: { id: string }) {
  return (
    <details class="confirm edit">
      <summary class="button">New secret…</summary>
      <div>
        <p>
          For 24 hours, messages are signed with both secrets, so that the receiver can be changed without
          losing any. A secret that was replaced within the last 24 hours is no longer used from now on.
        </p>
        <form method="post" action={paths.changeWebhook(id, "secret")}>
          <button class="primary" type="submit">Make a new secret</button>
        </form>
      </div>
    </details>
  );
}

function Delete({ id }: { id: string }) {
  return (
    <details class="confirm">
      <summary class="button">Delete…</summary>
      <div>
        <p>The webhook goes, with the record of what was sent to it. What waits is not sent.</p>
        <form method="post" action={paths.changeWebhook(id, "delete")}>
          <button class="danger" type="submit">Delete the webhook</button>
        </form>
      </div>
    </details>
  );
}
