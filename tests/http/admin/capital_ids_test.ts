import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { startBackfill } from "../../../src/runs/runs.ts";
import { registerEndpoint } from "../../../src/webhooks/registration.ts";
import { newId } from "../../support/assignments.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../../support/members.ts";
import { runBackfill } from "../../support/backfills.ts";
import { get, HOME, post, signIn } from "../admin_page.ts";
import { type TestService, testService } from "../test_service.ts";

const WEBHOOKS = { keys: [], allowPrivate: false };

describe("an id in capitals in an address of the admin page", () => {
  let service: TestService;
  let cookie: string;
  let trainer: string;
  beforeAll(async () => {
    service = await testService({ webhooks: WEBHOOKS });
    cookie = await signIn(service);
    trainer = await addMember();
  });
  afterAll(() => service.stop());

  async function addMember(): Promise<string> {
    const id = `abcdef${newId().slice(6)}`;
    await service.sql`insert into public.members (id, email) values (${id}, ${`${id}@example.com`})`;
    return id;
  }

  /** Sends a form to the address in capitals; where the answer leads, and the ids that were logged. */
  async function send(section: string, id: string, verb: string, form: Record<string, string> = {}) {
    const before = service.logged.length;
    const path = `${HOME}/${section}/${id.toUpperCase()}/${verb}`;
    const location = (await post(service, path, cookie, form)).headers.get("location");
    const lines = service.logged.slice(before).map((
      { event, runId, memberId },
    ) => [event, runId ?? memberId]);
    return { location, lines: lines.filter(([event]) => event !== undefined) };
  }

  /** What a download calls its file. */
  async function filenameAt(path: string): Promise<string | undefined> {
    const response = await get(service, `${HOME}/${path}`, cookie);
    await response.body?.cancel();
    return /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  }

  it("names a run in the answers and in the log as the database does", async () => {
    const { id } = await startBackfill(service.sql, { requestedBy: "test" });
    for (const [verb, notice] of [["pause", "paused"], ["resume", "resumed"], ["cancel", "cancelled"]]) {
      assertEquals(await send("runs", id, verb ?? ""), {
        location: `${HOME}/runs/${id}?notice=${notice}`,
        lines: [[`backfill_${verb}_requested`, id]],
      });
    }
    assertEquals((await send("runs", id, "retry")).location, `${HOME}/runs/${id}?notice=invalid_transition`);
    assertEquals(await filenameAt(`runs/${id.toUpperCase()}/errors.csv`), `backfill-errors-${id}.csv`);
  });

  it("pages through the failed members of a run", async () => {
    await addUnseenMembers(service.sql, 30);
    await refuseAssignments(service.sql, "true");
    const { id } = await runBackfill(service.sql);
    await acceptAssignments(service.sql);
    const nextOf = async (path: string) => {
      const page = await (await get(service, path, cookie)).text();
      return /[?&;]cursor=([^"&]+)/.exec(page)?.[1];
    };
    const cursor = await nextOf(`${HOME}/runs/${id}`);
    const { status } = await get(service, `${HOME}/runs/${id.toUpperCase()}?cursor=${cursor}`, cookie);
    assertEquals([cursor === undefined, status], [false, 200]);
  });

  it("names a member likewise", async () => {
    const member = await addMember();
    await service.sql`delete from public.trainer_client_assignments where client_id = ${member}`;
    const assigned = await send("members", member, "assign", { trainerId: trainer });
    assertEquals(assigned.lines, [["client_assigned", member]]);
    assertEquals(assigned.location, `${HOME}/members?q=${member}&notice=assigned`);
    const ended = await send("members", member, "end", { trainerId: trainer });
    assertEquals(ended.lines, [["assignment_ended", member]]);
    assertEquals(ended.location, `${HOME}/members?q=${member}&notice=ended`);
  });

  it("names a trainer likewise", async () => {
    const capitals = trainer.toUpperCase();
    assertEquals(await filenameAt(`trainers/${capitals}/clients.csv`), `clients-${trainer}.csv`);
    const { location } = await send("trainers", trainer, "settings", { acceptsClients: "true" });
    assertEquals(location, `${HOME}/trainers/${trainer}?notice=trainer_changed`);
    const form = await (await get(service, `${HOME}/trainers/${capitals}/move`, cookie)).text();
    assertEquals([form.includes(`/trainers/${trainer}/`), form.includes(capitals)], [true, false]);
  });

  it("names a webhook likewise", async () => {
    const { id } = await registerEndpoint(service.sql, WEBHOOKS, {
      url: null,
      types: ["assignments.created"],
      description: null,
    }, "test");
    const { location } = await send("webhooks", id, "disable");
    assertEquals(location, `${HOME}/webhooks/${id}?notice=webhook_disabled`);
  });
});
