import { z } from "zod";
import { Problem } from "../../http/problems.ts";
import { Id, Notes } from "../../http/schemas.ts";
import { When } from "../../policy/condition.ts";
import type { Run } from "../../runs/progress.ts";

/** The most clients that can be picked for one transfer. */
export const MAX_PICKED = 1000;

const Plan = z.strictObject({
  /** Who takes over; null: the policy decides. */
  trainerId: Id.nullable(),
  /** Only these clients. At most one of this and `condition`. */
  memberIds: z.array(Id).min(1).max(MAX_PICKED).nullable(),
  /** Only clients who match it. */
  condition: When.nullable(),
  /** Null: kept. */
  notes: Notes.nullable(),
  /** The trainer who is left takes no new clients from then on. */
  stopsNewClients: z.boolean(),
});

/** A transfer that is being prepared. It travels in the forms; the service keeps none. */
export type Plan = z.infer<typeof Plan>;

/** The hidden field with which a plan travels from page to page. */
export function PlanFields({ plan }: { plan: Plan }) {
  return <input type="hidden" name="plan" value={JSON.stringify(plan)} />;
}

/**
 * Reads the plan that a form carries. It comes from the browser, so it is parsed as any other input.
 * @throws {Problem} `invalid_request`
 */
export function readPlan(form: FormData): Plan {
  const { data } = z.string().transform(toJson).pipe(Plan).safeParse(form.get("plan"));
  if (data === undefined) throw new Problem("invalid_request", "The plan could not be read.");
  return data;
}

/** Makes the plan of what a dry run tried; undefined if it was for picked clients, whom a run does not list. */
export function planOfRun({ trainerId, onlySelected, condition, notes }: Run): Plan | undefined {
  if (onlySelected) return undefined;
  return { trainerId, memberIds: null, condition, notes, stopsNewClients: condition === null };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
