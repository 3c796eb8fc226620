import type { Context } from "hono";
import { z } from "zod";
import { listAuditLines } from "../../history/audit_lines.ts";
import { logChange } from "../../http/audit.ts";
import { readPage } from "../../http/paging.ts";
import { type Delivery, DELIVERY_STATUSES, getDelivery, listDeliveries } from "../../webhooks/deliveries.ts";
import { type EndpointState, getEndpoint, listEndpoints } from "../../webhooks/endpoints.ts";
import { registerEndpoint, rotateSecret } from "../../webhooks/registration.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { findRefusal, type Notice } from "../frame/notices.ts";
import {
  answerPage,
  ID_PATTERN,
  idInPath,
  type Pages,
  readForm,
  REFRESH_MS,
  REFUSED,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { readKnown } from "../history/known.ts";
import { addWebhookChanges, type Answered } from "./change_pages.tsx";
import { Deliveries, DeliveryPage } from "./deliveries_view.tsx";
import { readWebhookForm } from "./form.ts";
import { WebhooksPage } from "./view.tsx";
import { WebhookPage } from "./webhook_view.tsx";

const PAGE_ROWS = 50;
const LATEST_CHANGES = 5;
const Status = z.enum(DELIVERY_STATUSES).optional().catch(undefined);

/** Adds the pages of webhooks: who is told of what, and what was sent. */
export function addWebhookPages({ app, services }: Pages): void {
  const { sql, log, webhooks: settings = { keys: [], allowPrivate: false } } = services;

  async function answerList(
    c: Context<PageEnv>,
    refused?: { typed: Typed; notice: Notice },
  ): Promise<Response> {
    const cursor = c.req.query("cursor");
    const { rows, next } = await readPage(c, {
      list: "webhooks",
      limit: PAGE_ROWS,
      cursor,
      read: (page) => listEndpoints(sql, page),
      idOf: ({ id }) => id,
    });
    return await answerPage(c, {
      title: "Webhooks",
      section: "webhooks",
      notice: refused?.notice,
      refreshMs: REFRESH_MS.idle,
      children: (
        <WebhooksPage
          webhooks={rows}
          typed={refused?.typed}
          hasKey={settings.keys.length > 0}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    }, refused ? REFUSED : 200);
  }

  async function answerWebhook(
    c: Context<PageEnv>,
    webhook: EndpointState,
    { notice, typed, secret }: Answered = {},
  ): Promise<Response> {
    const { id } = webhook;
    const status = Status.parse(c.req.query("status"));
    const cursor = c.req.query("cursor");
    const [lines, { rows, next }] = await Promise.all([
      listAuditLines(sql, { subject: `webhook:${id}` }, { limit: LATEST_CHANGES }),
      readDeliveries(c, id, status),
    ]);
    const answersForm = typed !== undefined || secret !== undefined;
    return await answerPage(c, {
      title: "Webhook",
      section: "webhooks",
      notice,
      address: answersForm ? paths.webhook(id) : undefined,
      refreshMs: answersForm ? undefined : REFRESH_MS.idle, // an update would take the secret away
      children: (
        <WebhookPage
          webhook={webhook}
          secret={secret}
          changes={{ lines, known: await readKnown(services, lines) }}
          typed={typed}
        >
          {webhook.url !== null && (
            <Deliveries
              webhook={webhook}
              status={status}
              deliveries={rows}
              next={next}
              isFirst={cursor === undefined}
            />
          )}
        </WebhookPage>
      ),
    }, typed !== undefined ? REFUSED : 200);
  }

  async function readDeliveries(c: Context<PageEnv>, id: string, status: Delivery["status"] | undefined) {
    return await readPage(c, {
      list: `webhooks/${id}/deliveries/${status ?? ""}`,
      limit: PAGE_ROWS,
      cursor: c.req.query("cursor"),
      read: (page) => listDeliveries(sql, id, { ...page, status }),
      idOf: ({ messageId }) => messageId,
    });
  }

  app.get("/trainer-assignment/webhooks", (c) => answerList(c));

  app.post("/trainer-assignment/webhooks", async (c) => {
    const typed = await readForm(c);
    const form = readWebhookForm(typed, settings.allowPrivate);
    if ("refusal" in form) return await answerList(c, { typed, notice: form.refusal });
    try {
      const { secret, ...webhook } = await registerEndpoint(sql, settings, form.wanted, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_created", { webhookId: webhook.id });
      return await answerWebhook(c, webhook, {
        notice: { tone: "good", text: "The webhook was created." },
        secret: secret ?? undefined,
      });
    } catch (error) {
      const refusal = findRefusal(error);
      if (refusal === undefined) throw error;
      return await answerList(c, { typed, notice: refusal.notice });
    }
  });

  app.get(`/trainer-assignment/webhooks/:id{${ID_PATTERN}}`, async (c) => {
    return await answerWebhook(c, await getEndpoint(sql, idInPath(c)));
  });

  app.get(
    `/trainer-assignment/webhooks/:id{${ID_PATTERN}}/messages/:messageId{${ID_PATTERN}}`,
    async (c) => {
      const [id, messageId] = [idInPath(c), idInPath(c, "messageId")];
      const [webhook, delivery] = await Promise.all([getEndpoint(sql, id), getDelivery(sql, id, messageId)]);
      return await answerPage(c, {
        title: "Message",
        section: "webhooks",
        refreshMs: REFRESH_MS.idle,
        children: <DeliveryPage webhook={webhook} delivery={delivery} />,
      });
    },
  );

  app.post(`/trainer-assignment/webhooks/:id{${ID_PATTERN}}/secret`, async (c) => {
    const id = idInPath(c);
    try {
      const { secret, ...webhook } = await rotateSecret(sql, settings, id, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_secret_rotated", { webhookId: id });
      return await answerWebhook(c, webhook, {
        notice: { tone: "good", text: "The webhook has a new secret." },
        secret: secret ?? undefined,
      });
    } catch (error) {
      const refusal = findRefusal(error);
      if (refusal === undefined) throw error;
      return await answerWebhook(c, await getEndpoint(sql, id), { notice: refusal.notice });
    }
  });

  addWebhookChanges({ app, sql, log, settings }, answerWebhook);
}
