import type { Sql } from "../../src/database/sql.ts";

const statementRows = 500;
const table = "public.timed_members";

/**
 * Measures the known exception: inserts under a statement timeout that is tight already without the trigger. Both tables
 * are alike but for the trigger.
 * @returns how many of so many inserts it ended, with the trigger and without
 */
export async function measureCallersTimeout(sql: Sql, inserts: number): Promise<string> {
  await sql.unsafe(`create table ${table} (like public.members including all)`);
  const session = await sql.reserve();
  const ended = async (into: string): Promise<number> => {
    let count = 0;
    for (let number = 0; number < inserts; number++) {
      try {
        // Rolled back: the journal knows nothing of these members.
        await session.unsafe(`
          begin;
          insert into ${into} (id) select gen_random_uuid() from generate_series(1, ${statementRows});
          rollback
        `);
      } catch {
        count += 1;
        await session.unsafe("rollback");
      }
    }
    return count;
  };

  try {
    const began = performance.now();
    await ended(table);
    const tightMs = Math.max(2, Math.round((performance.now() - began) / inserts * 2));
    await session.unsafe(`set statement_timeout = ${tightMs}`);
    const without = await ended(table);
    const withTrigger = await ended("public.members");
    return `of ${inserts} inserts of ${statementRows} members under ${tightMs} ms it ended ` +
      `${withTrigger} with the trigger and ${without} without`;
  } finally {
    await session.unsafe("reset statement_timeout");
    session.release();
    await sql.unsafe(`drop table ${table}`);
  }
}
