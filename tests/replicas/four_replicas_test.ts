import { assert, assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { hasEnded } from "../../src/runs/progress.ts";
import { getRun } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { TOKEN } from "../faults/service.ts";
import { newIds } from "../support/assignments.ts";
import { bytesOf, openRaw } from "../support/raw_http.ts";
import { countRowsOf } from "../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { waitUntil } from "../support/wait_until.ts";
import { followRun } from "./follow_run.ts";
import { type Replicas, startReplicas } from "./replicas.ts";
import { SESSIONS, startRequests } from "./requests.ts";

const ALL = [0, 1, 2, 3];

describe("four replicas on one database behind HAProxy", () => {
  let replicas: Replicas;
  beforeAll(async () => {
    replicas = await startReplicas();
  });
  afterAll(() => replicas.stop());

  const addMembers = async (count: number): Promise<string[]> => {
    const ids = newIds(count);
    await replicas.database.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  };
  const addTrainer = async (): Promise<string> => (await addMembers(1)).join();
  const check = (id: string) => replicas.call(`GET /v1/members/${id}/assignment`);
  const startRun = async (trainerId: string, batchRows: number) => {
    const response = await replicas.call("POST /v1/backfills", { json: { trainerId, batchRows } });
    assertEquals(response.status, 202);
    return await getRun(replicas.database.sql, (await response.json()).id);
  };
  const untilEnded = async (runId: string) => {
    const { sql } = replicas.database;
    await waitUntil("the run has ended", async () => hasEnded(await getRun(sql, runId)));
    return await getRun(sql, runId);
  };

  it("all answer checks and lists", async () => {
    const ids = await addMembers(40);
    const answers = await Promise.all(ids.map(async (id) => (await (await check(id)).json()).assigned));
    assertEquals(answers, Array(40).fill(true));
    await replicas.untilServedBy(/GET \/v1\/members/, ALL);

    const listed: string[] = [];
    for (let path: string | null = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=5`; path !== null;) {
      const response: Response = await replicas.call(`GET ${path}`); // each page from another replica
      const page: { clients: { clientId: string }[] } = await response.json();
      listed.push(...page.clients.map(({ clientId }) => clientId));
      path = /<(.+)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1] ?? null;
    }
    assertEquals(listed.toSorted(), ids.toSorted());
    await waitUntil("each replica has listed", async () => { // also one that was busy when its turn came
      await (await replicas.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=5`)).body?.cancel();
      return replicas.haveServed(/GET \/v1\/trainers/, ALL);
    });
  });

  it("tell nobody through the proxy how they are, however the path is written", async () => {
    const connection = await openRaw(Number(new URL(replicas.proxy.url).port));
    for (
      const path of [
        ...["/metrics", "/readyz", "/livez", "/metrics?", "/metric%73", "/./metrics", "/v1/../metrics"],
        ...["/%2e/readyz", "/.\\metrics"],
      ]
    ) {
      const answer = await connection.exchange(bytesOf(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
      assertEquals(answer?.status, 404, path);
    }
    connection.close();
  });

  it("drive a run together: each lane is stepped by several, and every member is counted once", async () => {
    const { sql } = replicas.database;
    await addUnseenMembers(sql, 60_000);
    await sql`analyze public.members`; // so that there are lanes
    const run = await startRun(await addTrainer(), 50);
    await sql.begin(async (holder) => {
      // Else whoever hears of the run first may be through a lane before the others have heard of it.
      await holder`select from assignment.backfill_lanes where run_id = ${run.id} for update`;
      await waitUntil(
        "all four drive the run",
        () =>
          replicas.services.every((service) =>
            service.output().split("\n").some((line) =>
              line.includes("backfill_driving") && line.includes(run.id)
            )
          ),
      );
    });
    const { total, successful, skipped, failed, status } = await untilEnded(run.id);
    assertEquals({ status, failed, skipped, successful }, {
      status: "succeeded",
      failed: 0,
      skipped: 1, // the trainer
      successful: total - 1,
    });
    assertEquals(await countRowsOf(sql, run), successful);

    const lanes = await sql<{ lane: number; replicas: string[] }[]>`
      select lane, array_agg(distinct replica order by replica) as replicas
      from public.witnessed_steps
      where run_id = ${run.id} and lane > 0
      group by lane
      order by lane
    `;
    assertEquals(lanes.length, 6);
    for (const { lane, replicas } of lanes) assertGreater(replicas.length, 1, `lane ${lane}`);
    assertEquals([...new Set(lanes.flatMap(({ replicas }) => replicas))].toSorted(), replicas.roles);
  });

  it("share the retries of what failed: each attempt is made, and counted, once", async () => {
    const { sql } = replicas.database;
    await sql`create table public.refused (id uuid primary key)`;
    await refuseAssignments(sql, "new.client_id in (select id from public.refused)");
    const ids = newIds(1200); // three batches
    await sql`insert into public.refused select unnest(${ids}::uuid[])`;
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await refuseAssignments( // so slowly that the first replica to look is not done before the others look
      sql,
      "new.client_id in (select id from public.refused) and pg_sleep(0.004) is not null",
    );
    await sql`update assignment.failures set next_attempt_at = now()`;

    await waitUntil("every failure was tried again", async () => {
      const [row] = await sql<[{ waiting: number }]>`
        select count(*) as waiting from assignment.failures where attempts = 1
      `;
      return row.waiting === 0;
    });
    const attempts =
      await sql`select attempts, count(*) as members from assignment.failures group by attempts`;
    assertEquals([...attempts], [{ attempts: 2, members: 1200 }]);
    const [witnessed] = await sql`
      select count(*) as attempts, count(distinct member_id) as members, count(distinct replica) > 1 as shared
      from public.witnessed_attempts
    `;
    assertEquals(witnessed, { attempts: 1200, members: 1200, shared: true });

    await acceptAssignments(sql);
    assertEquals((await replicas.call("POST /v1/failures/retry")).status, 200);
    await waitUntil("no failure is left", async () => {
      const [row] = await sql<[{ failures: number }]>`select count(*) as failures from assignment.failures`;
      return row.failures === 0;
    });
  });

  it("all know who signed in to the admin page on one of them", async () => {
    const form = (token: string, headers: Record<string, string> = {}) =>
      fetch(`${replicas.proxy.url}/admin/login`, {
        method: "POST",
        redirect: "manual",
        headers: { Origin: replicas.proxy.url, ...headers },
        body: new URLSearchParams({ token }),
      });
    const signedIn = await form(TOKEN);
    assertEquals(signedIn.status, 303);
    const [cookie = ""] = (signedIn.headers.get("Set-Cookie") ?? "").split(";");
    const pages = await Promise.all(
      ALL.flatMap(() => ALL).map(async () => {
        const response = await fetch(`${replicas.proxy.url}/admin/trainer-assignment`, {
          redirect: "manual",
          headers: { Cookie: cookie },
        });
        await response.body?.cancel();
        return response.status;
      }),
    );
    assertEquals(pages, Array(16).fill(200));
    await replicas.untilServedBy(/GET \/admin\/trainer-assignment/, ALL);

    assertEquals((await form("wrong", { "X-Forwarded-For": "203.0.113.7" })).status, 401);
    const refusals = replicas.services.map((service) => service.output()).join("").split("\n")
      .filter((line) => line.includes("sign_in_refused"));
    assertGreater(refusals.length, 0);
    assert(refusals.every((line) => line.includes('"address":"127.0.0.1"')), refusals.join("\n"));
  });

  it("all stay in service when it is degraded, and one that alone has lost the database is taken out", async () => {
    const { sql } = replicas.database;
    const [member = ""] = await addMembers(1);
    await sql`alter table public.members disable trigger members_assign_trainer_after_insert`;
    await sql`alter role replica_3 nologin`;
    await cutConnections("replica_3");
    await replicas.untilReady(2, false);
    const health = await fetch(`${replicas.services[0]?.url}/readyz`);
    assertEquals((await health.json()).status, "degraded");
    for (let count = 0; count < 20; count++) {
      assertEquals((await (await check(member)).json()).assigned, true);
    }
    for (const other of [0, 1, 3]) await replicas.untilReady(other, true);

    await sql`alter role replica_3 login`;
    await sql`alter table public.members enable trigger members_assign_trainer_after_insert`;
    await replicas.untilReady(2, true);
  });

  it("answer 503 while the database is away, and work again when it is back", async () => {
    const { sql } = replicas.database;
    const [member = ""] = await addMembers(1);
    for (const role of replicas.roles) {
      await sql.unsafe(`alter role ${role} nologin`);
      await cutConnections(role);
    }
    for (const replica of ALL) await replicas.untilReady(replica, false);
    const refused = await check(member);
    assertEquals([refused.status, refused.headers.get("Retry-After"), (await refused.json()).code], [
      503,
      "5",
      "database_unavailable",
    ]);

    for (const role of replicas.roles) await sql.unsafe(`alter role ${role} login`);
    for (const replica of ALL) await replicas.untilReady(replica, true);
    assertEquals((await (await check(member)).json()).assigned, true);
  });

  it("lose no request while one is killed and one is drained, and finish their run", async () => {
    const { sql } = replicas.database;
    const run = await startRun(await addTrainer(), 25);
    const following = [...ALL, ...ALL].map(() => followRun(replicas.proxy.url, run.id));
    const requests = startRequests(replicas, {
      members: await addMembers(1000),
      trainerId: await addTrainer(),
    });
    await requests.untilAnswered(100);
    await waitUntil("all four step the run", async () => {
      const [row] = await sql<[{ replicas: number }]>`
        select count(distinct replica) as replicas from public.witnessed_steps where run_id = ${run.id}
      `;
      return row.replicas === ALL.length;
    });

    await replicas.services[0]?.stop("SIGKILL"); // in the middle of an answer, perhaps
    assertEquals((await getRun(sql, run.id)).status, "running");
    await requests.untilAnswered(200);
    const cutOff = requests.cutOff();
    assert(cutOff <= SESSIONS, `${cutOff} answers cut off`);
    assertEquals(await replicas.services[1]?.stop("SIGTERM"), 0);
    await requests.untilAnswered(200);
    assertEquals(requests.cutOff(), cutOff);
    assertEquals(await requests.stop(), []);

    const ended = await untilEnded(run.id);
    assertEquals([ended.status, ended.remaining], ["succeeded", 0]);
    assertEquals(await countRowsOf(sql, run), ended.successful);
    for (const last of await Promise.all(following)) {
      assertEquals([last.event, last.run.successful], ["finished", ended.successful]);
    }

    await Promise.all([replicas.services[0]?.start(), replicas.services[1]?.start()]);
    for (const replica of [0, 1]) await replicas.untilReady(replica, true);
  });

  it("started one run per slot of the schedule", async () => {
    const { sql } = replicas.database;
    const claimed = async () =>
      await sql<{ slot: Date; runId: string }[]>`
        select slot, run_id from assignment.reconciliations where run_id is not null order by slot
      `;
    await waitUntil("three slots were claimed", async () => (await claimed()).length >= 3);
    const stopped = replicas.services.map((service) => service.stop("SIGTERM"));
    await Promise.all(stopped);

    const slots = await claimed();
    const runs =
      await sql`select id from assignment.backfill_runs where requested_by = 'schedule' order by id`;
    assertEquals(slots.map(({ runId }) => runId).toSorted(), runs.map(({ id }) => id));
    const told = replicas.services.flatMap((service) =>
      [...service.output().matchAll(/"event":"reconciliation_started","runId":"([^"]+)"/g)].map(([, id]) =>
        id
      )
    );
    // The replica that was killed may have started a run without a chance to tell.
    const untold = runs.filter(({ id }) => !told.includes(id)).length;
    assert(untold <= 1, `${untold} untold`);
    assertEquals(told.length, runs.length - untold);
  });

  async function cutConnections(role: string): Promise<void> {
    await replicas.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role}
    `;
  }
});
