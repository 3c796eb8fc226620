import { type Delivery, DELIVERY_STATUSES, type DeliveryWithBody } from "../../webhooks/deliveries.ts";
import type { EndpointState } from "../../webhooks/endpoints.ts";
import { ForAdmins } from "../frame/for_admins.tsx";
import { Badge, Empty, Message, NextPage, Table, Time } from "../frame/parts.tsx";
import { paths } from "../frame/paths.ts";
import { countOf, formatCount, formatWaiting } from "../frame/wording.ts";
import { WebhookName } from "./standing.tsx";
import { DELIVERY_TONES, DELIVERY_WORDS, TYPE_WORDS } from "./wording.ts";

/** Lists what was sent to a webhook, what was answered, and when it is tried next. */
export function Deliveries({ webhook, status, deliveries, next, isFirst }: {
  webhook: EndpointState;
  status: Delivery["status"] | undefined;
  deliveries: Delivery[];
  next: string | null;
  isFirst: boolean;
}) {
  const { id, failed } = webhook;
  return (
    <section aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Messages</h2>
      <p>Delivered messages are listed for 7 days, others for 30.</p>
      <div class="actions">
        <nav class="tabs" aria-label="Which messages">
          <StatusTab id={id} status={undefined} current={status} />
          {DELIVERY_STATUSES.map((each) => <StatusTab key={each} id={id} status={each} current={status} />)}
        </nav>
        <ForAdmins>
          <form method="post" action={paths.changeWebhook(id, "test")}>
            <button type="submit">Send a test</button>
          </form>
          {failed > 0 && <SendFailedAgain id={id} failed={failed} />}
        </ForAdmins>
      </div>
      {deliveries.length > 0 ? <DeliveryTable id={id} deliveries={deliveries} /> : (
        <Empty>
          {!isFirst
            ? "There are no more."
            : status === undefined
            ? "Nothing was sent yet."
            : "There are none."}
        </Empty>
      )}
      <NextPage path={paths.webhookDeliveries(id, status)} next={next} />
    </section>
  );
}

function StatusTab({ id, status, current }: {
  id: string;
  status: Delivery["status"] | undefined;
  current: Delivery["status"] | undefined;
}) {
  return (
    <a href={paths.webhookDeliveries(id, status)} aria-current={status === current ? "page" : undefined}>
      {status === undefined ? "All" : DELIVERY_WORDS[status]}
    </a>
  );
}

function SendFailedAgain({ id, failed }: { id: string; failed: number }) {
  return (
    <details class="confirm edit">
      <summary class="button">Send again…</summary>
      <div>
        <form class="assign" method="post" action={paths.changeWebhook(id, "redeliver")}>
          <p>
            <label for="since">Given up since (a day, UTC; they are kept for 30)</label>
            <input id="since" name="since" type="date" required />
          </p>
          <button class="primary" type="submit">
            Send again what was given up (of {formatWaiting(failed)})
          </button>
        </form>
      </div>
    </details>
  );
}

function DeliveryTable({ id, deliveries }: { id: string; deliveries: Delivery[] }) {
  return (
    <Table
      label="Messages"
      rows={deliveries}
      keyOf={({ messageId }) => messageId}
      columns={[
        {
          title: "Message",
          cell: ({ messageId, at, ...delivery }) => (
            <>
              <a href={paths.webhookDelivery(id, messageId)}>{titleOf(delivery)}</a>
              <div class="meta">
                <Time at={at} />
              </div>
            </>
          ),
        },
        {
          title: "State",
          cell: ({ status }) => <Badge tone={DELIVERY_TONES[status]}>{DELIVERY_WORDS[status]}</Badge>,
        },
        { title: "Tries", isNumber: true, cell: ({ attempts }) => formatCount(attempts) },
        { title: "Answer", cell: (delivery) => <AnswerInShort delivery={delivery} /> },
        {
          title: "Next try",
          cell: ({ nextAttemptAt }) => nextAttemptAt === null ? "none" : <Time at={nextAttemptAt} />,
        },
      ]}
    />
  );
}

function titleOf({ isTest, type }: Pick<Delivery, "isTest" | "type">): string {
  return isTest ? "A test" : TYPE_WORDS[type];
}

function AnswerInShort(
  { delivery: { lastStatus, lastError, lastTookMs, lastAttemptAt } }: { delivery: Delivery },
) {
  if (lastStatus === null && lastError === null) {
    return <>{lastAttemptAt === null ? "not sent yet" : "none yet"}</>;
  }
  return (
    <>
      {lastStatus !== null && `${lastStatus} `}
      {lastTookMs !== null && <span class="meta">after {formatCount(lastTookMs)} ms</span>}
      {lastError !== null && <Message text={lastError} />}
    </>
  );
}

/** Shows one message, and what became of it at a webhook. */
export function DeliveryPage({ webhook, delivery }: { webhook: EndpointState; delivery: DeliveryWithBody }) {
  const { messageId, at, status, attempts, nextAttemptAt, lastAttemptAt, lastAnswer, endedAt, body } =
    delivery;
  return (
    <>
      <h1>{titleOf(delivery)}</h1>
      <p class="meta">
        To{" "}
        <a href={paths.webhook(webhook.id)}>
          <WebhookName webhook={webhook} />
        </a>{" "}
        <code class="id">{messageId}</code>
      </p>
      <section class="card" aria-labelledby="became-title">
        <h2 id="became-title">What became of it</h2>
        <p>
          <Badge tone={DELIVERY_TONES[status]}>{DELIVERY_WORDS[status]}</Badge>{" "}
          {countOf(attempts, "attempt")}.
          {status === "dropped" && " The members that it told of are deleted."}
        </p>
        <dl class="change">
          <dt>Change made</dt>
          <dd>
            <Time at={at} />
          </dd>
          <dt>Last attempt</dt>
          <dd>{lastAttemptAt === null ? "none" : <Time at={lastAttemptAt} />}</dd>
          <dt>Answer</dt>
          <dd>
            <AnswerInShort delivery={delivery} />
            {lastAnswer !== null && lastAnswer !== "" && <Message text={lastAnswer} />}
          </dd>
          {endedAt === null
            ? (
              <>
                <dt>Next attempt</dt>
                <dd>{nextAttemptAt === null ? "none" : <Time at={nextAttemptAt} />}</dd>
              </>
            )
            : (
              <>
                <dt>Ended</dt>
                <dd>
                  <Time at={endedAt} />
                </dd>
              </>
            )}
        </dl>
        <ForAdmins>
          <form method="post" action={paths.redeliver(webhook.id, messageId)}>
            <button type="submit">Send it again</button>
          </form>
        </ForAdmins>
      </section>
      <section aria-labelledby="body-title">
        <h2 id="body-title">What is sent</h2>
        {body === null ? <Empty>There is nothing left to tell.</Empty> : (
          <>
            <p>It is made from the rows as they are now.</p>
            <pre class="body" tabindex={0}>{JSON.stringify(body, null, 2)}</pre>
          </>
        )}
      </section>
    </>
  );
}
