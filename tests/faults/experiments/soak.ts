import { retryFailures } from "../../../src/assignments/failures.ts";
import { hasEnded } from "../../../src/runs/progress.ts";
import { getRun } from "../../../src/runs/runs.ts";
import { keepDeparted } from "../departures.ts";
import { type Experiment, type ExperimentOptions, sized } from "../experiment.ts";
import { type Answers, useEveryday } from "../hostile/everyday_use.ts";
import { bringRules, ROOM_FOR_ALL, type Trainers, writeRules } from "../policy.ts";
import { resourcesOf } from "../processes.ts";
import { startKind } from "../run_kinds.ts";
import { eventually, pause } from "../runs.ts";
import type { Service } from "../service.ts";
import { type Bound, grows, mib, thirds } from "../trend.ts";
import { bringWebhooks, WEBHOOK_ENVIRONMENT } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

const SAMPLES = 60;
const MEMBERS = 2_000;

/** Everything at once, for long, and what the service holds on to meanwhile. */
export const soak: Experiment = {
  name: "soak",
  summary: "all that a service is asked for, for long: memory, connections and file handles do not slope",
  async run(options) {
    await inWorld(options, { ownServer: false }, async (world) => {
      const { report, scale } = options;
      const forMs = sized(scale, { short: 9_000, full: 120_000, long: 3_600_000 });
      await keepDeparted(world.sql);
      const webhooks = await bringWebhooks(world, options);
      const service = await world.startService({ environment: WEBHOOK_ENVIRONMENT });
      const trainers = await bringRules(world, { limited: 300, waiting: ROOM_FOR_ALL });
      const memberIds = await signUp(world);
      await makeRefusable(world);
      const trainerIds = [world.trainerId, ...Object.values(trainers).flat()];
      const load = world.startLoad({
        sessions: 2,
        longestPauseMs: sized(scale, { short: 100, full: 100, long: 500 }), // whoever signs up stays
        trainerIds,
      });
      const use = useEveryday(service, {
        random: world.random.fork(),
        trainerId: world.trainerId,
        planFor: trainers.team[0] ?? "",
        memberIds,
      });
      world.atEnd(() => use.stop());
      const samples = await watch(world, { service, forMs, trainers });
      const answers = await use.stop();
      await load.stop();

      judgeAnswers(answers, options);
      judgeSlopes(samples, options);
      await world.sql`update public.refusing set now = false`;
      await eventually(report, "failures are made good", 60_000, async () => {
        const { remaining, failed } = await retryFailures(world.sql);
        return remaining === 0 && failed === 0;
      });
      await eventually(report, "every run ends by itself", 60_000, async () => {
        const [{ active }] = await world.sql<[{ active: number }]>`
          select count(*) as active from assignment.backfill_runs where finished_at is null
        `;
        return active === 0;
      });
      const errors = service.output().split("\n").filter((line) => line.includes('"level":"error"'));
      report.expect(errors.length === 0, "nothing is logged as an error", errors[0] ?? "");
      report.figure("policies written", samples.policies);
      report.figure("transfers", samples.transfers);
      const consumed = await webhooks.settle();
      report.figure("messages fetched", consumed.fetched.length);
      await world.judge({
        runsEnded: true,
        drained: true,
        allowedCodes: ["P0001", "TA004"],
        webhooks: consumed,
      });
    });
  },
};

async function signUp({ sql, journal, random }: World): Promise<string[]> {
  const ids = Array.from({ length: MEMBERS }, random.uuid);
  await journal.record("signup", ids, async () => {
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  return ids;
}

/** A switch by which assignments fail: so that there are failures and retries. */
async function makeRefusable({ sql }: World): Promise<void> {
  await sql.unsafe(`
    create table public.refusing (now boolean not null);
    insert into public.refusing values (false);
    create function public.tg_refuse()
      returns trigger
      security definer
      language plpgsql
    as $$
    begin
      if (select now from public.refusing) then raise exception 'refused for a while'; end if;
      return new;
    end
    $$;
    create trigger refuse before insert on public.trainer_client_assignments
      for each row execute function public.tg_refuse();
  `);
}

interface Samples {
  rssBytes: number[];
  files: number[];
  connections: number[];
  policies: number;
  transfers: number;
}

/**
 * Looks at what the service holds, sixty times. Now and then assignments fail for a while, a policy is written, and a
 * trainer's clients move.
 */
async function watch(
  world: World,
  { service, forMs, trainers }: { service: Service; forMs: number; trainers: Trainers },
): Promise<Samples> {
  const { sql } = world;
  const samples: Samples = { rssBytes: [], files: [], connections: [], policies: 0, transfers: 0 };
  let moving: string | undefined;
  for (let taken = 0; taken < SAMPLES; taken++) {
    await pause(forMs / SAMPLES);
    await sql`update public.refusing set now = ${taken % 10 === 5}`;
    if (taken % 5 === 0) {
      await writeRules(world, trainers);
      samples.policies += 1;
    }
    if (moving === undefined || hasEnded(await getRun(sql, moving))) {
      moving = await startKind("transfer", world, trainers, 100);
      samples.transfers += 1;
    }
    const { rssBytes, files } = await resourcesOf(service.pid());
    const [{ connections }] = await sql<[{ connections: number }]>`
      select count(*) as connections from pg_stat_activity where datname = current_database() and application_name like 'trainer-assignment service%'
    `;
    samples.rssBytes.push(rssBytes);
    samples.files.push(files);
    samples.connections.push(connections);
  }
  return samples;
}

/** No answer breaks off, and none is the service's fault. */
function judgeAnswers({ counts, wrong }: Answers, { report }: ExperimentOptions): void {
  const sum = [...counts.values()].reduce((total, count) => total + count, 0);
  report.figure("requests", `${sum} of ${counts.size} kinds and statuses`);
  report.expect(wrong.length === 0, "every request is answered", wrong.join(", "));
}

function judgeSlopes({ rssBytes, files, connections }: Samples, { report, scale }: ExperimentOptions): void {
  const memory = sized<Bound>(scale, {
    short: { ratio: 0.5, slack: 64 * 1024 ** 2 }, // still warming up
    full: { ratio: 0.15, slack: 32 * 1024 ** 2 },
    long: { ratio: 0.05, slack: 16 * 1024 ** 2 },
  });
  const kinds = [
    { name: "resident memory", samples: rssBytes, bound: memory, show: mib },
    { name: "file handles", samples: files, bound: { ratio: 0, slack: 15 }, show: String },
    {
      name: "connections to the database",
      samples: connections,
      bound: { ratio: 0, slack: 2 },
      show: String,
    },
  ];
  for (const { name, samples, bound, show } of kinds) {
    const { earlier, later } = thirds(samples);
    const figure = `median of the middle third ${show(earlier)}, of the last ${show(later)}; at most ${
      show(Math.max(...samples))
    }`;
    report.figure(name, figure);
    report.expect(!grows(samples, bound), `${name} do not slope`, figure);
  }
}
