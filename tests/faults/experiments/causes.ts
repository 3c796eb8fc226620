import { startBackfill } from "../../../src/runs/runs.ts";
import { stepRun } from "../../../src/runs/steps.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { copyMembers } from "../../support/copy.ts";
import { type PostgresVersion, versionsOfThisMachine } from "../../support/servers.ts";
import { type Cause, causes } from "../causes.ts";
import { type Experiment, type ExperimentOptions, sized } from "../experiment.ts";
import { measureCallersTimeout } from "../callers_timeout.ts";
import { makeFullDisk } from "../full_disk.ts";
import { pause } from "../runs.ts";
import { inWorld, type World } from "../world.ts";

/** Every cause that we could think of for which an assignment fails, on the oldest and the newest server. */
export const causesOfFailure: Experiment = {
  name: "causes",
  summary:
    "a dozen causes of failing assignments on PostgreSQL 15 and 18: every signup commits, and is recorded or found",
  async run(options) {
    for (const version of await versionsOfThisMachine()) {
      if (!options.report.hasNoticedBug) await onVersion(version, options);
    }
  },
};

async function onVersion(version: PostgresVersion, options: ExperimentOptions): Promise<void> {
  const { scale, report } = options;
  await inWorld(options, { version }, async (world) => {
    const { sql } = world;
    const rounds = sized(scale, { short: 1, full: 20, long: 200 });
    const disk = await makeFullDisk(world);
    world.atEnd(disk.remove);
    const all: Record<string, Cause> = { ...causes, [disk.name]: disk };
    let committed = 0;
    let recorded = 0;

    for (const [name, cause] of Object.entries(all)) {
      if (report.hasNoticedBug) return;
      const lift = await cause.bring(sql);
      const ids: string[] = [];
      for (let round = 0; round < rounds; round++) ids.push(...await signUpInAllForms(world));
      const counts = await look(sql, ids, cause.unrecorded === true);
      const passed = cause.mayPass ? await countAssigned(sql, ids) : 0;
      await lift();
      if (cause.unrecorded) await reconcile(sql);
      else await retryFailures(sql);
      committed += counts.members;
      recorded += counts.failures;
      report.expect(
        counts.members === ids.length,
        "every signup commits",
        `${name}: ${counts.members} of ${ids.length}`,
      );
      report.expect(
        counts.failures === (cause.unrecorded ? 0 : ids.length - passed) && passed < ids.length,
        "every failing assignment is recorded",
        `${name}: ${counts.failures} of ${ids.length}, ${passed} assigned`,
      );
    }
    report.figure(`PostgreSQL ${version}: causes`, `${Object.keys(all).length}, the disk by ${disk.how}`);
    report.figure(
      `PostgreSQL ${version}: members signed up`,
      `${committed}, ${recorded} recorded as failed, all assigned afterwards`,
    );
    report.figure(
      `PostgreSQL ${version}: a timeout of the caller's own`,
      await measureCallersTimeout(sql, sized(scale, { short: 10, full: 200, long: 1000 })),
    );
    await world.judge({ runsEnded: true, drained: true });
  });
}

async function signUpInAllForms({ sql, journal, random }: World): Promise<string[]> {
  const one = [random.uuid()];
  const several = Array.from({ length: 10 }, random.uuid);
  const copied = Array.from({ length: 20 }, random.uuid);
  await journal.record("signup", one, async () => {
    await sql`insert into public.members (id) values (${one[0] ?? ""})`;
  });
  await journal.record("signup", several, async () => {
    await sql`insert into public.members (id) select unnest(${several}::uuid[])`;
  });
  await journal.record("signup", copied, () => Promise.race([copyMembers(sql, copied), copyRefused()]));
  return [...one, ...several, ...copied];
}

/** The driver never tells of a COPY that fails at its commit. */
async function copyRefused(): Promise<never> {
  await pause(5_000);
  throw Object.assign(new Error("the COPY did not end"), { code: "copy" });
}

async function look(
  sql: Sql,
  ids: string[],
  failuresAreBroken: boolean,
): Promise<{ members: number; failures: number }> {
  const [{ members }] = await sql<[{ members: number }]>`
    select count(*) as members from public.members where id = any (${ids}::uuid[])
  `;
  if (failuresAreBroken) return { members, failures: 0 };
  const [{ failures }] = await sql<[{ failures: number }]>`
    select count(*) as failures from assignment.failures where member_id = any (${ids}::uuid[])
  `;
  return { members, failures };
}

async function countAssigned(sql: Sql, ids: string[]): Promise<number> {
  const [{ assigned }] = await sql<[{ assigned: number }]>`
    select count(*) as assigned
    from public.trainer_client_assignments
    where client_id = any (${ids}::uuid[]) and status = 'active'
  `;
  return assigned;
}

/** What the schedule does every night. */
async function reconcile(sql: Sql): Promise<void> {
  const run = await startBackfill(sql, { requestedBy: "schedule" });
  while ((await stepRun(sql, run.id)).work !== "finished");
}
