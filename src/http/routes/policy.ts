import { z } from "@hono/zod-openapi";
import { getPolicy, listPolicyHistory, putPolicy } from "../../policy/policies.ts";
import { actorOf, logChange } from "../audit.ts";
import { etagOf, hasVersion, readExpectedVersion } from "../etags.ts";
import { PAGE_QUERY, readPage } from "../paging.ts";
import { below, inBody } from "../policy_errors.ts";
import {
  DOCUMENT_EXAMPLE,
  Policy,
  PolicyRequest,
  PolicyVersionPage,
  VERSION_EXAMPLE,
  WrittenPolicy,
} from "../policy_schemas.ts";
import { addRoute, type Api } from "../route.ts";
import { header, json, LINK_HEADER, STORABLE } from "../schemas.ts";

const ETAG_HEADER = { ETag: header('The version in double quotes: `"3"`.') };
const POLICY_EXAMPLE = { ...VERSION_EXAMPLE, policy: DOCUMENT_EXAMPLE };

const Comment = z.string().min(1).max(1000, "Must have at most 1,000 characters.")
  .refine(...STORABLE)
  .openapi({
    description: "Why the policy changes: shown with the version.",
    example: "German-speaking coaches",
  });
const Version = z.string().regex(/^[1-9]\d{0,8}$/, "Must be a version: 1, 2, 3, …").transform(Number)
  .openapi({ type: "integer", minimum: 1, example: 3 });

/** The policy: who trains whom, in versions. */
export function addPolicyRoutes(api: Api): void {
  const { sql, log } = api.services;

  addRoute(api, {
    method: "get",
    path: "/v1/policy",
    role: "viewer",
    operationId: "getPolicy",
    summary: "Get the policy in force",
    description:
      "Returns the latest version. Its `ETag` is the version in double quotes: send it as `If-Match` to change the policy, " +
      "or as `If-None-Match` to get 304 until it has changed.",
    tags: ["Policy"],
    responses: {
      200: {
        description: "The policy in force.",
        headers: ETAG_HEADER,
        content: json(Policy, POLICY_EXAMPLE),
      },
      304: { description: "The version in `If-None-Match` is still in force.", headers: ETAG_HEADER },
    },
    errors: [],
  }, async (c) => {
    const policy = await getPolicy(sql);
    c.header("ETag", etagOf(policy.version));
    return hasVersion(c, policy.version) ? c.body(null, 304) : c.json(policy, 200);
  });

  addRoute(api, {
    method: "put",
    path: "/v1/policy",
    role: "admin",
    operationId: "putPolicy",
    summary: "Change the policy",
    description:
      "Writes the next version. It is in force at once for whoever signs up from then on; nobody is moved. Start a backfill to " +
      "apply it to other members. " +
      "Every error is listed at once, with a pointer into the document. An unknown field, operator or key, or a wrong type, " +
      "is 400 `invalid_request`; a column, value or trainer that the database does not have is 422 `policy_invalid`. A " +
      "document that equals the policy in force makes no new version, whatever `If-Match` says.",
    tags: ["Policy"],
    request: {
      query: z.strictObject({ comment: Comment.optional() }),
      headers: z.object({
        "If-Match": z.string().openapi({
          description:
            "The `ETag` of the version that the change was made from, or `*` to replace any version.",
          example: '"2"',
        }),
      }),
      body: { required: true, content: json(PolicyRequest, DOCUMENT_EXAMPLE) },
    },
    responses: {
      200: {
        description: "The version in force, with warnings.",
        headers: ETAG_HEADER,
        content: json(WrittenPolicy, { ...POLICY_EXAMPLE, warnings: [] }),
      },
    },
    errors: ["policy_invalid", "policy_changed", "precondition_required"],
  }, async (c) => {
    const { comment } = c.req.valid("query");
    const expectedVersion = readExpectedVersion(c);
    const input = c.req.valid("json");
    const { policy, warnings, isNew } = await inBody(
      "/body",
      putPolicy(sql, input, actorOf(c), { comment, expectedVersion }),
    );
    if (isNew) logChange(log, actorOf(c), "policy_changed", { version: policy.version });
    c.header("ETag", etagOf(policy.version));
    return c.json({ ...policy, warnings: below("/body", warnings) }, 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/policy/versions",
    role: "viewer",
    operationId: "listPolicyVersions",
    summary: "List the versions of the policy, newest first",
    description:
      "Returns who wrote each version, when and why, in pages. A version never changes. To go back to one, put its document again.",
    tags: ["Policy"],
    request: { query: z.strictObject(PAGE_QUERY) },
    responses: {
      200: {
        description: "The versions.",
        headers: LINK_HEADER,
        content: json(PolicyVersionPage, {
          versions: [{ ...VERSION_EXAMPLE, defaultTrainerId: DOCUMENT_EXAMPLE.defaultTrainerId, rules: 3 }],
          next: null,
        }),
      },
    },
    errors: ["invalid_cursor"],
  }, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const { rows, next } = await readPage(c, {
      list: "policy/versions",
      limit,
      cursor,
      read: ({ limit, after }) =>
        listPolicyHistory(sql, { limit, after: after === undefined ? undefined : fromPlace(after) }),
      idOf: ({ version }) => toPlace(version),
    });
    return c.json({ versions: rows, next }, 200);
  });

  addRoute(api, {
    method: "get",
    path: "/v1/policy/versions/{version}",
    role: "viewer",
    operationId: "getPolicyVersion",
    summary: "Get a version of the policy",
    description: "Returns any version, in force or not.",
    tags: ["Policy"],
    request: { params: z.strictObject({ version: Version }) },
    responses: { 200: { description: "The version.", content: json(Policy, POLICY_EXAMPLE) } },
    errors: ["policy_version_not_found"],
  }, async (c) => c.json(await getPolicy(sql, c.req.valid("param").version), 200));
}

/** A version as a UUID, which is what cursors hold. */
function toPlace(version: number): string {
  return `00000000-0000-0000-0000-${String(version).padStart(12, "0")}`;
}

function fromPlace(id: string): number {
  return Number(id.replaceAll("-", ""));
}
