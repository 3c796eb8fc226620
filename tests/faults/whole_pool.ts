import type { Report } from "./experiment.ts";
import type { Proxy } from "./proxy.ts";
import { eventually } from "./runs.ts";
import type { Service } from "./service.ts";
import type { World } from "./world.ts";

/** As many requests wait for a lock at once as the pool has connections, and no session is left that nobody uses. */
export async function expectWholePool(
  { sql }: World,
  service: Service,
  proxy: Proxy,
  { poolSize, allConnections, runId, report }: {
    poolSize: number;
    allConnections: number;
    /** Any run; its errors are what is asked for. */
    runId: string;
    report: Report;
  },
): Promise<void> {
  let requests: Promise<PromiseSettledResult<Response>[]> = Promise.resolve([]);
  await sql.begin(async (locker) => {
    await locker`lock table assignment.backfill_errors in access exclusive mode`;
    requests = Promise.allSettled(
      Array.from({ length: poolSize }, () => service.call(`GET /v1/backfills/${runId}/errors`)),
    );
    await eventually(report, "the pool has all of its connections again", 20_000, async () => {
      const [row] = await sql<[{ waiting: number }]>`
        select count(*) as waiting
        from pg_catalog.pg_stat_activity
        where datname = current_database()
          and application_name = 'trainer-assignment service'
          and wait_event_type = 'Lock'
      `;
      return row.waiting === poolSize;
    });
  });
  for (const request of await requests) {
    const answer = request.status === "fulfilled" ? `status ${request.value.status}` : String(request.reason);
    report.expect(answer === "status 200", "requests at once are answered", answer);
    if (request.status === "fulfilled") await request.value.body?.cancel();
  }
  await eventually(report, "no session is left over", 20_000, async () => {
    const [row] = await sql<[{ sessions: number }]>`
      select count(*) as sessions
      from pg_catalog.pg_stat_activity
      where datname = current_database()
        and application_name like 'trainer-assignment service%'
    `;
    return row.sessions - proxy.abandoned() <= allConnections && proxy.open() <= allConnections;
  });
}
