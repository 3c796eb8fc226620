/**
 * This service, but for one thing: each check is a query of its own. Environment: DATABASE_URL, TOKEN_SHA256.
 * @module
 */
import { openDatabase } from "../../src/database/connection.ts";
import { createApp } from "../../src/service.ts";
import { createCheckFastPath } from "../../src/http/check_fast_path.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { getAssignment } from "../../src/trainer_assignment.ts";

const sql = openDatabase(Deno.env.get("DATABASE_URL") ?? "", { max: 10, applicationName: "bench unbatched" });
const services = {
  sql,
  tokens: [{
    name: "bench",
    role: "admin" as const,
    sha256: Uint8Array.fromHex(Deno.env.get("TOKEN_SHA256") ?? ""),
  }],
  log: silentLogger,
  shutdown: new AbortController().signal,
};
const fetch = createCheckFastPath(
  { services, takeQuota: null },
  createApp(services).router.fetch,
  async (memberId, trainerId) => {
    const { assignment, ...asked } = await getAssignment(sql, memberId, trainerId);
    if (assignment === null) return { ...asked, assignment };
    return {
      ...asked,
      assignment: { ...assignment, assignmentDate: assignment.assignmentDate.toISOString() },
    };
  },
);

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
}, fetch);
