import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { knownBugs } from "../faults/plant.ts";
import { changeText, PROJECT_FOLDER } from "../faults/service_copy.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

/** Whether the oracle notices them is for tests/faults. That a change of the code left one behind is told here, soon. */
describe("a planted bug fits the code as it is:", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  for (const { name, database: plant, sources = [] } of knownBugs) {
    it(name, async () => {
      for (const change of sources) changeText(await Deno.readTextFile(PROJECT_FOLDER + change.file), change);
      if (plant === undefined) return;
      const session = database.newConnection();
      await session`begin`;
      await plant(session);
      await session`rollback`;
    });
  }
});

it("docs/guarantees.md lists every planted bug with the experiments that notice it", async () => {
  const text = await Deno.readTextFile(`${PROJECT_FOLDER}docs/guarantees.md`);
  const [, table = ""] = text.split(/^\| planted bug .*\n\| -.*\n/m);
  const listed = [...table.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, name, experiments]) =>
    `${name}: ${experiments}`
  );
  const known = knownBugs.map(({ name, caughtBy }) =>
    `${name}: ${caughtBy.map((each) => `\`${each}\``).join(", ")}`
  );
  assertEquals(listed, known);
});
