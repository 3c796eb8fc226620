import { assertEquals, assertGreater } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { refuseAssignments } from "../support/members.ts";
import { among, putRules, setCapacity } from "../support/policies.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("trainers over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const get = async (trainerId: string) => await (await service.call(`GET /v1/trainers/${trainerId}`)).json();
  const change = (trainerId: string, json: object) =>
    service.call(`PATCH /v1/trainers/${trainerId}`, { json });
  const assign = (trainerId: string, memberId: string, json?: object) =>
    service.call(`PUT /v1/trainers/${trainerId}/clients/${memberId}`, json === undefined ? {} : { json });
  const codeOf = async (response: Response) => `${response.status} ${(await response.json()).code}`;

  it("have no limit, accept clients and have no note until an admin says otherwise", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    assertEquals(await get(trainerId), {
      trainerId,
      name: null,
      email: null,
      clients: 0,
      capacity: null,
      room: null,
      acceptsClients: true,
      note: null,
      updatedAt: null,
      updatedBy: null,
    });
  });

  it("are changed field by field: what the body leaves out stays", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    const first = await (await change(trainerId, { capacity: 3 })).json();
    assertEquals([first.capacity, first.room, first.acceptsClients, first.note, first.updatedBy], [
      3,
      3,
      true,
      null,
      "ops",
    ]);
    await change(trainerId, { acceptsClients: false });
    await change(trainerId, { note: "on leave" });
    const { capacity, acceptsClients, note } = await get(trainerId);
    assertEquals([capacity, acceptsClients, note], [3, false, "on leave"]);
    const back = await (await change(trainerId, { capacity: null, acceptsClients: true, note: null })).json();
    assertEquals([back.capacity, back.room, back.acceptsClients, back.note], [null, null, true, null]);
  });

  it("keep both of two changes that are made at once", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    for (let capacity = 1; capacity <= 20; capacity++) {
      await Promise.all([
        change(trainerId, { capacity }),
        change(trainerId, { note: `note ${capacity}` }),
        change(trainerId, { acceptsClients: capacity % 2 === 0 }),
      ]);
      const changed = await get(trainerId);
      assertEquals(
        [changed.capacity, changed.note, changed.acceptsClients],
        [capacity, `note ${capacity}`, capacity % 2 === 0],
      );
    }
  });

  it("are not changed by an empty body", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    const response = await change(trainerId, {});
    assertEquals([response.status, (await response.json()).updatedAt], [200, null]);
  });

  it("refuse what is no capacity, flag or note, each by its pointer", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    const pointersOf = async (json: object) => {
      const response = await change(trainerId, json);
      const { errors } = await response.json();
      return [response.status, ...errors.map(({ pointer }: { pointer: string }) => pointer)];
    };
    for (const capacity of [-1, 1.5, 100_001, "3"]) {
      assertEquals(await pointersOf({ capacity }), [400, "/body/capacity"]);
    }
    assertEquals(await pointersOf({ acceptsClients: null, note: "\0", colour: "red" }), [
      400,
      "/body/acceptsClients",
      "/body/note",
      "/body/colour",
    ]);
    assertEquals((await change(trainerId, { capacity: 100_000 })).status, 200);
    assertEquals((await change(trainerId, { capacity: 0 })).status, 200);
  });

  it("are members: 404 for anybody else, who is not remembered", async () => {
    const nobody = newId();
    assertEquals(await codeOf(await service.call(`GET /v1/trainers/${nobody}`)), "404 trainer_not_found");
    assertEquals(await codeOf(await change(nobody, { capacity: 1 })), "404 trainer_not_found");
    assertEquals([...await service.sql`select from assignment.trainers where trainer_id = ${nobody}`], []);
  });

  it("are for admins", async () => {
    for (const request of ["GET /v1/trainers", `GET /v1/trainers/${DEFAULT_TRAINER_ID}`]) {
      assertEquals((await service.call(request, { as: "service" })).status, 403);
    }
    const response = await service.call(`PATCH /v1/trainers/${DEFAULT_TRAINER_ID}`, {
      as: "service",
      json: { capacity: 1 },
    });
    assertEquals(response.status, 403);
  });

  it("who are full take a client by force only; an assignment that stands is no new client", async () => {
    const [trainerId = "", first = "", second = ""] = await addMembers(service.sql, 3);
    await change(trainerId, { capacity: 1 });
    assertEquals((await assign(trainerId, first)).status, 201);
    assertEquals(await codeOf(await assign(trainerId, second)), "409 no_room");
    assertEquals(await codeOf(await assign(trainerId, second, { force: false })), "409 no_room");
    assertEquals((await assign(trainerId, first)).status, 200);
    assertEquals((await assign(trainerId, second, { force: true, notes: "an exception" })).status, 201);
    const { clients, capacity, room } = await get(trainerId);
    assertEquals([clients, capacity, room], [2, 1, 0]);

    await service.call(`DELETE /v1/trainers/${trainerId}/clients/${first}`);
    assertEquals((await get(trainerId)).room, 0, "one client is as many as the capacity");
    await service.call(`DELETE /v1/trainers/${trainerId}/clients/${second}`);
    assertEquals((await get(trainerId)).room, 1);
  });

  it("who accept no clients take one by force only", async () => {
    const [trainerId = "", memberId = ""] = await addMembers(service.sql, 2);
    await change(trainerId, { acceptsClients: false });
    assertEquals(await codeOf(await assign(trainerId, memberId)), "409 no_room");
    assertEquals((await assign(trainerId, memberId, { force: true })).status, 201);
    assertEquals((await get(trainerId)).clients, 1);
  });

  it("keep their clients when the capacity is lowered, and have room again when it is raised", async () => {
    const [trainerId = "", ...members] = await addMembers(service.sql, 4);
    for (const memberId of members) await assign(trainerId, memberId);
    assertEquals((await (await change(trainerId, { capacity: 1 })).json()).room, 0);
    const raised = await (await change(trainerId, { capacity: 5 })).json();
    assertEquals([raised.clients, raised.room], [3, 2]);
  });

  it("are logged when they change, with who did it", async () => {
    const [trainerId = ""] = await addMembers(service.sql, 1);
    const before = service.logged.length;
    await change(trainerId, { capacity: 2 });
    const [event] = service.logged.slice(before).filter((line) => line["event"] === "trainer_changed");
    assertEquals([event?.["trainerId"], event?.["actor"]], [trainerId, "ops"]);
  });
});

