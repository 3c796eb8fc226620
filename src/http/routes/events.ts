import { z } from "@hono/zod-openapi";
import { isMessageType, type MessageType } from "../../webhooks/endpoints.ts";
import { readEvents } from "../../webhooks/events.ts";
import { readEventCursor, writeEventCursor } from "../event_cursor.ts";
import { createEventStreams } from "../event_streams.ts";
import { negotiate } from "../negotiation.ts";
import { PAGE_QUERY } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import { json, text } from "../schemas.ts";
import { liftTimeLimit } from "../time_limit.ts";
import { EVENT_EXAMPLE, EventPage } from "../webhook_schemas.ts";

const Types = z.string().transform((list, context): MessageType[] => {
  const names = list.split(",");
  const types = names.filter(isMessageType);
  if (types.length === names.length) return types;
  const unknown = names.find((name) => !isMessageType(name));
  context.addIssue({ code: "custom", message: `There is no type "${unknown}".` });
  return z.NEVER;
}).openapi({
  type: "string",
  description: "The types to read, separated by commas. By default all.",
  example: "assignments.created,assignments.ended",
});

const CURSOR_EXAMPLE = "AgAAAAAAAALfAZXTpiw9fk-QUWt8jZ4PGrFQh0JcXk0p";

/** Messages for consumers who fetch them. */
export function addEventRoutes(api: Api): void {
  const { sql, log, outageLog, shutdown } = api.services;
  const openStream = createEventStreams({
    readNewest: async (after) => (await readEvents(sql, after, { types: [], limit: 1 })).next,
    log,
    outageLog,
    shutdown,
  });

  addRoute(api, {
    method: "get",
    path: "/v1/events",
    role: "service",
    operationId: "listEvents",
    summary: "Fetch messages, oldest first",
    description:
      "Returns the messages that webhooks get, for consumers who cannot be called. A type is there from the time on that a " +
      "webhook wants it: create one without `url`. Without `after` they begin with the first one kept; they are kept for 7 days. " +
      "`next` is always there: to get what comes later, ask again with it as `after`. No message ever appears before a cursor that " +
      "was given out, so none is missed: while a transaction that has written is open, anywhere on the database server, what " +
      "others wrote after it began is held back. A page ends early after messages about 5,000 members. " +
      "410 `cursor_expired`: messages after the cursor are no longer kept, or the database was restored; catch up from the lists, " +
      "and begin without `after`. Messages whose members are all deleted are left out. They hold ids of members, not their names, which is why the " +
      "role service suffices. With `Accept: text/event-stream` the same as server-sent events: `data` is a message, `id` is the cursor. New " +
      "messages come within a second, and a comment every 15 s. To resume, send `Last-Event-ID`, which goes before `after`. " +
      "At most 100 streams are open per replica.",
    tags: ["Webhooks"],
    request: {
      query: z.strictObject({
        after: z.string().optional().openapi({
          description: "`next` of the previous page, or the id of a streamed event. It fits any `types`.",
        }),
        types: Types.optional(),
        limit: PAGE_QUERY.limit,
      }),
    },
    responses: {
      200: {
        description: "The messages.",
        content: {
          ...json(EventPage, { events: [EVENT_EXAMPLE], next: CURSOR_EXAMPLE }),
          "text/event-stream": text(`id: ${CURSOR_EXAMPLE}\ndata: ${JSON.stringify(EVENT_EXAMPLE)}\n\n`),
        },
      },
    },
    errors: ["invalid_cursor", "cursor_expired", "not_acceptable", "too_many_streams"],
  }, async (c) => {
    const { after, types, limit } = c.req.valid("query");
    const isStream = negotiate(c, ["application/json", "text/event-stream"]) === "text/event-stream";
    const cursor = (isStream ? c.req.header("last-event-id") : undefined) || after;
    const place = cursor === undefined ? null : readEventCursor(cursor);
    if (!isStream) {
      const { events, next } = await readEvents(sql, place, { types, limit });
      return c.json(
        { events: events.map(({ place: _, ...event }) => event), next: writeEventCursor(next) },
        200,
      );
    }
    // The second header keeps nginx from collecting events before it passes them on.
    const headers = { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" };
    // A HEAD request has no reader who would ever end the stream.
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    liftTimeLimit(c);
    return c.body(await openStream((from) => readEvents(sql, from, { types, limit }), place), 200, headers);
  });
}
