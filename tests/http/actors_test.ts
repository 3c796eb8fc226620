import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  assignClientToTrainer,
  assignNewUserToTrainer,
  endAssignment,
} from "../../src/trainer_assignment.ts";
import { listAuditLines } from "../../src/history/audit_lines.ts";
import { retryFailures } from "../../src/assignments/failures.ts";
import { getRun, listRuns, startBackfill } from "../../src/runs/runs.ts";
import { newId } from "../support/assignments.ts";
import { driveToEnd } from "../support/backfills.ts";
import { SERVICE_ROLE } from "../support/databases.ts";
import { acceptAssignments, refuseAssignments, withoutTrigger } from "../support/members.ts";
import { startTokenIssuer, type TokenIssuer } from "../support/token_issuer.ts";
import { HOME, post, signIn } from "./admin_page.ts";
import { serviceFor } from "./jwt_service.ts";
import { addMembers, type TestService } from "./test_service.ts";

describe("the one who assigned", () => {
  let service: TestService;
  let issuer: TokenIssuer;
  let trainer: string;
  beforeAll(async () => {
    issuer = await startTokenIssuer();
    service = await serviceFor(issuer);
    [trainer = ""] = await addMembers(service.sql, 1);
  });
  afterAll(async () => {
    await service.stop();
    await issuer.stop();
  });

  /** Who made and who ended the member's newest assignment. */
  async function byWhom(memberId: string) {
    const [row] = await service.sql`
      select source, assigned_by, ended_by
      from public.trainer_client_assignments
      where client_id = ${memberId}
      order by id desc
      limit 1
    `;
    return [row?.source, row?.assignedBy, row?.endedBy];
  }
  const newestActor = async () => (await listAuditLines(service.sql, {}, { limit: 1 }))[0]?.actor;
  const addUnseen = async () => {
    const id = newId();
    await withoutTrigger(service.sql, (tx) => tx`insert into public.members (id) values (${id})`);
    return id;
  };

  it("is the token's name over HTTP, for the row and the line", async () => {
    const [id = ""] = await addMembers(service.sql, 1);
    await service.call(`PUT /v1/trainers/${trainer}/clients/${id}`);
    await service.call(`DELETE /v1/trainers/${trainer}/clients/${id}`);
    assertEquals(await byWhom(id), ["manual", "ops", "ops"]);
    assertEquals(await newestActor(), "ops");
  });

  it("is the JWT's subject", async () => {
    const [id = ""] = await addMembers(service.sql, 1);
    const headers = { Authorization: `Bearer ${await issuer.sign({ sub: "auth0|anna", roles: ["admin"] })}` };
    await service.call(`PUT /v1/trainers/${trainer}/clients/${id}`, { as: "nobody", headers });
    await service.call(`DELETE /v1/trainers/${trainer}/clients/${id}`, { as: "nobody", headers });
    assertEquals(await byWhom(id), ["manual", "jwt:auth0|anna", "jwt:auth0|anna"]);
    assertEquals(await newestActor(), "jwt:auth0|anna");
  });

  it("is the session's name on the page", async () => {
    const [id = ""] = await addMembers(service.sql, 1);
    const cookie = await signIn(service);
    await post(service, `${HOME}/members/${id}/assign`, cookie, { trainerId: trainer });
    await post(service, `${HOME}/members/${id}/end`, cookie, { trainerId: trainer });
    assertEquals(await byWhom(id), ["manual", "ops", "ops"]);
    assertEquals(await newestActor(), "ops");
  });

  it("is the trigger, or the retry of a failure", async () => {
    const [signedUp = ""] = await addMembers(service.sql, 1);
    assertEquals(await byWhom(signedUp), ["trigger", "trigger", null]);
    await refuseAssignments(service.sql, "true");
    const [failed = ""] = await addMembers(service.sql, 1);
    await acceptAssignments(service.sql);
    await retryFailures(service.sql, { by: "ops" });
    assertEquals(await byWhom(failed), ["retry", "retry", null]);
    assertEquals(await newestActor(), "ops", "who asked for the retry");
  });

  it("is who started the run, or the schedule", async () => {
    const id = await addUnseen();
    const run = await startBackfill(service.sql, { requestedBy: "jwt:ben" });
    await driveToEnd(service.sql, run);
    assertEquals(await byWhom(id), ["backfill", "jwt:ben", null]);

    const missed = await addUnseen();
    await service.sql`select assignment.reconcile(now(), 'schedule')`;
    const [scheduled] = await listRuns(service.sql, { limit: 1 });
    await driveToEnd(service.sql, await getRun(service.sql, scheduled?.id ?? ""));
    assertEquals(await byWhom(missed), ["backfill", "schedule", null]);
  });

  it("is what a program calls itself, else its database role", async () => {
    const { sql } = service;
    const [id = "", other = ""] = await addMembers(sql, 2);
    await assignClientToTrainer(sql, id, { trainerId: trainer, actor: "billing" });
    await endAssignment(sql, trainer, id, { actor: "billing" });
    assertEquals(await byWhom(id), ["manual", "billing", "billing"]);
    const asRole = await service.database.newServicePool();
    await assignClientToTrainer(asRole, other, { trainerId: trainer });
    await endAssignment(asRole, trainer, other);
    assertEquals(await byWhom(other), ["manual", SERVICE_ROLE, SERVICE_ROLE]);

    for (const [actor, expected] of [["billing", "billing"], [undefined, SERVICE_ROLE]] as const) {
      const missed = await addUnseen();
      await assignNewUserToTrainer(asRole, missed, trainer, { actor });
      assertEquals(await byWhom(missed), ["signup", expected, null]);
    }
  });

  it("is the database role of another program that inserts the row itself", async () => {
    const id = await addUnseen();
    await service
      .sql`insert into public.trainer_client_assignments (client_id, trainer_id) values (${id}, ${trainer})`;
    assertEquals(await byWhom(id), ["manual", "postgres", null]);
  });
});
