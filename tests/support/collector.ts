import { z } from "zod";

/** Takes OpenTelemetry's spans, logs and metrics as a collector does, and keeps them. */
export interface Collector {
  /** What makes the service send to it. */
  environment: Record<string, string>;
  /** Each export as it came, and where to. */
  sights(): { where: string; text: string }[];
  /** The spans that have ended and come, in no order. */
  spans(): CollectedSpan[];
  stop(): Promise<void>;
}

export type CollectedSpan = z.infer<typeof spanSchema>;

export function startCollector(): Collector {
  const seen: { where: string; text: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    seen.push({ where: `OTLP ${new URL(request.url).pathname}`, text: await request.text() });
    return Response.json({});
  });
  return {
    environment: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "500",
    },
    sights: () => seen,
    spans: () =>
      seen.filter(({ where }) => where === "OTLP /v1/traces").flatMap(({ text }) =>
        exportSchema.parse(JSON.parse(text)).resourceSpans
          .flatMap(({ scopeSpans }) => scopeSpans)
          .flatMap(({ spans }) => spans)
      ),
    stop: () => server.shutdown(),
  };
}

const attributesSchema = z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .transform((attributes) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
  );

/** A span as OTLP's JSON has it; one without a parent has `""` as `parentSpanId`. */
const spanSchema = z.object({
  name: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string(),
  attributes: attributesSchema,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })),
});

const exportSchema = z.object({
  resourceSpans: z.array(z.object({
    scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
  })),
});
