import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import type { AppEnv } from "./env.ts";
import { type InputError, toInputErrors } from "../input_errors.ts";
import { Problem } from "./problems.ts";

/** The largest body. A thousand ids, the largest expected input, take 40 KiB. */
export const MAX_BODY_BYTES = 256 * 1024;
/** The most errors in an answer; it counts the others, so that it stays smaller than its request. */
const MAX_ERRORS = 100;

/**
 * Checks a part of the request. Synchronous on purpose: it runs on the hot path of the check.
 * @throws {Problem} `invalid_request` with a pointer for each thing that is wrong.
 */
export function checkInput<S extends z.ZodType>(
  schema: S,
  input: unknown,
  part: "body" | "path" | "query",
): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw invalidRequest(toInputErrors(result.error, [part]));
}

/** Creates the problem for input with these errors. */
export function invalidRequest(errors: InputError[]): Problem {
  const found = errors.length === 1 ? "one error" : `${errors.length} errors`;
  const where = errors.length > MAX_ERRORS ? `The first ${MAX_ERRORS} are in errors` : "See errors";
  return new Problem("invalid_request", `The request has ${found}. ${where}.`, {
    errors: errors.slice(0, MAX_ERRORS),
  });
}

/**
 * Reads and checks a JSON body: 413 when it is too large, 415 when its media type is not JSON, 400 when it is
 * not valid JSON or does not fit the schema. An absent optional body reads as `{}`.
 */
export function readJsonBody(schema: z.ZodObject, required: boolean): MiddlewareHandler<AppEnv>[] {
  return [limitBody(), async function jsonBody(c, next) {
    const text = await c.req.text();
    if (text !== "" || required) refuseOtherThanJson(c.req.header("content-type"));
    const input = text === "" && !required ? {} : parseJson(text);
    c.req.addValidatedData("json", checkInput(schema, input, "body"));
    await next();
  }];
}

/** Refuses a body that is too large. */
export function limitBody(): MiddlewareHandler<AppEnv> {
  return bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new Problem("body_too_large", `The body must not exceed ${MAX_BODY_BYTES} bytes.`);
    },
  });
}

function refuseOtherThanJson(contentType: string | undefined): void {
  const mediaType = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new Problem("unsupported_media_type", "Send the body with Content-Type: application/json.", {
      headers: { Accept: "application/json" },
    });
  }
}

/** @throws {Problem} `invalid_request` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest([{ pointer: "/body", detail: "Must be valid JSON." }]);
  }
}
