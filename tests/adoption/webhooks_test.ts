import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import type { Sql } from "../../src/database/sql.ts";
import { repairStructure } from "../../src/database/structure/repair.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { createEndpoint, deleteEndpoint } from "../../src/webhooks/endpoints.ts";
import { readEvents } from "../../src/webhooks/events.ts";
import { addressMessages, recordDeliveries, takeDeliveries, tendOutbox } from "../../src/webhooks/queue.ts";
import { newId } from "../support/assignments.ts";
import { type OwnedDatabase, ownedDatabase } from "../support/owned_database.ts";
import { waitUntil } from "../support/wait_until.ts";

describe("webhooks, in a database as others leave it", () => {
  let database: OwnedDatabase;
  let service: Sql;
  let inserter: Sql;
  let endpointId: string;
  beforeEach(async () => {
    database = await ownedDatabase({ withService: true });
    service = database.newService();
    inserter = database.newInserter();
    endpointId = await listen();
  });
  afterEach(() => database.drop());

  async function listen(): Promise<string> {
    const id = newId();
    await createEndpoint(service, {
      id,
      url: "https://hooks.example/",
      types: ["assignments.created", "assignments.ended"],
      secret: "sealed",
    }, "ops");
    return id;
  }

  async function signUp(): Promise<string> {
    const id = newId();
    await inserter`insert into public.members (id) values (${id})`;
    return id;
  }

  /** Delivers what is due to the endpoint, as the service's role; the members that the messages tell of. */
  async function deliver(id = endpointId): Promise<string[]> {
    await tendOutbox(service);
    await addressMessages(service);
    const taken = await takeDeliveries(service, id, 100);
    await recordDeliveries(
      service,
      id,
      taken.map(({ messageId }) => ({ messageId, outcome: "delivered" })),
    );
    return taken.flatMap(({ body }) =>
      JSON.parse(body ?? '{"data": {"assignments": []}}').data.assignments
        .map(({ memberId }: { memberId: string }) => memberId)
    );
  }

  it("work under row-level security that is forced on every table of ours", async () => {
    const tables = await database.sql<
      { name: string }[]
    >`select own::text as name from assignment.own_tables() as own`;
    for (const { name } of tables) {
      await database.owner.unsafe(`alter table ${name} enable row level security, force row level security`);
    }
    const id = await signUp();
    assertEquals(await deliver(), [id]);
    await waitUntil(
      "the message is no longer held back",
      async () => (await readEvents(service, null, { limit: 10 })).events.length === 1,
    );
    await deleteEndpoint(service, endpointId, "ops");
  });

  it("tell of members of a partitioned table", async () => {
    await database.owner.unsafe(`
      create table public.kept as select * from public.members;
      drop table public.members cascade;
      create table public.members (id uuid primary key, email text, display_name text) partition by hash (id);
      create table public.members_0 partition of public.members for values with (modulus 2, remainder 0);
      create table public.members_1 partition of public.members for values with (modulus 2, remainder 1);
      insert into public.members (id) select id from public.kept;
      grant insert on public.members to ${database.inserterName};
    `);
    await repairStructure(database.owner);
    const ids = [await signUp(), await signUp(), await signUp()];
    assertEquals((await deliver()).toSorted(), ids.toSorted());
  });

  it("tell of what another's trigger and rule leave of the assignments", async () => {
    await database.owner.unsafe(`
      create function public.keep_out() returns trigger language plpgsql as $$
      begin
        return case when new.notes = 'kept out' then null else new end;
      end $$;
      create trigger a_keep_out before insert on public.trainer_client_assignments
        for each row execute function public.keep_out();
      create table public.copies (id uuid);
      grant all on public.copies to public;
      create rule copy as on delete to public.trainer_client_assignments
        do also insert into public.copies values (old.id);
    `);
    const id = await signUp();
    await database.owner`
      insert into public.trainer_client_assignments (trainer_id, client_id, notes)
      select ${id}, default_trainer_id, 'kept out' from assignment.settings
    `;
    assertEquals(await deliver(), [id]);
  });

  it("say what to grant when the service's grants are older than they are", async () => {
    await database.owner.unsafe(`
      revoke all on assignment.webhook_endpoints, assignment.outbox, assignment.deliveries from ${database.serviceName};
      revoke execute on function assignment.tend_outbox() from ${database.serviceName};
    `);
    const { checks } = await checkHealth(service);
    assertEquals(checks.access.status, "degraded");
    assertStringIncludes(checks.access.detail, "select assignment.grant_service('…role…')");
    await database.owner`select assignment.grant_service(${database.serviceName})`;
    assertEquals((await checkHealth(service)).checks.access.status, "ok");
  });

  it("are gone after the migrations were reverted, and can be made again", async () => {
    await signUp();
    await migrateDown(database.ownerUrl, { all: true });
    await migrateUp(database.ownerUrl);
    await database.owner`select assignment.grant_service(${database.serviceName})`;
    assertEquals([...await service`select from assignment.webhook_endpoints`], []);
    const id = await listen();
    const memberId = await signUp();
    assertEquals(await deliver(id), [memberId]);
  });
});
