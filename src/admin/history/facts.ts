import { z } from "zod";
import type { AuditLine } from "../../history/audit_lines.ts";

const count = z.number().optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

/** What a line may say of before and after. What a line does not say, or says otherwise, is undefined. */
const Facts = z.object({
  version: count,
  comment: text,
  capacity: z.number().nullable().optional().catch(undefined),
  acceptsClients: flag,
  noteChanged: flag,
  force: flag,
  kind: z.enum(["backfill", "transfer"]).optional().catch(undefined),
  status: z.enum(["running", "paused", "cancelled", "succeeded", "completed_with_errors"]).optional()
    .catch(undefined),
  reason: text,
  dryRun: flag,
  reassign: flag,
  fromTrainerId: text,
  trainerId: text,
  policyVersion: count,
  ended: count,
  revived: count,
  otherwise: count,
  deleted: count,
  members: count,
  failures: count,
  lines: count,
  before: text,
  role: text,
  by: text,
  method: text,
  route: text,
  needed: text,
  url: text,
  enabled: flag,
  newUrl: flag,
  newSecret: flag,
  because: text,
  messages: count,
});

export type Facts = z.infer<typeof Facts>;

/** Reads what a line says of before or after. */
export function readFacts(state: AuditLine["before"]): Facts {
  return Facts.parse(state ?? {});
}

/** Reads the id from a subject of this kind: `run:…`; undefined for others. */
export function idOfSubject(subject: string | null, kind: string): string | undefined {
  return subject?.startsWith(`${kind}:`) ? subject.slice(kind.length + 1) : undefined;
}

/** Returns the ids of the members whom a line names. */
export function membersOf({ memberId, trainerId, after, before, subject }: AuditLine): string[] {
  const [then, now] = [readFacts(before), readFacts(after)];
  const named = [memberId, trainerId, idOfSubject(subject, "trainer"), now.fromTrainerId, now.trainerId];
  return [...named, then.trainerId].filter((id) => typeof id === "string");
}
