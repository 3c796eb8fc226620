import { hasEnded } from "../../runs/progress.ts";
import { getRun } from "../../runs/runs.ts";
import { negotiate } from "../negotiation.ts";
import { addRoute, type Api } from "../route.ts";
import { createRunEvents, FINISHED_EVENT_ID } from "../run_events.ts";
import { RunParams } from "../run_schemas.ts";
import { text } from "../schemas.ts";
import { liftTimeLimit } from "../time_limit.ts";
import { KINDS_OF_RUNS } from "./run_kinds.ts";

/** Follows a run: server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function addRunEventRoutes(api: Api): void {
  const { sql, log, outageLog, shutdown } = api.services;
  const openRunEvents = createRunEvents({ readRun: (id) => getRun(sql, id), log, outageLog, shutdown });

  for (const { kind, path, tag, name, example } of KINDS_OF_RUNS) {
    addRoute(api, {
      method: "get",
      path: `${path}/{id}/events`,
      role: "viewer",
      operationId: `follow${name}`,
      summary: `Follow a ${kind} run`,
      description:
        "Streams server-sent events: `progress` with the whole run whenever it has changed, then `finished`. A comment every " +
        "15 s keeps the connection alive. To resume, send `Last-Event-ID`; states already seen are not sent again. At most " +
        "100 streams are open per replica.",
      tags: [tag],
      request: { params: RunParams },
      responses: {
        200: {
          description: "The events.",
          content: {
            "text/event-stream": text(`event: progress\nid: kq3…\ndata: ${JSON.stringify(example)}\n\n`),
          },
        },
        204: {
          description:
            "The run has ended and `Last-Event-ID` is `finished`: there are no more events, and browsers stop reconnecting.",
        },
      },
      errors: ["run_not_found", "not_acceptable", "too_many_streams"],
    }, async (c) => {
      negotiate(c, ["text/event-stream"]);
      const run = await getRun(sql, c.req.valid("param").id, kind);
      const lastEventId = c.req.header("last-event-id");
      if (lastEventId === FINISHED_EVENT_ID && hasEnded(run)) return c.body(null, 204);
      // The second header keeps nginx from collecting events before it passes them on.
      const headers = { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" };
      // A HEAD request has no reader who would ever end the stream.
      if (c.req.method === "HEAD") return c.body(null, 200, headers);
      liftTimeLimit(c);
      return c.body(openRunEvents(run, lastEventId), 200, headers);
    });
  }
}
