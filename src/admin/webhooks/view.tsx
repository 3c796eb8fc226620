import type { EndpointState } from "../../webhooks/endpoints.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { Empty, NextPage, Table, Time } from "../frame/parts.tsx";
import type { Typed } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { formatWaiting } from "../frame/wording.ts";
import { WebhookFields } from "./form_fields.tsx";
import { Standing, WebhookName, Where } from "./standing.tsx";
import { TYPE_WORDS } from "./wording.ts";

/** Lists webhooks, with the form that creates one. */
export function WebhooksPage({ webhooks, typed, hasKey, next, isFirst }: {
  webhooks: EndpointState[];
  /** The refused form. */
  typed: Typed | undefined;
  /** Whether secrets can be sealed. */
  hasKey: boolean;
  next: string | null;
  isFirst: boolean;
}) {
  return (
    <>
      <h1>Webhooks</h1>
      <p>
        A webhook tells another program, such as a CRM, what happens here: the service sends it signed
        messages, or keeps them until the program fetches them.
      </p>
      <ForAdmins>
        <details class="options" open={typed !== undefined}>
          <summary>Create a webhook…</summary>
          <form class="card assign" method="post" action={paths.webhooks}>
            <WebhookFields
              typed={typed ?? {}}
              url={{ label: "URL that messages are sent to (empty: they are fetched)", isRequired: false }}
            />
            <p class="meta">
              {hasKey ? "The next page shows the secret that signs the messages. It is shown only once." : (
                <>
                  The service has no <code>WEBHOOK_KEY</code>, so it cannot send: leave the URL empty.{" "}
                  <code>deno task token --webhook-key</code> makes a key.
                </>
              )}
            </p>
            <button class="primary" type="submit">Create</button>
          </form>
        </details>
      </ForAdmins>
      {webhooks.length > 0 ? <WebhookTable webhooks={webhooks} /> : (
        <Empty>
          {isFirst ? "There are no webhooks: nobody is told of anything." : "There are no more."}
        </Empty>
      )}
      <NextPage path={paths.webhooks} next={next} />
    </>
  );
}

function WebhookTable({ webhooks }: { webhooks: EndpointState[] }) {
  return (
    <Table
      label="Webhooks"
      rows={webhooks}
      keyOf={({ id }) => id}
      columns={[
        {
          title: "Webhook",
          cell: (webhook) => (
            <>
              <a href={paths.webhook(webhook.id)}>
                <WebhookName webhook={webhook} />
              </a>
              {webhook.description !== null && (
                <div class="meta">
                  <Where url={webhook.url} />
                </div>
              )}
            </>
          ),
        },
        {
          title: "Is told when",
          cell: ({ types }) => types.map((type) => <div key={type}>{TYPE_WORDS[type]}</div>),
        },
        {
          title: "State",
          cell: (webhook) => (
            <>
              <Standing webhook={webhook} />
              {webhook.enabled && webhook.failingSince !== null && (
                <div class="meta">
                  since <Time at={webhook.failingSince} />
                </div>
              )}
            </>
          ),
        },
        { title: "Waiting", isNumber: true, cell: ({ pending }) => formatWaiting(pending) },
        { title: "Given up", isNumber: true, cell: ({ failed }) => formatWaiting(failed) },
      ]}
    />
  );
}
