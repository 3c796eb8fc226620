import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { changeEndpoint, createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { open, seal } from "../../../src/webhooks/key.ts";
import { resealSecrets } from "../../../src/webhooks/reseal.ts";
import { createSecret } from "../../../src/webhooks/sign.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

const TYPES = ["run.ended"] as const;

describe("a key that was put before another", () => {
  const former = crypto.getRandomValues(new Uint8Array(32));
  const key = crypto.getRandomValues(new Uint8Array(32));
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = await database.newServicePool();
  });
  afterEach(() => database.drop());

  async function create(under: Uint8Array): Promise<{ id: string; secret: string }> {
    const id = newId();
    const secret = createSecret();
    const sealed = await seal([under], id, secret);
    await createEndpoint(
      sql,
      { id, url: "https://hooks.example/", types: [...TYPES], secret: sealed },
      "ops",
    );
    return { id, secret };
  }

  async function readSecrets(id: string): Promise<(string | null)[]> {
    const [row] = await sql<[{ secret: string; formerSecret: string | null }]>`
      select secret, former_secret from assignment.webhook_endpoints where id = ${id}
    `;
    return await Promise.all(
      [row.secret, row.formerSecret].map((each) => each === null ? null : open([key], id, each)),
    );
  }

  it("seals every secret, also of an endpoint that is disabled or is in a rotation of its secret", async () => {
    const disabled = await create(former);
    await changeEndpoint(sql, disabled.id, { enabled: false }, "ops");
    const rotated = await create(former);
    const next = createSecret();
    await changeEndpoint(sql, rotated.id, { secret: await seal([former], rotated.id, next) }, "ops");
    await createEndpoint(sql, { id: newId(), types: [...TYPES] }, "ops");

    assertEquals(await resealSecrets(sql, [key, former]), { resealed: 3, problems: [] });
    assertEquals(await readSecrets(disabled.id), [disabled.secret, null]);
    assertEquals(await readSecrets(rotated.id), [next, rotated.secret]);
    assertEquals(await resealSecrets(sql, [key]), { resealed: 0, problems: [] });
  });

  it("leaves a secret as it is whose key is missing, and goes on with the others", async () => {
    const lost = await create(crypto.getRandomValues(new Uint8Array(32)));
    const { id, secret } = await create(former);
    const { resealed, problems } = await resealSecrets(sql, [key, former]);
    assertEquals([resealed, problems.length], [1, 1]);
    assertEquals(String(problems[0]).includes(lost.id), true);
    assertEquals(await readSecrets(id), [secret, null]);
  });
});
