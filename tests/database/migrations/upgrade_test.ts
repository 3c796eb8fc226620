/** Installations of earlier releases, as db/releases has them, migrated by the program of today. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { findStructureProblem, migrateUp } from "../../../src/database/migrate.ts";
import { listReleases } from "../../../src/database/releases.ts";
import { readSchemaState } from "../../../src/database/schema_state.ts";
import { checkHealth, type CheckName } from "../../../src/operation/health.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { SERVICE_ROLE } from "../../faults/installation.ts";
import { type Journal } from "../../faults/journal.ts";
import { giveMembers } from "../../faults/load.ts";
import { makeNextRelease, migrateWith } from "../../faults/next_release.ts";
import { consultOracle } from "../../faults/oracle.ts";
import { seededRandom } from "../../faults/random.ts";
import { type Service, startService } from "../../faults/service.ts";
import { PROJECT_FOLDER } from "../../faults/service_copy.ts";
import { hastenDeliveries, WEBHOOK_ENVIRONMENT } from "../../faults/webhooks.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { continueJournal, loadRelease, receiveMessages } from "../../support/releases.ts";
import { withoutTrigger } from "../../support/members.ts";
import { waitUntil } from "../../support/wait_until.ts";

const WHOLE: readonly CheckName[] = ["database", "migrations", "schema", "trigger", "policy", "access"];

for (const { version, migrations } of await listReleases()) {
  describe(`an installation of ${version}`, () => {
    const random = seededRandom(1);
    let folder: string;
    let database: TestDatabase;
    let journal: Journal;
    let service: Service | undefined;
    beforeEach(async () => {
      folder = await Deno.makeTempDir({ prefix: "trainer-assignment-upgrade-" });
      database = await testDatabase({ migrated: false });
      journal = await continueJournal(version, join(folder, "journal"));
      await loadRelease(version, database.url);
    });
    afterEach(async () => {
      await service?.stop();
      service = undefined;
      journal.close();
      await database.drop();
      await Deno.remove(folder, { recursive: true });
    });

    it("is migrated by the program of today, and goes on with all that it was about to do", async () => {
      assertEquals((await readSchemaState(database.sql)).applied.length, migrations.length);
      await migrateUp(database.url);
      assertEquals(await findStructureProblem(database.sql), null);
      await requireWhole();
      await goOn(await serve(PROJECT_FOLDER));
      assertEquals(await judge(), []);
    });

    it("is migrated by a later release, and goes on with it, and then with the program of today", async () => {
      const next = await makeNextRelease(join(folder, "next_release"));
      await migrateWith(next, database.url);
      assertEquals((await readSchemaState(database.sql)).unknown.length, 6);
      await goOn(await serve(next));
      await service?.stop("SIGTERM");
      await goOn(await serve(PROJECT_FOLDER));
      await requireWhole();
      assertEquals(await judge(), []);
    });

    it("would not pass with an assignment lost, or a function", async () => {
      const { sql, url } = database;
      await migrateUp(url);
      await sql`drop function assignment.change_trainer(uuid, jsonb, text, text)`;
      assertStringIncludes(await findStructureProblem(sql) ?? "", "function assignment.change_trainer");
      await withoutTrigger(sql, (transaction) =>
        transaction`
          delete from public.trainer_client_assignments
          where id = (
            select id from public.trainer_client_assignments where source = 'backfill' and status = 'active' limit 1
          )
        `);
      const broken = (await judge()).map(({ rule }) => rule);
      assert(broken.includes("a run's choices equal the rows that carry its id"), broken.join(", "));
    });

    async function serve(from: string): Promise<Service> {
      service = await startService({
        databaseUrl: database.url,
        folder: from,
        environment: WEBHOOK_ENVIRONMENT,
      });
      return service;
    }

    /** The service's role sees all that it needs, once it was granted what the migrations brought. */
    async function requireWhole(): Promise<void> {
      await database.sql`select assignment.grant_service(${SERVICE_ROLE})`;
      const session = database.newConnection();
      await session.unsafe(`set role ${SERVICE_ROLE}`);
      const { checks } = await checkHealth(session);
      assertEquals(
        WHOLE.filter((name) => checks[name].status !== "ok").map((name) => checks[name].detail),
        [],
      );
    }

    /** Members sign up, paused runs go to their ends, others begin, failures are retried, messages arrive. */
    async function goOn({ call }: Service): Promise<void> {
      const { sql } = database;
      const ids = Array.from({ length: 20 }, random.uuid);
      await journal.record("signup", ids, async () => {
        await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
      });
      const paused = await sql<{ id: string; kind: string }[]>`
        select id, kind
        from assignment.backfill_runs
        where status = 'paused'
        order by id
      `;
      for (const { id, kind } of paused) await must(call(`POST /v1/${kind}s/${id}/resume`));
      await waitUntil("the paused runs have ended", isAtRest);
      await giveMembers(sql, journal, random, 30);
      await must(call("POST /v1/backfills", {}));
      await waitUntil("the new run has ended", isAtRest);
      await must(call("POST /v1/failures/retry"));
      const receiver = await receiveMessages(sql, random);
      await waitUntil("every message has arrived", async () => await hastenDeliveries(sql) === 0);
      await receiver.close();
      assert(receiver.attempts.length > 0);
      assertEquals(receiver.forged(), 0);
    }

    async function isAtRest(): Promise<boolean> {
      const rows = await database.sql`
        select from assignment.backfill_runs where status in ('running', 'paused')
      `;
      return rows.length === 0;
    }

    async function judge() {
      return await consultOracle(database.sql, journal.path, {
        trainerId: DEFAULT_TRAINER_ID,
        runsEnded: true,
      });
    }
  });
}

async function must(answering: Promise<Response>): Promise<void> {
  const answer = await answering;
  const body = await answer.text();
  assert(answer.ok, `${answer.status}: ${body}`);
}
