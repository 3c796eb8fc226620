import type { Sight } from "./canaries.ts";

/** Takes OpenTelemetry's spans, logs and metrics as a collector does, and keeps them. */
export interface Collector {
  /** What makes the service send to it. */
  environment: Record<string, string>;
  sights(): Sight[];
  stop(): Promise<void>;
}

export function startCollector(): Collector {
  const seen: Sight[] = [];
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
    stop: () => server.shutdown(),
  };
}
