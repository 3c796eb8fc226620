import { z } from "zod";

/** Something that can be asked for, as far as a caller knows it. */
export interface Operation {
  method: string;
  /** With `{name}` where an id goes. */
  path: string;
  query: string[];
  body: { type: "json" | "form"; fields: string[] } | undefined;
  /** What lets callers in. */
  credential: "bearer" | "cookie";
}

const documentSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
        requestBody: z.looseObject({
          content: z.record(
            z.string(),
            z.looseObject({ schema: z.looseObject({ $ref: z.string().optional() }) }),
          ),
        }).optional(),
        responses: z.record(
          z.string(),
          z.looseObject({
            content: z.record(
              z.string(),
              z.looseObject({ examples: z.record(z.string(), z.unknown()).optional() }),
            )
              .optional(),
          }),
        ),
      }),
    ),
  ),
  components: z.looseObject({
    schemas: z.record(
      z.string(),
      z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) }),
    ),
  }),
});

/** Reads every operation of an OpenAPI document. */
export function documentedOperations(document: unknown): Operation[] {
  const { paths, components } = documentSchema.parse(document);
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters, requestBody }]): Operation => {
      const content = requestBody?.content["application/json"];
      const schema = content?.schema.$ref?.split("/").at(-1);
      const fields = Object.keys(components.schemas[schema ?? ""]?.properties ?? {});
      return {
        method: method.toUpperCase(),
        path,
        query: parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name),
        // of a body that another program shapes, nothing is known
        body: content === undefined
          ? undefined
          : { type: "json", fields: fields.length > 0 ? fields : ["type"] },
        credential: "bearer",
      };
    })
  );
}

/** The codes that the document's examples of errors name, and the two that belong to no operation. */
export function documentedCodes(document: unknown): Set<string> {
  const { paths } = documentSchema.parse(document);
  const examples = Object.values(paths).flatMap(Object.values<(typeof paths)[string][string]>)
    .flatMap(({ responses }) => Object.values(responses))
    .flatMap(({ content }) => Object.keys(content?.["application/problem+json"]?.examples ?? {}));
  return new Set([...examples, "not_found", "method_not_allowed"]);
}

const PAGES = "/admin/trainer-assignment";
const page = (method: string, path: string, fields: string[] = []): Operation => ({
  method,
  path,
  query: method === "GET" ? fields : [],
  body: method === "POST" ? { type: "form", fields } : undefined,
  credential: "cookie",
});

/** The admin page and its forms, which no document describes. */
export const pageOperations: readonly Operation[] = [
  page("GET", "/admin"),
  page("GET", "/admin/login", ["next", "notice"]),
  page("POST", "/admin/login", ["token", "next"]),
  page("POST", "/admin/logout"),
  page("GET", "/admin/openid/callback", ["code", "state"]),
  page("GET", "/admin/static/{version}/{name}"),
  page("GET", PAGES, ["notice"]),
  page("GET", `${PAGES}/runs`, ["cursor"]),
  page("POST", `${PAGES}/runs`, ["trainerId", "batchRows", "dryRun"]),
  page("GET", `${PAGES}/runs/{id}`, ["cursor"]),
  page("GET", `${PAGES}/runs/{id}/errors.csv`),
  page("POST", `${PAGES}/runs/{id}/pause`),
  page("POST", `${PAGES}/runs/{id}/retry`),
  page("GET", `${PAGES}/members`, ["q"]),
  page("POST", `${PAGES}/members/{id}/assign`, ["trainerId", "notes"]),
  page("POST", `${PAGES}/members/{id}/end`, ["trainerId"]),
  page("GET", `${PAGES}/policy`, ["cursor"]),
  page("POST", `${PAGES}/policy`, ["draft", "base", "comment", "fate"]),
  page("GET", `${PAGES}/policy/versions/{version}`),
  page("POST", `${PAGES}/policy/draft`, ["draft", "base", "do", "respects"]),
  page("POST", `${PAGES}/policy/draft/rule`, [
    "draft",
    "base",
    "do",
    "rule",
    "name",
    "c0.field",
    "t0.id",
    "trainer",
  ]),
  page("GET", `${PAGES}/trainers`, ["q", "cursor"]),
  page("POST", `${PAGES}/trainers/{id}/settings`, ["capacity", "acceptsClients", "note"]),
  page("GET", `${PAGES}/trainers/{id}`, ["status", "cursor"]),
  page("GET", `${PAGES}/trainers/{id}/clients.csv`, ["status"]),
  page("GET", `${PAGES}/trainers/{id}/move`, ["client"]),
  page("POST", `${PAGES}/trainers/{id}/move`, [
    "to",
    "trainerId",
    "whom",
    "pasted",
    "notes",
    "newField",
    "do",
  ]),
  page("POST", `${PAGES}/trainers/{id}/transfers`, ["plan", "do"]),
  page("GET", `${PAGES}/history`, ["cursor", "actor", "action", "member", "trainer"]),
  page("GET", `${PAGES}/history.csv`, ["actor", "action"]),
  page("GET", `${PAGES}/default-trainer`, ["trainerId"]),
  page("POST", `${PAGES}/default-trainer`, ["trainerId", "fate"]),
  page("GET", `${PAGES}/failures`, ["cursor"]),
  page("POST", `${PAGES}/failures/retry`),
];
