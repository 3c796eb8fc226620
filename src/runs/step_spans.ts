import type { Sql } from "../database/sql.ts";
import { isTracing, parseTraceparent, withSpan } from "../telemetry/tracing.ts";
import { listRunTraceparents } from "./runs.ts";
import type { Step } from "./steps.ts";

/**
 * Makes each step of a run the root span of a trace. It is linked to the requests that started and last resumed
 * the run, whose contexts are read from the run's row, since another replica may have served them.
 */
export async function traceSteps(
  sql: Sql,
  runId: string,
  takeStep: () => Promise<Step>,
): Promise<() => Promise<Step>> {
  if (!isTracing()) return takeStep;
  const links = await findLinks(sql, runId);
  const attributes = { "trainer_assignment.run_id": runId };
  return () =>
    withSpan("backfill step", { isRoot: true, links, attributes }, async (span) => {
      const step = await takeStep();
      span.setAttribute("trainer_assignment.step.work", step.work);
      span.setAttribute("trainer_assignment.step.members", step.members);
      return step;
    });
}

async function findLinks(sql: Sql, runId: string) {
  try {
    return (await listRunTraceparents(sql, runId)).flatMap(parseTraceparent);
  } catch {
    return []; // a run goes on without its links
  }
}
