import { DEFAULT_MEMBER_COLUMNS } from "../../src/config/member_columns.ts";
import type { Sql } from "../../src/database/sql.ts";
import { describeMemberHook, findMemberHookState } from "../../src/operation/member_hook.ts";
import { takeMemberEvent } from "../../src/webhooks/in/take_event.ts";
import { newId } from "./assignments.ts";
import { testHook } from "./member_events.ts";

/** An event about somebody new, unless the values say otherwise. */
export function eventOf(values: Partial<Parameters<typeof takeMemberEvent>[2]> = {}) {
  return {
    id: `msg_${newId()}`,
    type: "user.created",
    memberId: newId(),
    name: "Anna",
    email: `${newId()}@example.com`,
    ...values,
  };
}

/** Takes an event, with the columns of the default. */
export const take = (sql: Sql, event: ReturnType<typeof eventOf>) =>
  takeMemberEvent(sql, DEFAULT_MEMBER_COLUMNS, event);

/** Reads what the health says of the hook. */
export async function checkHook(sql: Sql) {
  return describeMemberHook(await findMemberHookState(sql, testHook(), DEFAULT_MEMBER_COLUMNS));
}

/** Tells in which tables, the audit log's among them, any row holds a text. */
export async function findText(sql: Sql, text: string): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_class c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
    order by 1
  `;
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql.unsafe(`select from ${name} as t where t::text like '%' || $1 || '%' limit 1`, [
      text,
    ]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}
