import { z } from "zod";
import type { Run } from "../../../src/runs/progress.ts";
import { getRun, listRunning, startBackfill } from "../../../src/runs/runs.ts";
import { stepRun } from "../../../src/runs/steps.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { PUBLICATION, type Publisher, startPublisher } from "../../support/publisher.ts";
import { type PostgresVersion, versionsOfThisMachine } from "../../support/servers.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { restoreWithTriggersOff } from "../restore.ts";
import { eventually } from "../runs.ts";
import type { Service } from "../service.ts";
import { inWorld, type World } from "../world.ts";

const trigger = "members_assign_trainer_after_insert";
const readyzSchema = z.object({ checks: z.object({ trigger: z.object({ detail: z.string() }) }) });

/** Members come in past the trigger, in every way that we know of. */
export const bypass: Experiment = {
  name: "bypass",
  summary:
    "replica role, triggers off, restores, logical replication: health shows what it can, the reconciliation repairs all",
  async run(options) {
    const versions = await versionsOfThisMachine();
    for (const version of options.scale === "short" ? versions.slice(0, 1) : versions) {
      await onVersion(version, options);
    }
  },
};

async function onVersion(version: PostgresVersion, options: ExperimentOptions): Promise<void> {
  const { scale, report } = options;
  await inWorld(options, { version }, async (world) => {
    const { sql, journal, random } = world;
    const count = sized(scale, { short: 500, full: 20_000, long: 200_000 });
    const service = await world.startService({ environment: { RECONCILE_CRON: "* * * * * *" } });
    const load = world.startLoad({ longestPauseMs: 50 });
    const publisher = await startPublisher(version);
    world.atEnd(publisher.remove);
    const shown = (what: string | RegExp) => expectShown(service, report, what);
    const newIds = () => Array.from({ length: count }, random.uuid);
    const ways: Record<string, () => Promise<string[]>> = {
      "session_replication_role = replica": () => giveMembers(sql, journal, random, count),
      async "a role whose sessions are replicas"() {
        await sql`alter database postgres set session_replication_role = replica`;
        await shown("session_replication_role = replica is set");
        await sql`alter database postgres reset session_replication_role`;
        return await giveMembers(sql, journal, random, count);
      },
      async "the trigger disabled"() {
        await sql.unsafe(`alter table public.members disable trigger ${trigger}`);
        const ids = await insert(world, newIds());
        await shown("disabled");
        await sql.unsafe(`alter table public.members enable trigger ${trigger}`);
        return ids;
      },
      async "a restore with triggers off"() {
        const ids = newIds();
        await journal.record("given", ids, async () => {
          const how = await restoreWithTriggersOff(
            world,
            ids,
            () => shown("disabled"),
          );
          report.figure(`PostgreSQL ${version}: restored with`, how);
        });
        return ids;
      },
      "logical replication": () =>
        replicate(world, report, publisher, [newIds(), newIds()], () => shown("subscription")),
      async "logical replication, the trigger always enabled"() {
        await sql.unsafe(`alter table public.members enable always trigger ${trigger}`);
        const [copied, applied] = [newIds(), newIds()];
        await replicate(world, report, publisher, [copied, applied], () => shown("subscription"));
        await sql.unsafe(`alter table public.members enable trigger ${trigger}`);
        const [{ caught }] = await sql<[{ caught: number }]>`
          select count(*) as caught
          from public.trainer_client_assignments
          where client_id = any (${copied}::uuid[]) and source = 'trigger'
        `;
        report.expect(
          caught === copied.length,
          "always enabled, the trigger sees a subscription's first copy",
          `${caught} of ${copied.length}`,
        );
        return applied;
      },
    };

    for (const [name, bring] of Object.entries(ways)) {
      const ids = await bring();
      const began = performance.now();
      await eventually(report, "the reconciliation repairs a bypass", 60_000, async () => {
        const [row] = await sql<[{ assigned: number }]>`
          select count(*) as assigned
          from public.trainer_client_assignments
          where client_id = any (${ids}::uuid[]) and trainer_id = ${world.trainerId}
        `;
        if (row.assigned === ids.length) return true;
        throw new Error(`${name}: ${row.assigned} of ${ids.length} are assigned`);
      });
      const repairedMs = Math.round(performance.now() - began);
      const [{ missed }] = await sql<[{ missed: number }]>`
        select count(*) as missed
        from public.trainer_client_assignments
        where client_id = any (${ids}::uuid[]) and source = 'backfill'
      `;
      report.figure(
        `PostgreSQL ${version}: ${name}`,
        `${missed} of ${ids.length} missed, repaired within ${repairedMs} ms of the next look`,
      );
      report.expect(missed > 0, "a bypass is one", `${name}: the trigger assigned all`);
    }
    await shown(/^enabled$/);
    await load.stop();
    await service.stop("SIGTERM");
    await endRuns(sql);
    await startBackfill(sql, { requestedBy: "experiment" });
    for (const { successful, status } of await endRuns(sql)) {
      report.expect(
        successful === 0 && status === "succeeded",
        "a further run finds nobody",
        `${status}: ${successful}`,
      );
    }
    await world.judge({ runsEnded: true, drained: true });
  });
}

/** Steps whatever runs to its end. */
async function endRuns(sql: Sql): Promise<Run[]> {
  const ids = (await listRunning(sql)).map(({ id }) => id);
  for (const id of ids) while ((await stepRun(sql, id)).work !== "finished");
  return await Promise.all(ids.map((id) => getRun(sql, id)));
}

/** Waits until `/readyz` says so of the trigger. */
async function expectShown(service: Service, report: Report, what: string | RegExp): Promise<void> {
  await eventually(report, "health shows what can be shown", 20_000, async () => {
    const { detail } = readyzSchema.parse(await (await service.call("GET /readyz")).json()).checks.trigger;
    if (typeof what === "string" ? detail.includes(what) : what.test(detail)) return true;
    throw new Error(`looked for ${what}, found ${detail}`);
  });
}

async function insert({ sql, journal }: World, ids: string[]): Promise<string[]> {
  await journal.record("given", ids, async () => {
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  return ids;
}

/**
 * Subscribes to members of another server: those who are there already arrive as a copy, those who come later by the
 * apply worker. Ends the subscription once all have arrived.
 */
async function replicate(
  { sql, journal }: World,
  report: Report,
  publisher: Publisher,
  [copied, applied]: [string[], string[]],
  whileSubscribed: () => Promise<void>,
): Promise<string[]> {
  const arrived = (ids: string[]) =>
    eventually(report, "members arrive by logical replication", 60_000, async () => {
      const [row] = await sql<[{ members: number }]>`
        select count(*) as members from public.members where id = any (${ids}::uuid[])
      `;
      return row.members === ids.length;
    });
  const publish = (ids: string[]) =>
    publisher.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;

  await publish(copied);
  await journal.record("given", [...copied, ...applied], async () => {
    await sql.unsafe(
      `create subscription from_elsewhere connection '${publisher.connection}' publication ${PUBLICATION}`,
    ).simple();
    await arrived(copied);
    await publish(applied);
    await arrived(applied);
  });
  await whileSubscribed();
  await sql`drop subscription from_elsewhere`.simple();
  await publisher.sql`truncate public.members`;
  return [...copied, ...applied];
}
