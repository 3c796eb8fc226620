import { z } from "@hono/zod-openapi";
import type { RunKind } from "../../runs/progress.ts";
import type { ProblemCode } from "../problems.ts";
import { RUN_EXAMPLE, TRANSFER_EXAMPLE } from "../run_schemas.ts";

/** What the routes of one kind of run are called, and say; all else they share. */
export interface KindOfRun {
  kind: RunKind;
  path: `/v1/${string}`;
  tag: string;
  /** In operation ids: `pauseBackfill`. */
  name: string;
  /** What such a run does with its members: they stay so when it is cancelled. */
  done: string;
  /** The answer to a start while a run of this kind has not ended. */
  active: ProblemCode;
  example: typeof RUN_EXAMPLE;
}

export const BACKFILLS = {
  kind: "backfill",
  path: "/v1/backfills",
  tag: "Backfills",
  name: "Backfill",
  done: "assigned",
  active: "backfill_active",
  example: RUN_EXAMPLE,
} as const satisfies KindOfRun;

export const TRANSFERS = {
  kind: "transfer",
  path: "/v1/transfers",
  tag: "Transfers",
  name: "Transfer",
  done: "moved",
  active: "transfer_active",
  example: TRANSFER_EXAMPLE,
} as const satisfies KindOfRun;

export const KINDS_OF_RUNS: readonly KindOfRun[] = [BACKFILLS, TRANSFERS];

/** What every start takes. */
export const START_FIELDS = {
  dryRun: z.boolean().default(false).openapi({
    description: "True: count what would happen and change nothing.",
    example: true,
  }),
  batchRows: z.int().min(1).max(20_000).optional().openapi({
    description: "Fixed rows per batch. By default they adapt to the speed of the database.",
    example: 1_000,
  }),
};
