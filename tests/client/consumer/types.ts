/** What the types say, for the compiler alone. */
import { type ApiErrorCode, type Run, type TrainerAssignmentClient } from "trainer-assignment-client";

export async function check(trainers: TrainerAssignmentClient): Promise<void> {
  const { assigned } = await trainers.getMemberAssignment({ memberId: "" });
  const isAssigned: boolean = assigned;
  const nothing: null = await trainers.endAssignment({ trainerId: "", memberId: "" });
  const run: Run = await trainers.startBackfill();
  const code: ApiErrorCode = "backfill_active";
  const other: ApiErrorCode = "of a later service";
  console.log(isAssigned, nothing, run.status, code, other);
  // @ts-expect-error an operation's input is required where it has required fields
  await trainers.getMemberAssignment();
  // @ts-expect-error a field of the input has another name
  await trainers.getMemberAssignment({ member: "" });
  // @ts-expect-error the answer has no such field
  (await trainers.getPolicy()).rules;
  // @ts-expect-error the list cannot be downloaded
  trainers.readRows("listBackfills", {});
}
