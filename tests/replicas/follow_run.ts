import { z } from "zod";
import { TOKEN } from "../faults/service.ts";

const runSchema = z.looseObject({ status: z.string(), successful: z.number() });

export interface RunEvent {
  event: string;
  run: z.infer<typeof runSchema>;
}

/** Follows a run as a browser does: comes back with the last event's id whenever the stream breaks off. Returns the last event. */
export async function followRun(url: string, runId: string): Promise<RunEvent> {
  let lastEventId: string | undefined;
  for (;;) {
    try {
      const response = await fetch(`${url}/v1/backfills/${runId}/events`, {
        headers: {
          Authorization: `Bearer ${TOKEN}`,
          Accept: "text/event-stream",
          ...(lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId }),
        },
      });
      let text = "";
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const [, event = "", id, data = ""] =
            /^event: (.+)\nid: (.+)\ndata: (.+)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          lastEventId = id ?? lastEventId;
          if (event === "finished") return { event, run: runSchema.parse(JSON.parse(data)) };
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the replica died
    }
  }
}
