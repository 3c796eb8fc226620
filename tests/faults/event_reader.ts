import type { Sql } from "../../src/database/sql.ts";
import type { Random } from "./random.ts";
import { pause } from "./runs.ts";

/** A consumer who fetches messages all along, each time from where it was. */
export interface EventReader {
  /** The ids of the messages it got, in the order in which it got them. */
  seen: readonly string[];
  /** Reads until there is nothing more. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts such a consumer; while the database is away it tries again. */
export function startEventReader(sql: () => Sql, random: Random): EventReader {
  const seen: string[] = [];
  let place = { xid: "0", id: "00000000-0000-0000-0000-000000000000" };
  let isStopped = false;
  let isReading = Promise.resolve(0);
  const reading = (async () => {
    while (!isStopped) {
      await readPage().catch(() => {});
      await pause(random.integer(0, 10));
    }
  })();
  return {
    seen,
    async catchUp() {
      while (await readPage() > 0);
    },
    async stop() {
      isStopped = true;
      await reading;
    },
  };

  /** One page after the other, whoever asks. */
  function readPage(): Promise<number> {
    return isReading = isReading.catch(() => {}).then(async () => {
      const rows = await sql()<{ xid: string; id: string; isEmpty: boolean }[]>`
        select xid::text, id, body is null as is_empty
        from assignment.read_events(${place.xid}::text::xid8, ${place.id}, null, ${random.integer(1, 50)})
      `;
      for (const { id, isEmpty } of rows) if (!isEmpty) seen.push(id);
      place = rows.at(-1) ?? place;
      return rows.length;
    });
  }
}
