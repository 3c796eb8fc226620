import { z } from "@hono/zod-openapi";
import { parsePolicy } from "../../policy/parse.ts";
import { getPolicy } from "../../policy/policies.ts";
import { explainDecision, LOOKS, OUTCOMES, previewPolicy } from "../../policy/preview.ts";
import { inBody } from "../policy_errors.ts";
import { DOCUMENT_EXAMPLE, PolicyRequest } from "../policy_schemas.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, Id, json, RuleNumber, TrainerId } from "../schemas.ts";

const Members = z.int().min(0).openapi({ example: 0 });
const Outcome = z.enum(OUTCOMES).openapi({
  description:
    "`assign`: would be assigned to `trainerId`. `excluded`: the rule chooses nobody. `already_assigned`: has an assignment " +
    "that meets the policy. `ended`: such an assignment was ended and is not replaced. `is_trainer`: is the default trainer. " +
    "`no_room`: no trainer has room; would be recorded as a failure.",
});

const PreviewRequest = z.strictObject({ policy: PolicyRequest.optional() }).openapi("PreviewRequest");

const PolicyPreview = z.object({
  members: Members.openapi({
    description: "Members looked at. All other counts are of these.",
    example: 812,
  }),
  isSample: z.boolean().openapi({
    description: "Whether they are a random sample of all members.",
    example: false,
  }),
  percent: z.number().openapi({
    description: "The share of all members; 100 if all were looked at.",
    example: 100,
  }),
  outcomes: z.array(z.object({
    rule: RuleNumber,
    trainerId: TrainerId.nullable(),
    outcome: Outcome,
    members: Members,
  })).openapi({ description: "What a backfill by this policy would do now." }),
  changed: Members.openapi({
    description: "Members who would get other trainers, if they signed up now, than by the policy in force.",
    example: 140,
  }),
  shares: z.array(z.object({
    trainerId: TrainerId.nullable().openapi({ description: "Null: no trainer." }),
    before: Members.openapi({ description: "By the policy in force." }),
    after: Members.openapi({ description: "By this policy." }),
  })).openapi({
    description: "Who would train the members, if all of them signed up now and every trainer had room.",
  }),
}).openapi("PolicyPreview");

const PREVIEW_EXAMPLE = {
  members: 812,
  isSample: false,
  percent: 100,
  outcomes: [
    { rule: 1, trainerId: null, outcome: "excluded" as const, members: 12 },
    { rule: 3, trainerId: EXAMPLE.memberId, outcome: "assign" as const, members: 140 },
    { rule: null, trainerId: null, outcome: "already_assigned" as const, members: 660 },
  ],
  changed: 140,
  shares: [
    { trainerId: null, before: 12, after: 12 },
    { trainerId: EXAMPLE.trainerId, before: 800, after: 660 },
    { trainerId: EXAMPLE.memberId, before: 0, after: 140 },
  ],
};

const Decision = z.object({
  memberId: Id,
  policyVersion: z.int().min(1).openapi({ example: 3 }),
  choices: z.array(z.object({ outcome: Outcome, rule: RuleNumber, trainerId: TrainerId.nullable() })).openapi(
    {
      description: "What a backfill would do with the member now. More than one if the rule chooses `all`.",
    },
  ),
  rules: z.array(z.object({
    rule: z.int().min(1).openapi({ example: 3 }),
    name: z.string(),
    matches: z.boolean().openapi({ description: "Whether the member meets the rule's condition." }),
    trainers: z.array(z.object({
      trainerId: TrainerId,
      isMember: z.boolean(),
      acceptsClients: z.boolean(),
      room: z.int().nullable().openapi({ description: "Free places. Null: no limit." }),
    })),
  })),
}).openapi("Decision");

const [all, fewer, fewest] = LOOKS.map(({ members }) => members.toLocaleString("en"));

/** What a policy would do: for all members, or for one. */
export function addPolicyPreviewRoutes(api: Api): void {
  const { sql } = api.services;

  addRoute(api, {
    method: "post",
    path: "/v1/policy/preview",
    role: "viewer",
    operationId: "previewPolicy",
    summary: "Preview a policy",
    description:
      "Says what a policy would do, and changes nothing. Without `policy` it looks at the policy in force. All of up to " +
      `${all} members are looked at, of more a random sample of about as many; if that takes over 10 s, a sample of about ` +
      `${fewer}, and on a very busy server of about ${fewest}. \`isSample\` says so, and \`percent\` how large it is. ` +
      "It takes some 15 s at most. Errors are told as by `PUT /v1/policy`.",
    tags: ["Policy"],
    request: { body: { content: json(PreviewRequest, { policy: DOCUMENT_EXAMPLE }) } },
    responses: { 200: { description: "The preview.", content: json(PolicyPreview, PREVIEW_EXAMPLE) } },
    errors: ["policy_invalid"],
  }, async (c) => {
    const { policy: input } = c.req.valid("json");
    const { policy } = input === undefined
      ? await getPolicy(sql)
      : await inBody("/body/policy", parsePolicy(sql, input));
    return c.json(await previewPolicy(sql, policy), 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/members/{memberId}/decision",
    role: "viewer",
    operationId: "explainDecision",
    summary: "Explain what the policy says of a member",
    description:
      "Returns what the policy in force would do with the member now, and why: which rules match, and which of their trainers " +
      "have room. It changes nothing.",
    tags: ["Policy"],
    request: { params: z.strictObject({ memberId: Id }) },
    responses: {
      200: {
        description: "The decision.",
        content: json(Decision, {
          memberId: EXAMPLE.memberId,
          policyVersion: 3,
          choices: [{ outcome: "assign", rule: 2, trainerId: EXAMPLE.otherMemberId }],
          rules: [
            { rule: 1, name: "Staff and deleted accounts", matches: false, trainers: [] },
            {
              rule: 2,
              name: "Asked for a coach",
              matches: true,
              trainers: [{
                trainerId: EXAMPLE.otherMemberId,
                isMember: true,
                acceptsClients: true,
                room: 4,
              }],
            },
          ],
        }),
      },
    },
    errors: ["member_not_found"],
  }, async (c) => c.json(await explainDecision(sql, c.req.valid("param").memberId), 200));
}
