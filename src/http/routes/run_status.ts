import { cancelRun, pauseRun, requireRun, resumeRun, retryRun } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { addRoute, type Api } from "../route.ts";
import { Run, RunParams } from "../run_schemas.ts";
import { header, json } from "../schemas.ts";
import { type KindOfRun, KINDS_OF_RUNS } from "./run_kinds.ts";

const STATUS_CHANGES = [
  {
    verb: "pause",
    change: pauseRun,
    summary: ({ kind }: KindOfRun) => `Pause a running ${kind}`,
    description: () => "Once this has answered, no batch of the run is being written.",
    status: "paused",
  },
  {
    verb: "resume",
    change: resumeRun,
    summary: ({ kind }: KindOfRun) => `Resume a paused ${kind}`,
    description: () => "The run continues where it was paused.",
    status: "running",
  },
  {
    verb: "cancel",
    change: cancelRun,
    summary: ({ kind }: KindOfRun) => `Cancel a ${kind} that has not ended`,
    description: ({ done }: KindOfRun) =>
      `Ends a running or paused run. Members that it has ${done} stay ${done}. It cannot be resumed.`,
    status: "cancelled",
  },
] as const;

/** Changes of a run's status; who did it is recorded in the run's history. */
export function addRunStatusRoutes(api: Api): void {
  const { sql, log } = api.services;

  for (const kindOfRun of KINDS_OF_RUNS) {
    const { kind, path, tag, name, active, example } = kindOfRun;

    for (const { verb, change, summary, description, status } of STATUS_CHANGES) {
      addRoute(api, {
        method: "post",
        path: `${path}/{id}/${verb}`,
        role: "admin",
        operationId: `${verb}${name}`,
        summary: summary(kindOfRun),
        description: description(kindOfRun),
        tags: [tag],
        request: { params: RunParams },
        responses: { 200: { description: "The run.", content: json(Run, { ...example, status }) } },
        errors: ["run_not_found", "invalid_transition"],
      }, async (c) => {
        const { id } = c.req.valid("param");
        await requireRun(sql, id, kind);
        const run = await change(sql, id, actorOf(c));
        logChange(log, actorOf(c), `${kind}_${verb}_requested`, { runId: run.id });
        return c.json(run, 200);
      });
    }

    addRoute(api, {
      method: "post",
      path: `${path}/{id}/retry`,
      role: "admin",
      operationId: `retry${name}`,
      summary: `Retry the failed members of an ended ${kind}`,
      description: "Starts a new run over the members who failed, and returns the new run.",
      tags: [tag],
      request: { params: RunParams },
      responses: {
        202: {
          description: "The run was started.",
          headers: { Location: header("The path of the new run.") },
          content: json(Run, example),
        },
      },
      errors: [
        "run_not_found",
        "invalid_transition",
        active,
        "trainer_not_found",
        ...kind === "transfer" ? ["no_successor", "policy_invalid"] as const : [],
      ],
    }, async (c) => {
      const { id } = c.req.valid("param");
      await requireRun(sql, id, kind);
      const run = await retryRun(sql, id, actorOf(c));
      logChange(log, actorOf(c), `${kind}_retry_requested`, { runId: run.id, retryOf: id });
      return c.json(run, 202, { Location: `${path}/${run.id}` });
    });
  }
}
