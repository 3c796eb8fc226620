import { join } from "node:path";
import { killServer } from "./processes.ts";
import { pause } from "./runs.ts";
import { mountSmallDisk } from "./small_disk.ts";
import { superviseServer } from "./supervisor.ts";
import type { World } from "./world.ts";

/** A disk of the server's, to fill and to free again. */
export interface ServerDisk {
  /** How it is filled: that depends on what this account may do. */
  how: string;
  fill(): Promise<void>;
  free(): Promise<void>;
  /** What it did to the server. */
  toll(): string;
}

/** Puts every table and index, the members' too, onto a tmpfs: full, it refuses what needs another page. */
export async function putTablesOnSmallDisk({ sql, server, atEnd }: World): Promise<ServerDisk> {
  const toll = () => "the server stays";
  const disk = await mountSmallDisk(`${server.folder}.tables`, { sizeMib: 64, ownerOf: server.folder });
  if (disk === null) {
    return {
      how: "by triggers that raise 53100, for want of the right to mount",
      fill: async () => void await sql.unsafe(refuseWrites),
      free: async () => void await sql.unsafe("drop function public.disk_full() cascade"),
      toll,
    };
  }
  atEnd(() => server.stop().then(disk.remove));
  await sql.unsafe(`create tablespace small location '${disk.folder}'`);
  await sql.unsafe("alter table all in tablespace pg_default set tablespace small");
  await sql.unsafe("alter index all in tablespace pg_default set tablespace small");
  return { how: "a full tmpfs", fill: disk.fill, free: disk.free, toll };
}

const refuseWrites = `
  create function public.disk_full() returns trigger language plpgsql
    as $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
  do $$
  declare
    v_table regclass;
  begin
    for v_table in
      select oid
      from pg_class
      where relkind = 'r' and relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
    loop
      execute format(
        'create trigger disk_full before insert or update on %s for each statement execute function public.disk_full()',
        v_table
      );
    end loop;
  end $$`;

/**
 * Puts the write-ahead log onto a tmpfs. Full, the server PANICs when it needs another segment, and again at the end of
 * a recovery, until there is space; a supervisor starts it each time. A replication slot that nobody reads keeps old
 * segments from being used again, as where this happens to people.
 */
export async function putWalOnSmallDisk({ sql, server, atEnd }: World): Promise<ServerDisk> {
  const disk = await mountSmallDisk(`${server.folder}.wal`, { sizeMib: 160, ownerOf: server.folder });
  if (disk !== null) {
    await server.stop();
    await moveFolder(join(server.folder, "pg_wal"), join(disk.folder, "pg_wal"));
    await server.start();
  }
  const supervisor = superviseServer(server);
  atEnd(async () => {
    await supervisor.stop();
    await server.stop();
    await disk?.remove();
  });
  const toll = () =>
    `PANICs in its log: ${supervisor.panics()}; starts by its supervisor: ${supervisor.starts()}`;
  if (disk === null) {
    return {
      how: "the server killed and kept away, for want of the right to mount",
      async fill() {
        supervisor.setResting(true);
        await killServer(server);
      },
      free: () => Promise.resolve(supervisor.setResting(false)),
      toll,
    };
  }
  return {
    how: "a full tmpfs",
    async fill() {
      await sql`select pg_create_physical_replication_slot('forgotten', true)`;
      await disk.fill();
      // The segments that are there are used up now, not by and by.
      while (await succeeds(sql`select pg_create_restore_point('next'), pg_switch_wal()`));
    },
    async free() {
      await disk.free();
      while (!await succeeds(sql`select pg_drop_replication_slot('forgotten')`)) await pause(50);
    },
    toll,
  };
}

async function moveFolder(from: string, to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  if (!success) throw new Error(`cannot copy ${from}`);
  await Deno.remove(from, { recursive: true });
  await Deno.symlink(to, from);
}

function succeeds(query: PromiseLike<unknown>): Promise<boolean> {
  return Promise.resolve(query).then(() => true, () => false);
}
