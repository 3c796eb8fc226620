import { z } from "@hono/zod-openapi";
import { type HistoryEntry, listMemberHistory } from "../../assignments/member_history.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import {
  Assignment,
  ASSIGNMENT_EXAMPLE,
  ASSIGNMENT_REASONS,
  EXAMPLE,
  Id,
  json,
  LINK_HEADER,
  MAY_LAG,
  REASONS_EXAMPLE,
  RuleName,
  RunId,
  TrainerId,
} from "../schemas.ts";

const Status = z.enum(["active", "inactive"]);
const AskedStatus = z.enum([...Status.options, "all"]).default("all").openapi({
  description: "`active`: those that stand. `inactive`: those that have ended, with `endedAt`. `all`: both.",
});

export const AssignmentOfMember = z.object(
  {
    ...Assignment.shape,
    ...ASSIGNMENT_REASONS,
    trainerId: TrainerId.nullable().openapi({ description: "Null: the trainer is no longer a member." }),
    status: Status,
    backfillRunId: RunId.nullable().openapi({ description: "The run that made it.", example: null }),
    endedRunId: RunId.nullable().openapi({ description: "The run that ended it.", example: null }),
    ruleName: RuleName,
  } satisfies Record<keyof HistoryEntry, z.ZodType>,
).openapi("AssignmentOfMember");

const Page = z.object({ memberId: Id, assignments: z.array(AssignmentOfMember), next: z.string().nullable() })
  .openapi(
    "AssignmentsOfMemberPage",
  );

export const ENTRY_EXAMPLE = {
  ...ASSIGNMENT_EXAMPLE,
  ...REASONS_EXAMPLE,
  trainerId: EXAMPLE.otherMemberId,
  status: "active" as const,
  backfillRunId: null,
  endedRunId: null,
  ruleName: "Members in Germany",
};

/** All of a member's assignments. */
export function addMemberAssignmentsRoute(api: Api): void {
  const { beginRead } = api;

  addRoute(api, {
    method: "get",
    path: "/v1/members/{memberId}/assignments",
    role: "service",
    operationId: "listMemberAssignments",
    summary: "List a member's assignments, newest first",
    description:
      "Returns the member's assignments to all trainers in pages, also those that have ended; who made and ended " +
      `each, and why. ${MAY_LAG}`,
    tags: ["Assignments"],
    request: {
      params: z.strictObject({ memberId: Id }),
      query: z.strictObject({ status: AskedStatus, ...PAGE_QUERY }),
    },
    responses: {
      200: {
        description: "The assignments.",
        headers: LINK_HEADER,
        content: json(Page, {
          memberId: EXAMPLE.memberId,
          assignments: [ENTRY_EXAMPLE],
          next: null,
        }),
      },
    },
    errors: ["member_not_found", "invalid_cursor"],
  }, async (c) => {
    const { memberId } = c.req.valid("param");
    const { status, limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: `assignments/${memberId}/${status}`,
      limit,
      cursor,
      read: (page) => beginRead()((sql) => listMemberHistory(sql, memberId, { ...page, status })),
      idOf: ({ id }) => id,
    });
    return c.json({ memberId, assignments: rows, next }, 200);
  });
}
