import { z } from "@hono/zod-openapi";
import { LOOK_ROWS, MAX_FOUND, MAX_SEARCH_LENGTH, searchMembers } from "../../assignments/member_search.ts";
import { MemberEmail, MemberName } from "../names.ts";
import { addRoute, type Api } from "../route.ts";
import { EXAMPLE, Id, json, STORABLE } from "../schemas.ts";

const DEFAULT_LIMIT = 20;

/** A part of a name or e-mail, or the beginning of an id. */
export const SearchText = z.string().trim().min(1, "Must not be empty.").max(MAX_SEARCH_LENGTH)
  .refine(...STORABLE)
  .openapi({
    description: "A part of the name or of the e-mail, without regard to case; or an id, or its beginning.",
    example: "anna",
  });

const FoundMember = z.object({ memberId: Id, name: MemberName, email: MemberEmail }).openapi("FoundMember");

const FoundMembers = z.object({
  members: z.array(FoundMember),
  partial: z.boolean().openapi({
    description:
      `True: only the first ${
        LOOK_ROWS.toLocaleString("en")
      } members were searched, and there may be other matches. ` +
      "A trigram index on the columns makes searches complete.",
    example: false,
  }),
  more: z.boolean().openapi({
    description: "True: there are more matches than `limit`. Search for a longer text.",
    example: false,
  }),
}).openapi("FoundMembers");

/** Finds members by name. */
export function addMemberSearchRoute(api: Api): void {
  const { services } = api;

  addRoute(api, {
    method: "get",
    path: "/v1/members",
    role: "viewer",
    operationId: "searchMembers",
    summary: "Find members by name, e-mail or id",
    description:
      "Returns the best matches first: whole names and e-mails, then beginnings, then other parts. The text is taken " +
      "literally. Each look into the members ends after half a second at most; what it did not see makes the answer `partial`.",
    tags: ["Members"],
    request: {
      query: z.strictObject({
        search: SearchText,
        limit: z.string().regex(/^\d{1,2}$/, "Must be a whole number.").default(String(DEFAULT_LIMIT))
          .transform(Number)
          .refine((limit) => limit >= 1 && limit <= MAX_FOUND, `Must be from 1 to ${MAX_FOUND}.`)
          .openapi({
            description: "The most members to return.",
            type: "integer",
            minimum: 1,
            maximum: MAX_FOUND,
            default: DEFAULT_LIMIT,
            example: DEFAULT_LIMIT,
          }),
      }),
    },
    responses: {
      200: {
        description: "The members.",
        content: json(FoundMembers, {
          members: [{ memberId: EXAMPLE.memberId, name: "Anna Berg", email: "anna@example.com" }],
          partial: false,
          more: false,
        }),
      },
    },
    errors: [],
  }, async (c) => {
    const { search, limit } = c.req.valid("query");
    const { members, ...found } = await searchMembers(services, search, limit);
    return c.json(
      { members: members.map(({ id, ...member }) => ({ memberId: id, ...member })), ...found },
      200,
    );
  });
}
