import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer } from "../../src/assignments/assign.ts";
import { getRun } from "../../src/runs/runs.ts";
import { newId } from "../support/assignments.ts";
import { driveToEnd } from "../support/backfills.ts";
import { addTrainers, countClients, setCapacity } from "../support/policies.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("transfers over HTTP", () => {
  let service: TestService;
  let anna: string;
  let ben: string;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    [anna = "", ben = ""] = await addTrainers(service.sql, 2);
  });

  const addClients = async (count: number, trainerId = anna) => {
    const ids = await addMembers(service.sql, count);
    for (const id of ids) await assignClientToTrainer(service.sql, id, { trainerId, notes: "knee" });
    return ids;
  };
  const post = async (json: Record<string, unknown>) => {
    const response = await service.call("POST /v1/transfers", { json });
    return { status: response.status, location: response.headers.get("Location"), ...await read(response) };
  };
  const read = async (response: Response) => {
    const { status: runStatus, ...body } = await response.json();
    return { runStatus, ...body };
  };
  const start = async (json: Record<string, unknown>) => {
    const run = await post({ fromTrainerId: anna, ...json });
    assertEquals([run.status, run.location], [202, `/v1/transfers/${run.id}`], JSON.stringify(run));
    return run;
  };
  const finish = async (id: string) => {
    await driveToEnd(service.sql, await getRun(service.sql, id));
    return await (await service.call(`GET /v1/transfers/${id}`)).json();
  };

  it("start, and are read until they have moved everybody", async () => {
    const [one = ""] = await addClients(12);
    const started = await start({ trainerId: ben });
    assertEquals(
      [started.kind, started.fromTrainerId, started.trainerId, started.total, started.requestedBy],
      [
        "transfer",
        anna,
        ben,
        12,
        "ops",
      ],
    );
    const run = await finish(started.id);
    assertEquals([run.status, run.successful, run.failed, run.remaining], ["succeeded", 12, 0, 0]);
    assertMatch(run.finishedAt, /Z$/);
    const { clients } = await (await service.call(`GET /v1/trainers/${ben}/clients`)).json();
    assertEquals(clients.length, 12);
    assertEquals(clients.find(({ clientId }: { clientId: string }) => clientId === one).notes, "knee");
    assertEquals(await countClients(service.sql, [anna, ben]), [0, 12]);
    const second = await start({ trainerId: ben });
    assertEquals((await finish(second.id)).total, 0);
  });

  it("move listed clients, those who match a condition, and of the listed those who match", async () => {
    const [one = "", two = "", three = ""] = await addClients(3);
    await service.sql`update public.members set display_name = 'German' where id in ${
      service.sql([one, three])
    }`;
    const german = { field: "display_name", op: "eq", value: "German" };

    const both = await start({ trainerId: ben, memberIds: [one, two], condition: german, notes: "moved" });
    assertEquals([both.onlySelected, both.condition, both.notes, both.total], [true, german, "moved", 2]);
    const run = await finish(both.id);
    assertEquals([run.status, run.successful, run.skippedBecause.notSelected], ["succeeded", 1, 1]);
    assertEquals(await countClients(service.sql, [anna, ben]), [2, 1]);

    const matching = await start({ trainerId: ben, condition: german });
    assertEquals((await finish(matching.id)).successful, 1);
    const listed = await start({ trainerId: ben, memberIds: [two.toUpperCase()] });
    assertEquals((await finish(listed.id)).successful, 1);
    assertEquals(await countClients(service.sql, [anna, ben]), [0, 3]);
  });

  it("say what is wrong with the request, each with a pointer", async () => {
    const id = newId();
    const leaf = { field: "email", op: "exists" };
    for (
      const [json, pointer] of [
        [{}, "/body/fromTrainerId"],
        [{ fromTrainerId: "x" }, "/body/fromTrainerId"],
        [{ memberIds: [] }, "/body/memberIds"],
        [{ memberIds: [id, id.toUpperCase()] }, "/body/memberIds"],
        [{ memberIds: Array.from({ length: 1001 }, newId) }, "/body/memberIds"],
        [{ condition: { all: [leaf, { field: "email", op: "like" }] } }, "/body/condition/all/1/op"],
        [{ condition: null }, "/body/condition"],
        [{ batchRows: 0 }, "/body/batchRows"],
        [{ notes: "\0" }, "/body/notes"],
        [{ reassign: true }, "/body/reassign"],
      ] as const
    ) {
      const request = Object.keys(json).length === 0
        ? json
        : { fromTrainerId: anna, trainerId: ben, ...json };
      const { status, code, errors } = await post(request);
      assertEquals(
        [status, code, errors[0].pointer],
        [400, "invalid_request", pointer],
        JSON.stringify(json),
      );
    }
    assertEquals((await service.call("POST /v1/transfers")).status, 415);
  });

  it("do not start where nobody can take over, or the condition does not fit the database", async () => {
    const stranger = newId();
    const column = { any: [{ field: "email", op: "exists" }, { field: "no_such", op: "exists" }] };
    for (
      const [json, code, pointer] of [
        [{ fromTrainerId: stranger, trainerId: ben }, "trainer_not_found"],
        [{ trainerId: stranger }, "trainer_not_found"],
        [{ trainerId: anna }, "no_successor"],
        [{ trainerId: ben, condition: column }, "policy_invalid", "/body/condition/any/1/field"],
      ] as const
    ) {
      const answer = await post({ fromTrainerId: anna, ...json });
      assertEquals([answer.status, answer.code, answer.errors?.[0].pointer], [422, code, pointer]);
    }
    const { policy } = await (await service.call("GET /v1/policy")).json();
    assertEquals((await post({ fromTrainerId: policy.defaultTrainerId })).code, "no_successor");
  });

  it("start once from a trainer: of twenty callers, nineteen are shown the active run", async () => {
    await addClients(3);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post({ fromTrainerId: anna, trainerId: ben })),
    );
    const [started] = answers.filter(({ status }) => status === 202);
    const others = answers.filter(({ status }) => status === 409);
    assertEquals(others.length, 19);
    for (const { code, runId, location } of others) {
      assertEquals([code, runId, location], ["transfer_active", started?.id, `/v1/transfers/${started?.id}`]);
    }
    // A transfer from another trainer, and a backfill, are no obstacle.
    const other = await post({ fromTrainerId: ben, trainerId: anna });
    const backfill = await service.call("POST /v1/backfills", { json: { trainerId: anna } });
    assertEquals([other.status, backfill.status], [202, 202]);
    await service.call(`POST /v1/transfers/${other.id}/cancel`);
    await service.call(`POST /v1/backfills/${(await backfill.json()).id}/cancel`);
    await finish(started?.id);
    assertEquals(await countClients(service.sql, [anna, ben]), [0, 3]);
  });

  it("pause, resume and cancel, recording who did it, or answer 409", async () => {
    await addClients(3);
    const { id } = await start({ trainerId: ben, batchRows: 1 });
    const steer = async (verb: string) => {
      const response = await service.call(`POST /v1/transfers/${id}/${verb}`);
      const { status, code } = await response.json();
      return `${response.status} ${code ?? status}`;
    };
    assertEquals(await steer("resume"), "409 invalid_transition");
    assertEquals(await steer("pause"), "200 paused");
    await service.sql`select assignment.backfill_step(${id})`;
    assertEquals(await countClients(service.sql, [anna, ben]), [3, 0]);
    assertEquals(await steer("resume"), "200 running");
    await service.sql`select assignment.backfill_step(${id})`;
    assertEquals(await steer("retry"), "409 invalid_transition");
    assertEquals(await steer("cancel"), "200 cancelled");
    assertEquals(await steer("resume"), "409 invalid_transition");
    assertEquals(await countClients(service.sql, [anna, ben]), [2, 1]);

    const { history, successful } = await (await service.call(`GET /v1/transfers/${id}`)).json();
    const changes = history.map(({ actor, from, to }: Record<string, string>) => `${actor}: ${from} → ${to}`);
    assertEquals(changes, [
      "ops: null → running",
      "ops: running → paused",
      "ops: paused → running",
      "ops: running → cancelled",
    ]);
    assertEquals(successful, 1);
    const events = service.logged.map(({ event }) => event).filter((event) =>
      /^transfer_/.test(String(event))
    );
    assertEquals(events.slice(-4), [
      "transfer_start_requested",
      "transfer_pause_requested",
      "transfer_resume_requested",
      "transfer_cancel_requested",
    ]);
  });

  it("report who could not be moved, and retry only those", async () => {
    const ids = await addClients(5);
    await setCapacity(service.sql, ben, 2);
    const { id } = await start({ trainerId: ben });
    const run = await finish(id);
    assertEquals([run.status, run.successful, run.failed], ["completed_with_errors", 2, 3]);
    const { errors, next } = await (await service.call(`GET /v1/transfers/${id}/errors?limit=2`)).json();
    assertEquals([errors.length, errors[0].code, ids.includes(errors[0].memberId)], [2, "TA011", true]);
    const rest = await (await service.call(`GET /v1/transfers/${id}/errors?cursor=${next}`)).json();
    assertEquals([rest.errors.length, rest.next], [1, null]);
    const csv = await service.call(`GET /v1/transfers/${id}/errors`, { headers: { Accept: "text/csv" } });
    assertEquals((await csv.text()).split("\r\n").length, 1 + 3 + 1);
    assertMatch(csv.headers.get("Content-Disposition") ?? "", new RegExp(`transfer-errors-${id}\\.csv`));

    await setCapacity(service.sql, ben, 10);
    const response = await service.call(`POST /v1/transfers/${id}/retry`);
    const retry = await response.json();
    assertEquals([response.status, response.headers.get("Location")], [202, `/v1/transfers/${retry.id}`]);
    assertEquals([retry.kind, retry.retryOf, retry.total], ["transfer", id, 3]);
    assertEquals((await finish(retry.id)).status, "succeeded");
    assertEquals(await countClients(service.sql, [anna, ben]), [0, 5]);
  });

  it("are followed by their events", async () => {
    await addClients(1);
    const { id } = await start({ trainerId: ben });
    await finish(id);
    const events = await (await service.call(`GET /v1/transfers/${id}/events`)).text();
    assertMatch(events, /^event: progress\n[^]*"kind":"transfer"[^]*\n\nevent: finished\n/);
  });

  it("are no backfills, and backfills are no transfers", async () => {
    const transfer = await start({ trainerId: ben });
    const backfill = await (await service.call("POST /v1/backfills", { json: { trainerId: anna } })).json();
    for (const [kind, id] of [["backfills", transfer.id], ["transfers", backfill.id]]) {
      const requests = ["", "/errors", "/events"].map((path) => `GET /v1/${kind}/${id}${path}`)
        .concat(["pause", "resume", "cancel", "retry"].map((verb) => `POST /v1/${kind}/${id}/${verb}`));
      for (const request of requests) {
        const response = await service.call(request);
        assertEquals([response.status, (await response.json()).code], [404, "run_not_found"], request);
      }
    }
    for (const [kind, id] of [["transfer", transfer.id], ["backfill", backfill.id]]) {
      const { runs } = await (await service.call(`GET /v1/${kind}s`)).json();
      assertEquals(runs[0].id, id);
      assertEquals(new Set(runs.map((run: { kind: string }) => run.kind)), new Set([kind]));
      await service.call(`POST /v1/${kind}s/${id}/cancel`);
    }
  });

  it("are listed newest first, in pages", async () => {
    const listed: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: { runs: { id: string }[]; next: string | null } = await (
        await service.call(`GET /v1/transfers?limit=2${next === "" ? "" : `&cursor=${next}`}`)
      ).json();
      listed.push(...page.runs.map(({ id }) => id));
      next = page.next;
    }
    assertEquals(listed.length > 4, true);
    assertEquals(listed, listed.toSorted().toReversed());
    const other = await service.call("GET /v1/backfills?limit=1");
    const { next: cursor } = await other.json();
    if (cursor !== null) assertEquals((await service.call(`GET /v1/transfers?cursor=${cursor}`)).status, 400);
  });

  it("count in a dry run what they would do, and move nobody", async () => {
    await addClients(4);
    await setCapacity(service.sql, ben, 3);
    const run = await finish((await start({ trainerId: ben, dryRun: true })).id);
    assertEquals([run.dryRun, run.successful, run.failed], [true, 3, 1]);
    const retry = await (await service.call(`POST /v1/transfers/${run.id}/retry`)).json();
    assertEquals([retry.dryRun, (await finish(retry.id)).total], [true, 1]);
    assertEquals(await countClients(service.sql, [anna, ben]), [4, 0]);
  });
});