describe("the list of trainers over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const list = async (query = "") => await (await service.call(`GET /v1/trainers${query}`)).json();
  const idsOf = ({ trainers }: { trainers: { trainerId: string }[] }) =>
    trainers.map(({ trainerId }) => trainerId);

  it("has who has or had clients, whom the policy names, and who has settings; nobody else", async () => {
    const [member = "", withClient = "", withFormer = "", inRule = "", withNote = "", deleted = ""] =
      await addMembers(service.sql, 6);
    await service.call(`PUT /v1/trainers/${withClient}/clients/${member}`);
    await service.call(`PUT /v1/trainers/${withFormer}/clients/${member}`);
    await service.call(`DELETE /v1/trainers/${withFormer}/clients/${member}`);
    await setCapacity(service.sql, withNote, null);
    await setCapacity(service.sql, deleted, 3);
    await service.sql`delete from public.members where id = ${deleted}`;
    await putRules(service.sql, [{ name: "A rule", assign: among("spread", [inRule]) }]);

    const expected = [DEFAULT_TRAINER_ID, withClient, withFormer, inRule, withNote].toSorted();
    const whole = await list();
    assertEquals([idsOf(whole), whole.next], [expected, null]);
    const { clients } = whole.trainers.find((trainer: { trainerId: string }) =>
      trainer.trainerId === DEFAULT_TRAINER_ID
    );
    assertEquals(clients, 5);
  });

  it("comes in pages that lose nobody and repeat nobody", async () => {
    const whole = idsOf(await list());
    const read: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const response = await service.call(`GET /v1/trainers?limit=2${next === "" ? "" : `&cursor=${next}`}`);
      const page = await response.json();
      assertEquals(response.headers.has("Link"), page.next !== null);
      read.push(...idsOf(page));
      next = page.next;
    }
    assertEquals(read, whole);
    assertGreater(read.length, 4);
  });

  it("refuses a cursor of another list", async () => {
    const { next } = await list("?limit=1");
    const response = await service.call(`GET /v1/failures?cursor=${next}`);
    assertEquals([response.status, (await response.json()).code], [400, "invalid_cursor"]);
  });
});

describe("the room of a trainer", () => {
  it("goes at once to a member who waits for it", async () => {
    const service = await testService();
    const { sql } = service;
    await service.call(`PATCH /v1/trainers/${DEFAULT_TRAINER_ID}`, { json: { capacity: 0 } });
    const [waiting = ""] = await addMembers(sql, 1);
    const dueIn = async () => {
      const { failures } = await (await service.call("GET /v1/failures")).json();
      return failures.map(({ memberId, sqlstate, nextAttemptAt }: Record<string, string>) => [
        memberId,
        sqlstate,
        Date.parse(nextAttemptAt ?? "") > Date.now(),
      ]);
    };
    assertEquals(await dueIn(), [[waiting, "TA011", true]]);
    await service.call(`PATCH /v1/trainers/${DEFAULT_TRAINER_ID}`, { json: { capacity: 1 } });
    assertEquals(await dueIn(), [[waiting, "TA011", false]]);
    assertEquals(await (await service.call("POST /v1/failures/retry")).json(), {
      retried: 1,
      succeeded: 1,
      failed: 0,
    });
    await service.stop();
  });

  it("is not used up by an assignment that the database refuses", async () => {
    const service = await testService();
    const [trainerId = "", memberId = ""] = await addMembers(service.sql, 2);
    await service.call(`PATCH /v1/trainers/${trainerId}`, { json: { capacity: 1 } });
    await refuseAssignments(service.sql, "true");
    const refused = await service.call(`PUT /v1/trainers/${trainerId}/clients/${memberId}`);
    assertEquals([refused.status, (await refused.json()).code], [409, "assignment_failed"]);
    assertEquals((await (await service.call(`GET /v1/trainers/${trainerId}`)).json()).room, 1);
    await service.stop();
  });
});
