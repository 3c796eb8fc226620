/** What a policy or a transfer would do, told by all shards before it is done. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { previewPolicy } from "../../src/policy/preview.ts";
import { startTransfer } from "../../src/runs/runs.ts";
import { previewTransfer } from "../../src/runs/transfer_preview.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd, runBackfill } from "../support/backfills.ts";
import { addTrainers, among, putRules, setCapacity } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("a preview on a cluster", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let anna: string, ben: string;
  beforeAll(async () => {
    database = await citusDatabase();
    ({ sql } = database);
    [anna = "", ben = ""] = await addTrainers(sql, 2);
    await sql`insert into public.members (id, display_name) select gen_random_uuid(), 'client' from generate_series(1, 500)`;
  });
  afterAll(() => database.drop());

  it("says how many members a draft gives to whom, as the run then does, within capacities", async () => {
    await setCapacity(sql, anna, 60);
    await sql`delete from public.trainer_client_assignments`;
    const rules = [{
      name: "clients",
      when: { field: "display_name", op: "eq" as const, value: "client" },
      assign: among("spread", [anna, ben]),
    }];
    const draft = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules };
    const said = await previewPolicy(sql, draft);
    assertEquals([said.members, said.changed], [503, 500]);
    await putRules(sql, rules);
    const run = await runBackfill(sql);
    const given = said.outcomes.flatMap(({ outcome, trainerId, members }) =>
      outcome === "assign" ? [[trainerId, members]] : []
    );
    assertEquals(
      given.toSorted(),
      run.choices.map(({ trainerId, members }) => [trainerId, members]).toSorted(),
    );
    assertEquals(await countClientsOf(anna), 60);
  });

  it("has no room with a trainer who is just full, also with the rights of the service's role alone", async () => {
    const [cleo = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, cleo, 1);
    const rules = [{ name: "everybody", assign: among("spread", [cleo]) }];
    await assignClientToTrainer(sql, anna, { trainerId: cleo });
    const draft = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules };
    const said = await previewPolicy(await database.newServicePool(), draft);
    assertEquals(
      said.outcomes.filter(({ outcome, trainerId }) => outcome === "assign" && trainerId === cleo),
      [],
    );
    await sql`delete from public.members where id = ${cleo}`;
  });

  it("says who would move and who would stay, as the transfer then does", async () => {
    await setCapacity(sql, anna, 100);
    const request = { fromTrainerId: ben, trainerId: anna };
    const said = await previewTransfer(sql, request);
    const clients = await countClientsOf(ben);
    assertEquals([said?.clients, said?.selected, said?.moved], [clients, clients, 40]);
    const run = await driveToEnd(sql, await startTransfer(sql, { requestedBy: "test", ...request }));
    assertEquals([run.successful, run.failed], [40, clients - 40]);
    const back = await previewTransfer(sql, { fromTrainerId: anna });
    assertEquals([back?.clients, back?.moved], [100, 100]);
  });

  it("looks at a sample of many", async () => {
    await sql`analyze public.members`;
    const [row] = await sql<
      [{ members: number }]
    >`select sum(members)::integer as members from assignment.member_tables()`;
    assertEquals(row.members > 300 && row.members < 700, true, String(row.members));
    const [{ preview }] = await sql<[{ preview: { members: number } }]>`
      select assignment.preview_policy(document, 20) as preview from assignment.policies order by version desc limit 1
    `;
    assertEquals(preview.members > 40 && preview.members < 200, true, String(preview.members));
  });

  async function countClientsOf(trainerId: string): Promise<number> {
    const [row] = await sql<[{ clients: number }]>`
      select count(*) as clients from public.trainer_client_assignments
      where trainer_id = ${trainerId} and status = 'active'
    `;
    return row.clients;
  }
});
