import type { Context } from "hono";
import type { Sql } from "../../database/sql.ts";
import { logChange } from "../../http/audit.ts";
import type { Logger } from "../../telemetry/log.ts";
import { redeliver, sendTest } from "../../webhooks/deliveries.ts";
import { deleteEndpoint, type EndpointState, getEndpoint } from "../../webhooks/endpoints.ts";
import { describeChange, editEndpoint, type WebhookSettings } from "../../webhooks/registration.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { type Notice, type NoticeCode, withNotice } from "../frame/notices.ts";
import {
  Day,
  doAndSeeOther,
  ID_PATTERN,
  idInPath,
  type Pages,
  readForm,
  seeOther,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { readWebhookForm } from "./form.ts";

/** What a page of one webhook has in addition: the answer to a form. */
export interface Answered {
  notice?: Notice | undefined;
  /** The refused form. */
  typed?: Typed | undefined;
  secret?: string | undefined;
}

const ONE = `/trainer-assignment/webhooks/:id{${ID_PATTERN}}`;

/** Adds the forms that change a webhook, or send to it. */
export function addWebhookChanges(
  { app, sql, log, settings }: { app: Pages["app"]; sql: Sql; log: Logger; settings: WebhookSettings },
  answerWebhook: (c: Context<PageEnv>, webhook: EndpointState, answered: Answered) => Promise<Response>,
): void {
  app.post(`${ONE}/change`, async (c) => {
    const id = idInPath(c);
    const typed = await readForm(c);
    const webhook = await getEndpoint(sql, id);
    const form = readWebhookForm(typed, settings.allowPrivate);
    if ("refusal" in form) return await answerWebhook(c, webhook, { typed, notice: form.refusal });
    return await doAndSeeOther(c, (notice) => answerWebhook(c, webhook, { typed, notice }), async () => {
      const { url, types, description } = form.wanted;
      const change = { types, description, url: url ?? undefined };
      await editEndpoint(sql, id, change, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_changed", { webhookId: id, ...describeChange(change) });
      return withNotice(paths.webhook(id), "webhook_changed");
    });
  });

  for (const verb of ["enable", "disable"] as const) {
    app.post(`${ONE}/${verb}`, (c) => {
      const id = idInPath(c);
      return doAndSeeOther(c, backTo(c, id), async () => {
        const change = { enabled: verb === "enable" };
        await editEndpoint(sql, id, change, visitorOf(c));
        logChange(log, visitorOf(c), "webhook_changed", { webhookId: id, ...describeChange(change) });
        return withNotice(paths.webhook(id), `webhook_${verb}d`);
      });
    });
  }

  app.post(`${ONE}/delete`, (c) => {
    const id = idInPath(c);
    return doAndSeeOther(c, paths.webhooks, async () => {
      await deleteEndpoint(sql, id, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_deleted", { webhookId: id });
      return withNotice(paths.webhooks, "webhook_deleted");
    });
  });

  app.post(`${ONE}/test`, (c) => {
    const id = idInPath(c);
    return doAndSeeOther(c, backTo(c, id), async () => {
      const messageId = await sendTest(sql, id, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_test_requested", { webhookId: id, messageId });
      return withNotice(paths.webhook(id), "test_sent");
    });
  });

  app.post(`${ONE}/redeliver`, async (c) => {
    const id = idInPath(c);
    const { data: since } = Day.safeParse((await readForm(c)).since);
    if (since === undefined) return seeOther(c, withNotice(paths.webhook(id), "not_a_day"));
    return await doAndSeeOther(c, backTo(c, id), async () => {
      const messages = await redeliver(sql, id, { failedSince: new Date(since) }, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_redelivery_requested", { webhookId: id, messages });
      return withNotice(paths.webhook(id), "sent_again", messages);
    });
  });

  app.post(`${ONE}/messages/:messageId{${ID_PATTERN}}/redeliver`, (c) => {
    const [id, messageId] = [idInPath(c), idInPath(c, "messageId")];
    return doAndSeeOther(c, backTo(c, id), async () => {
      const messages = await redeliver(sql, id, { messageId }, visitorOf(c));
      logChange(log, visitorOf(c), "webhook_redelivery_requested", { webhookId: id, messageId });
      return withNotice(paths.webhookDelivery(id, messageId), "sent_again", messages);
    });
  });
}

/** Leads a refused form back to the webhook, or to the list if it is gone. */
function backTo(c: Context<PageEnv>, id: string) {
  return (_notice: Notice, code: NoticeCode) =>
    seeOther(c, withNotice(code === "webhook_not_found" ? paths.webhooks : paths.webhook(id), code));
}
