import assert from "node:assert/strict";
import { argv } from "node:process";
import { ApiError, createClient } from "trainer-assignment-client";

const [, , baseUrl = "", token = ""] = argv;
const trainers = createClient({ baseUrl, token });

async function errorOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof ApiError && error instanceof Error, String(error));
  return error;
}

const unknown = await errorOf(trainers.getMemberAssignment({ memberId: crypto.randomUUID() }));
assert.deepEqual([unknown.name, unknown.status, unknown.code], ["ApiError", 404, "member_not_found"]);
assert.ok(unknown.requestId !== null && unknown.requestId === unknown.problem?.requestId);

const malformed = await errorOf(trainers.getBackfill({ id: "not-a-uuid" }));
assert.deepEqual([malformed.code, malformed.problem?.errors?.[0]?.pointer], ["invalid_request", "/path/id"]);

const stranger = await errorOf(createClient({ baseUrl, token: "wrong" }).getPolicy());
assert.deepEqual([stranger.status, stranger.code], [401, "unauthorized"]);

const proxy = await errorOf(createClient({ baseUrl: `${baseUrl}/html`, token }).getPolicy());
assert.deepEqual([proxy.status, proxy.code, proxy.problem], [200, "unknown", null]);
