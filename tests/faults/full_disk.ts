import type { Sql } from "../../src/database/sql.ts";
import type { Cause } from "./causes.ts";
import { mountSmallDisk } from "./small_disk.ts";
import type { World } from "./world.ts";

/** A disk that is full for the assignments alone; how, depends on what this account may do. */
export interface FullDisk extends Cause {
  name: string;
  how: "a full tmpfs" | "a trigger that raises 53100, for want of the right to mount";
  remove(): Promise<void>;
}

const name = "the disk is full";
const sizeMib = 8;

/**
 * Moves the assignments onto a small tmpfs, which `bring` fills to the last page. Where this account may not mount, a
 * trigger says what a full disk says.
 */
export async function makeFullDisk({ sql, server }: World): Promise<FullDisk> {
  const disk = await mountSmallDisk(`${server.folder}.disk`, { sizeMib, ownerOf: server.folder });
  if (disk === null) {
    return {
      name,
      how: "a trigger that raises 53100, for want of the right to mount",
      bring: raiseDiskFull,
      remove: () => Promise.resolve(),
    };
  }

  await sql.unsafe(`create tablespace small location '${disk.folder}'`);
  await sql.unsafe(`
    alter table public.trainer_client_assignments set tablespace small;
    alter index public.trainer_client_assignments_pkey set tablespace small;
    alter index public.trainer_client_assignments_active_key set tablespace small;
  `);
  return {
    name,
    how: "a full tmpfs",
    mayPass: true, // what fillPages rolled back is pruned sooner or later, and its page has room again
    async bring() {
      await disk.fill();
      await fillPages(sql);
      return disk.free;
    },
    remove: disk.remove,
  };
}

/** Uses up the space that is left inside of the table's own pages: in transactions that roll back, for they take it all the same. */
async function fillPages(sql: Sql): Promise<void> {
  for (let inserts = 0; inserts < 1_000; inserts++) {
    try {
      await sql.begin(async (transaction) => {
        await transaction`
          insert into public.trainer_client_assignments (trainer_id, client_id, source, status)
          select s.default_trainer_id, m.id, 'manual', 'inactive'
          from assignment.settings s
          cross join (select id from public.members where id <> 'd18a21c8-be77-496f-a2fd-ec6479ecba6d' limit 100) as m
        `;
        throw new Undone();
      });
    } catch (error) {
      if (!(error instanceof Undone)) return; // full
    }
  }
}

class Undone extends Error {}

async function raiseDiskFull(sql: Sql): Promise<() => Promise<unknown>> {
  await sql.unsafe(`
    create function public.interfere() returns trigger language plpgsql
      as $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
    create trigger interfere before insert on public.trainer_client_assignments
      for each row execute function public.interfere()
  `);
  return () => sql.unsafe("drop function public.interfere() cascade");
}
