import { assertEquals, assertNotEquals } from "@std/assert";

/** Reads the problem (RFC 9457) that a response must be. */
export async function readProblem(response: Response) {
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  const problem = await response.json();
  assertEquals(problem.status, response.status);
  assertEquals(problem.requestId, response.headers.get("X-Request-Id"));
  assertEquals(problem.type, `urn:problem-type:trainer-assignment:${problem.code}`);
  for (const member of ["title", "detail"]) assertNotEquals(problem[member] ?? "", "");
  return problem;
}
