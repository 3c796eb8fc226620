import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Sql } from "../../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { countFailures } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import {
  addTrainers,
  among,
  countClients,
  countRoom,
  putRules,
  setCapacity,
} from "../../support/policies.ts";

const MEMBERS = 100_000;

describe("a COPY of 100,000 members", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterAll(() => database.drop());

  it("fills ten trainers of 5,000 seats to the seat, and the next rule takes the other half", async () => {
    const trainers = await addTrainers(sql, 11);
    const [last = "", ...ten] = trainers;
    for (const trainerId of ten) await setCapacity(sql, trainerId, 5_000);
    await putRules(sql, [
      { name: "ten", assign: among("spread", ten) },
      { name: "the others", assign: among("spread", [last]) },
    ]);
    await sql.begin(async (transaction) => {
      const stream = await transaction`copy public.members (id) from stdin`.writable();
      const lines = Array.from(
        { length: MEMBERS / 1000 },
        () => Array.from({ length: 1000 }, () => `${crypto.randomUUID()}\n`).join(""),
      );
      await pipeline(Readable.from(lines), stream);
    });
    assertEquals(await countClients(sql, ten), Array(10).fill(5_000));
    assertEquals(await countClients(sql, [last, DEFAULT_TRAINER_ID]), [50_000, trainers.length]);
    assertEquals(await Promise.all(ten.map((trainerId) => countRoom(sql, trainerId))), Array(10).fill(0));
    assertEquals(await countFailures(sql), 0);
  });
});
