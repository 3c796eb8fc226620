import { join } from "node:path";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { SUPERUSER } from "../../src/database/embedded/postgres_server.ts";
import { RELEASES_FOLDER } from "../../src/database/releases.ts";
import type { Sql } from "../../src/database/sql.ts";
import { changeEndpoint } from "../../src/webhooks/endpoints.ts";
import { open } from "../../src/webhooks/key.ts";
import { SERVICE_ROLE } from "../faults/installation.ts";
import { Journal, readJournal } from "../faults/journal.ts";
import type { Random } from "../faults/random.ts";
import { type Receiver, startReceiver } from "../faults/receiver.ts";
import { KEY } from "../faults/webhooks.ts";
import { pgDump } from "./pg_dump.ts";

const HEAD = `-- Written by \`deno task release\`: an installation of this version. Whoever loads it owns it.

do $$
begin
  create role ${SERVICE_ROLE};
exception
  when duplicate_object then null;
end;
$$;
`;

/** Dumps a database so that any client can load it, whoever it signs in as. */
export async function dumpRelease(url: string): Promise<string> {
  const dump = await pgDump(url, ["--no-owner", "--inserts", "--rows-per-insert=1000"]);
  return `${HEAD}\n${dump.replaceAll(` TO ${SUPERUSER} `, " TO CURRENT_USER ").trimStart()}`;
}

/** Loads a release's dump into an empty database, in one transaction. */
export async function loadRelease(version: string, url: string): Promise<void> {
  const sql = openDatabase(url, { max: 1, applicationName: "release" });
  try {
    await sql.unsafe(await Deno.readTextFile(join(RELEASES_FOLDER, `${version}.sql`)));
  } finally {
    await closeDatabase(sql);
  }
}

/** Copies a release's journal to where it can go on. */
export async function continueJournal(version: string, path: string): Promise<Journal> {
  await Deno.copyFile(join(RELEASES_FOLDER, `${version}.journal`), path);
  return Journal.open(path, (await readJournal(path)).at(-1)?.number);
}

/** Lets the messages of a release's dump be sent to a receiver. */
export async function receiveMessages(sql: Sql, random: Random): Promise<Receiver> {
  const [endpoint] = await sql<[{ id: string; secret: string }]>`
    select id, secret from assignment.webhook_endpoints where url is not null
  `;
  const secret = await open([KEY], endpoint.id, endpoint.secret);
  const receiver = await startReceiver({ secret, random, isMoody: false, longestAwayMs: 0 });
  await changeEndpoint(sql, endpoint.id, { url: receiver.url }, "upgrade");
  return receiver;
}
