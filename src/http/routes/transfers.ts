import { z } from "@hono/zod-openapi";
import { When } from "../../policy/condition.ts";
import { MOST_SELECTED, startTransfer } from "../../runs/runs.ts";
import { actorOf, logChange } from "../audit.ts";
import { inBody } from "../policy_errors.ts";
import { addRoute, type Api } from "../route.ts";
import { Run } from "../run_schemas.ts";
import { EXAMPLE, header, Id, json, Notes, TrainerId } from "../schemas.ts";
import { START_FIELDS, TRANSFERS } from "./run_kinds.ts";

const StartRequest = z.strictObject({
  fromTrainerId: TrainerId.openapi({ description: "The trainer whose clients are moved." }),
  trainerId: TrainerId.optional().openapi({
    description: "Who takes them over. By default the policy in force chooses for each client.",
    example: EXAMPLE.otherMemberId,
  }),
  memberIds: z.array(Id).min(1).max(MOST_SELECTED)
    .refine((ids) => new Set(ids).size === ids.length, "Must not name a member twice.")
    .optional().openapi({ description: "Move these clients only. By default all.", uniqueItems: true }),
  condition: When.optional().openapi({
    allOf: [{ $ref: "#/components/schemas/Condition" }],
    description:
      "Move only clients who match it. Together with `memberIds`: those of the listed who match it.",
  }),
  notes: Notes.optional().openapi({
    description: "The notes of the new assignments. By default those of the ended ones.",
    example: "the trainer has left",
  }),
  ...START_FIELDS,
}).openapi("StartTransferRequest");

/** Starts transfers. */
export function addTransferRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "post",
    path: TRANSFERS.path,
    role: "admin",
    operationId: "startTransfer",
    summary: "Move the clients of a trainer",
    description:
      "Ends the active assignments to `fromTrainerId`, and gives each client the trainer `trainerId`, or whom the policy " +
      "chooses without the one who leaves. Each client is moved at once: never without a trainer, never with both. Whoever " +
      "cannot be moved stays with the trainer and is listed as failed, with the reason: `TA003` the client is the new trainer; " +
      "`TA011` no room; `TA015` an assignment to the new trainer was ended before, and is not made again; `TA016` the " +
      "policy gives nobody else. A run that ends as `succeeded` has proved that none of the clients is left. A dry run counts " +
      "the `choices` that a real run would make. Clients who come after the start are not moved. The run works in the " +
      "background: follow it with GET /v1/transfers/{id} or its events. From each trainer, at most one transfer has not " +
      "ended; a second start gets 409 `transfer_active` with the `runId` of the first.",
    tags: [TRANSFERS.tag],
    request: {
      body: {
        required: true,
        content: json(StartRequest, {
          fromTrainerId: EXAMPLE.trainerId,
          trainerId: EXAMPLE.otherMemberId,
          dryRun: true,
        }),
      },
    },
    responses: {
      202: {
        description: "The run was started.",
        headers: { Location: header("The path of the run.") },
        content: json(Run, TRANSFERS.example),
      },
    },
    errors: ["transfer_active", "trainer_not_found", "no_successor", "policy_invalid"],
  }, async (c) => {
    const run = await inBody(
      "/body",
      startTransfer(sql, { ...c.req.valid("json"), requestedBy: actorOf(c) }),
      "condition",
    );
    logChange(log, actorOf(c), "transfer_start_requested", { runId: run.id });
    return c.json(run, 202, { Location: `${TRANSFERS.path}/${run.id}` });
  });
}
