import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { copyMembers } from "../support/copy.ts";
import type { World } from "./world.ts";

/** The line of a dump from which on its table's triggers are off. */
const triggersOff = "ALTER TABLE public.members DISABLE TRIGGER ALL;";
const signal = "triggers are off";

/**
 * Restores members as `pg_restore --data-only --disable-triggers` does, from a dump of another database.
 * @param whileOff runs in the middle, with the triggers off
 * @returns with what it was done: where no pg_dump fits the server, with the statements that it writes
 */
export async function restoreWithTriggersOff(
  { server, sql }: World,
  memberIds: string[],
  whileOff: () => Promise<void>,
): Promise<string> {
  await sql`create database elsewhere`;
  const url = Object.assign(new URL(server.url), { pathname: "/elsewhere" }).href;
  const elsewhere = openDatabase(url, { max: 1, applicationName: "elsewhere" });
  await elsewhere`create table public.members (id uuid primary key)`;
  await copyMembers(elsewhere, memberIds);
  await closeDatabase(elsewhere);
  const dump = await dumpMembers(url);
  await sql`drop database elsewhere with (force)`;

  if (dump !== null) {
    const at = dump.indexOf(triggersOff) + triggersOff.length;
    await restore(server.url, dump.slice(0, at), whileOff, dump.slice(at));
    return "pg_dump --disable-triggers and psql";
  }
  await sql`alter table public.members disable trigger all`;
  await whileOff();
  await copyMembers(sql, memberIds);
  await sql`alter table public.members enable trigger all`;
  return "the statements of pg_dump --disable-triggers";
}

async function dumpMembers(url: string): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("pg_dump", {
      args: ["--data-only", "--disable-triggers", "--table=public.members", url],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : null; // it refuses servers newer than itself
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function restore(
  url: string,
  first: string,
  between: () => Promise<void>,
  rest: string,
): Promise<void> {
  await using psql = new Deno.Command("psql", {
    args: ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const script = psql.stdin.getWriter();
  const write = (text: string) => script.write(new TextEncoder().encode(text));
  await write(`${first}\nselect '${signal}';\n`);
  let printed = "";
  for await (const text of psql.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.includes(signal)) break;
  }
  await between();
  await write(rest);
  await script.close();
  const { code } = await psql.status;
  if (code !== 0) throw new Error(`psql ended with ${code}`);
}
