import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("settings over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  it("name the default trainer", async () => {
    const response = await service.call("GET /v1/policy");
    const { defaultTrainerId, updatedBy } = await response.json();
    assertEquals({ defaultTrainerId, updatedBy }, { defaultTrainerId: DEFAULT_TRAINER_ID, updatedBy: null });
  });

  it("refuse a trainer who is not a member, and stay unchanged", async () => {
    const json = { defaultTrainerId: "00000000-0000-0000-0000-00000000dead" };
    const response = await service.call("PUT /v1/policy", { json });
    assertEquals([response.status, (await response.json()).code], [422, "trainer_not_found"]);
    assertEquals(
      (await (await service.call("GET /v1/policy")).json()).defaultTrainerId,
      DEFAULT_TRAINER_ID,
    );
  });

  it("change for later members, recording who changed them", async () => {
    const [before = "", trainer = ""] = await addMembers(service.sql, 2);

    const response = await service.call("PUT /v1/policy", {
      json: { defaultTrainerId: trainer.toUpperCase() },
    });

    assertEquals(response.status, 200);
    const { defaultTrainerId, updatedBy } = await response.json();
    assertEquals({ defaultTrainerId, updatedBy }, { defaultTrainerId: trainer, updatedBy: "ops" });
    const [after = ""] = await addMembers(service.sql, 1);
    const assignedTo = async (member: string, trainerId: string) =>
      (await (await service.call(`GET /v1/members/${member}/assignment?trainerId=${trainerId}`)).json())
        .assigned;
    assertEquals(await assignedTo(after, trainer), true);
    assertEquals(await assignedTo(before, trainer), false);
    assertEquals(await assignedTo(before, DEFAULT_TRAINER_ID), true);
  });
});
