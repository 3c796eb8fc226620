/** `migrate --citus`: what it asks for, what it leaves, and that all of it can be taken back. */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { distributeOnCitus } from "../../src/database/citus.ts";
import { findStructureProblem, migrateDown, migrateRepair, migrateUp } from "../../src/database/migrate.ts";
import { OperatorError } from "../../src/errors.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { createEndpoint } from "../../src/webhooks/endpoints.ts";
import { readEvents } from "../../src/webhooks/events.ts";
import { newId } from "../support/assignments.ts";
import { runBackfill } from "../support/backfills.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("migrate --citus", () => {
  async function withDatabase(work: (database: CitusDatabase) => Promise<void>): Promise<void> {
    const database = await citusDatabase({ distributed: false });
    try {
      await work(database);
    } finally {
      await database.drop();
    }
  }

  const refusal = (database: CitusDatabase, options: { distributesMembers: boolean }) =>
    assertRejects(() => distributeOnCitus(database.url, options), OperatorError);

  it("takes members that are distributed by their id, with their assignments, once", () =>
    withDatabase(async (database) => {
      const { sql, url } = database;
      await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 200)`;
      await createEndpoint(sql, { id: newId(), types: ["assignments.created"] }, "ops");
      const asked = await refusal(database, { distributesMembers: false });
      assertEquals(asked.message.includes("--distribute"), true);
      assertEquals(await findStructureProblem(sql), null);

      assertEquals(typeof await distributeOnCitus(url, { distributesMembers: true }), "number");
      assertEquals(await distributeOnCitus(url, { distributesMembers: false }), null);
      const kept = await sql`
        select logicalrelid::regclass::text as table from pg_dist_partition where pg_relation_size(logicalrelid) > 0
      `;
      assertEquals([...kept], []); // in the coordinator's own tables, beside the shards
      assertEquals(await findStructureProblem(sql), null);
      assertEquals((await checkHealth(sql)).status, "ready");
      assertEquals((await migrateRepair(url)).repaired, []);
      assertEquals((await runBackfill(sql)).skipped, 201);
      await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 10)`;
      const { events } = await readEvents(sql, null, { limit: 1000 });
      assertEquals(events.flatMap(({ data }) => data["assignments"]).length, 10);

      await sql.begin(async (transaction) => {
        await transaction`set local citus.enable_unsafe_triggers = on`;
        await transaction`drop trigger members_assign_trainer_after_insert on public.members`;
      });
      assertEquals((await checkHealth(sql)).status, "degraded");
      await assertRejects(() => migrateRepair(url), OperatorError, "repaired by hand");
    }));

  it("refuses another column, a run under way, and a default trainer who is no member", () =>
    withDatabase(async (database) => {
      const { sql } = database;
      await sql`select assignment.start_backfill('test')`;
      const running = await refusal(database, { distributesMembers: true });
      assertEquals(running.message.includes("a run has not ended"), true);
      await sql`update assignment.backfill_runs set status = 'cancelled', finished_at = now()`;
      await sql`delete from public.members`;
      const missing = await refusal(database, { distributesMembers: true });
      assertEquals(missing.message.includes("the default trainer is not a member"), true);
      assertEquals((await sql`select from pg_dist_partition`).length, 0);
    }));

  it("is taken back by migrate down --all: members alone are left, distributed, and can be taken again", () =>
    withDatabase(async (database) => {
      const { sql, url } = database;
      await distributeOnCitus(url, { distributesMembers: true });
      await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 50)`;
      await migrateDown(url, { all: true });
      for (const worker of [undefined, ...database.workers]) {
        const look = (node: typeof sql) =>
          node`select nspname from pg_namespace where nspname ~ '^assignment'`.then((rows) => rows.length);
        assertEquals(worker === undefined ? await look(sql) : await database.onWorker(worker, look), 0);
      }
      await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 50)`;
      assertEquals((await sql`select from public.members`).length, 101);

      await assertRejects(() => migrateUp(url), OperatorError, "migrate --citus");
      await migrateUp(url, { onCluster: true });
      await distributeOnCitus(url, { distributesMembers: false });
      assertEquals(await findStructureProblem(sql), null);
      assertEquals((await runBackfill(sql)).successful, 100);
    }));
});
