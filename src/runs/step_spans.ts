import type { Sql } from "../database/sql.ts";
import { isTracing, parseTraceparent, withSpan } from "../telemetry/tracing.ts";
import { listRunTraceparents } from "./runs.ts";
import type { Step } from "./steps.ts";

/**
 * Makes each step of a run a span, of a trace of its own, linked to the requests that started the run and resumed it last.
 * Their contexts come from the run's row, for it may have been another replica that answered them.
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
    return []; // a run is worth more than its trace
  }
}
