/** What the types say, for the compiler alone. */
import {
  type ApiErrorCode,
  type MessageType,
  pages,
  type Run,
  type TrainerAssignmentClient,
} from "trainer-assignment-client";

export async function check(trainers: TrainerAssignmentClient): Promise<void> {
  const { assigned } = await trainers.getMemberAssignment({ memberId: "" });
  const isAssigned: boolean = assigned;
  const nothing: null = await trainers.endAssignment({ trainerId: "", memberId: "" });
  const run: Run = await trainers.startBackfill();
  const code: ApiErrorCode = "backfill_active";
  const other: ApiErrorCode = "of a later service";
  const { policy, version } = await trainers.getPolicy();
  await trainers.putPolicy({ ...policy, ifMatch: version });
  await trainers.putPolicy({ ...policy, ifMatch: "*" }, { timeoutMs: 1000 });
  for await (const { message, cursor } of trainers.followEvents({ after: undefined })) {
    const type: MessageType = message.type;
    console.log(type, cursor.length);
  }
  console.log(isAssigned, nothing, run.status, code, other);
  // @ts-expect-error an operation's input is required where it has required fields
  await trainers.getMemberAssignment();
  // @ts-expect-error a field of the input has another name
  await trainers.getMemberAssignment({ member: "" });
  // @ts-expect-error the answer has no such field
  (await trainers.getPolicy()).rules;
  // @ts-expect-error the change says of which version it is
  await trainers.putPolicy(policy);
  // @ts-expect-error messages have no last page
  pages(trainers.listEvents, {});
  // @ts-expect-error the list cannot be downloaded
  trainers.readRows("listBackfills", {});
}
