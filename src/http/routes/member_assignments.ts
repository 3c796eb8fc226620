import { z } from "@hono/zod-openapi";
import { type HistoryEntry, listMemberHistory } from "../../assignments/member_history.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { addRoute, type Api } from "../route.ts";
import {
  Assignment,
  ASSIGNMENT_EXAMPLE,
  EXAMPLE,
  Id,
  json,
  LINK_HEADER,
  MAY_LAG,
  RuleName,
  RuleNumber,
  RunId,
  Time,
  TrainerId,
} from "../schemas.ts";

const Status = z.enum(["active", "inactive"]);
const AskedStatus = z.enum([...Status.options, "all"]).default("all").openapi({
  description: "`active`: those that stand. `inactive`: those that have ended, with `endedAt`. `all`: both.",
});

const Entry = z.object(
  {
    ...Assignment.shape,
    trainerId: TrainerId,
    status: Status,
    endedAt: Time.nullable().openapi({
      description:
        "When the assignment ended. Null if it is active, was made inactive by another program, or ended at a time out of range.",
      example: null,
    }),
    backfillRunId: RunId.nullable().openapi({ description: "The backfill run that made it.", example: null }),
    policyVersion: z.int().min(1).nullable().openapi({
      description: "The version of the policy that chose the trainer. Null: the trainer was named.",
      example: 7,
    }),
    rule: RuleNumber.openapi({
      description:
        "The rule that chose the trainer, by its position in that version, from 1. Null: the default trainer, or a trainer " +
        "who was named.",
    }),
    ruleName: RuleName,
  } satisfies Record<keyof HistoryEntry, z.ZodType>,
).openapi("AssignmentOfMember");

const Page = z.object({ memberId: Id, assignments: z.array(Entry), next: z.string().nullable() }).openapi(
  "AssignmentsOfMemberPage",
);

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
      "Returns the member's assignments to all trainers in pages, also those that have ended, and why each was made: the " +
      `version of the policy and its rule. ${MAY_LAG}`,
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
          assignments: [{
            ...ASSIGNMENT_EXAMPLE,
            trainerId: EXAMPLE.otherMemberId,
            status: "active",
            endedAt: null,
            backfillRunId: null,
            policyVersion: 7,
            rule: 2,
            ruleName: "Members in Germany",
          }],
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
