import { z } from "@hono/zod-openapi";
import type { CheckMember } from "../../assignments/batched_checks.ts";
import { checkAssignments } from "../../assignments/checks.ts";
import { addRoute, type Api } from "../route.ts";
import {
  AskedTrainerId,
  ASSIGNMENT_EXAMPLE,
  EXAMPLE,
  Id,
  json,
  MAY_LAG,
  MemberAssignment,
} from "../schemas.ts";

const MAX_MEMBERS = 1000;

const CheckRequest = z.strictObject({
  memberIds: z.array(Id).min(1).max(MAX_MEMBERS),
  trainerId: AskedTrainerId.optional(),
}).openapi("CheckRequest");

const CheckResults = z.object({
  trainerId: AskedTrainerId.openapi({
    description: "The trainer who was checked; `any` if that was asked for.",
  }),
  results: z.array(z.object({ memberId: Id, assigned: z.boolean() })),
}).openapi("CheckResults");

/** Whether members are assigned: what other services ask. */
export function addMemberRoutes(api: Api, checkMember: CheckMember): void {
  const { beginRead } = api;

  addRoute(api, {
    method: "get",
    path: "/v1/members/{memberId}/assignment",
    role: "service",
    operationId: "getMemberAssignment",
    summary: "Check whether a member is assigned to a trainer",
    description:
      "Checks the default trainer, or the one named by `trainerId`; with `trainerId=any` whether the member has a trainer at " +
      "all. Only active assignments count. If a member has several trainers, `any` finds one of them, the same each time. The " +
      "answer is 422 `trainer_not_found` if no trainer is named and no default trainer is set. " + MAY_LAG,
    tags: ["Assignments"],
    request: {
      params: z.strictObject({ memberId: Id }),
      query: z.strictObject({ trainerId: AskedTrainerId.optional() }),
    },
    responses: {
      200: {
        description: "Whether the member is assigned, and the assignment.",
        content: json(MemberAssignment, {
          memberId: EXAMPLE.memberId,
          trainerId: EXAMPLE.trainerId,
          assigned: true,
          assignment: ASSIGNMENT_EXAMPLE,
        }),
      },
    },
    errors: ["member_not_found", "trainer_not_found"],
  }, async (c) => {
    const { failure } = c.env.begun ?? {};
    if (failure !== undefined) throw failure.error; // asking again would wait again
    const { memberId } = c.req.valid("param");
    return c.json(await checkMember(memberId, c.req.valid("query").trainerId), 200);
  });

  addRoute(api, {
    method: "post",
    path: "/v1/assignments/check",
    role: "service",
    operationId: "checkAssignments",
    summary: "Check many members at once",
    description:
      `Takes 1 to ${MAX_MEMBERS} members and returns the results in the same order. A member who does not exist is not assigned. ` +
      `Without \`trainerId\` it checks the default trainer; with \`any\`, whether each has a trainer at all. ${MAY_LAG}`,
    tags: ["Assignments"],
    request: {
      body: {
        required: true,
        content: json(CheckRequest, { memberIds: [EXAMPLE.memberId, EXAMPLE.otherMemberId] }),
      },
    },
    responses: {
      200: {
        description: "Whether each member is assigned.",
        content: json(CheckResults, {
          trainerId: EXAMPLE.trainerId,
          results: [
            { memberId: EXAMPLE.memberId, assigned: true },
            { memberId: EXAMPLE.otherMemberId, assigned: false },
          ],
        }),
      },
    },
    errors: ["trainer_not_found"],
  }, async (c) => {
    const { memberIds, trainerId } = c.req.valid("json");
    return c.json(await beginRead()((sql) => checkAssignments(sql, memberIds, trainerId)), 200);
  });
}
