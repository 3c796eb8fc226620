import type postgres from "postgres";
import { ASSIGNMENTS_EVER } from "./departures.ts";
import { directChanges, expectedLines, expectedOf, expectedPairs } from "./expectations.ts";
import type { Entry } from "./journal.ts";
import { rulesTable } from "./oracle_policy_rules.ts";
import type { Consumed } from "./webhooks.ts";

type Transaction = postgres.TransactionSql<{ bigint: number }>;

const ROWS_AT_ONCE = 10_000;

/**
 * Puts what the journal says into temporary tables, for the oracle's rules: `journal` (a row for each member), `pairs`,
 * `steering`, `expected_lines`, `direct`, `leavings`, `rules`; and what there ever was: `assignments_ever`, `errors_ever`,
 * `transferred`.
 */
export async function makeTables(
  transaction: Transaction,
  entries: Entry[],
  lostAfter?: number,
): Promise<void> {
  const members = [...expectedOf(entries, lostAfter)].map(([id, expected]) => ({ id, ...expected }));
  await fill(transaction, "journal", members, {
    id: "uuid",
    exists: "text",
    statement: "integer",
    lowestVersion: "integer",
    highestVersion: "integer",
  });
  await transaction`alter table journal add primary key (id)`;
  await fill(transaction, "pairs", expectedPairs(entries, lostAfter), {
    memberId: "uuid",
    trainerId: "uuid",
    standing: "text",
  });
  await fill(transaction, "expected_lines", expectedLines(entries, lostAfter), {
    requestId: "text",
    line: "text",
    least: "integer",
    most: "integer",
  });
  await fill(transaction, "direct", directChanges(entries, lostAfter), {
    statement: "integer",
    assignmentId: "uuid",
    line: "text",
    outcome: "text",
  });
  const steering = entries.filter(({ action }) => action === "pause" || action === "resume");
  await fill(transaction, "steering", steering.map(({ ids: [runId], outcome }) => ({ runId, outcome })), {
    runId: "uuid",
    outcome: "text",
  });
  const leavings = entries.filter(({ action }) => action === "leave");
  await fill(transaction, "leavings", leavings.map(({ outcome }) => ({ outcome })), { outcome: "text" });
  await transaction.unsafe(rulesTable);
  await lookBack(transaction);
  await transaction`analyze journal`;
}

/** Puts what consumers of messages got into temporary tables: `attempts`, `forged`, `fetched`. */
export async function makeWebhookTables(transaction: Transaction, consumed: Consumed): Promise<void> {
  await fill(transaction, "attempts", consumed.attempts, {
    endpointId: "uuid",
    messageId: "uuid",
    type: "text",
    assignmentIds: "uuid[]",
    isAccepted: "boolean",
  });
  await fill(transaction, "forged", [{ count: consumed.forged }], { count: "integer" });
  await fill(transaction, "fetched", consumed.fetched.map((id, place) => ({ place, id })), {
    place: "integer",
    id: "uuid",
  });
  await transaction.unsafe(`
    create index on attempts (message_id);
    create index on fetched (id);
    analyze attempts;
    analyze fetched;
  `);
}

/** Makes a table of rows. Columns are named as the rows' fields, with underscores. */
async function fill(
  transaction: Transaction,
  table: string,
  rows: readonly object[],
  fields: Record<string, string>,
): Promise<void> {
  const columns = Object.entries(fields).map(([name, type]) => `${snake(name)} ${type}`).join(", ");
  await transaction.unsafe(`create temporary table ${table} (${columns}) on commit drop`);
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const part = rows.slice(at, at + ROWS_AT_ONCE).map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [snake(name), value]))
    );
    await transaction`
      insert into ${transaction(table)}
      select * from jsonb_populate_recordset(null::${transaction(table)}, ${
      JSON.stringify(part)
    }::text::jsonb)
    `;
  }
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What there ever was, also where members have left; an experiment that lets nobody leave keeps nothing besides. */
async function lookBack(transaction: Transaction): Promise<void> {
  const [{ keeps }] = await transaction<[{ keeps: boolean }]>`
    select to_regclass(${ASSIGNMENTS_EVER}) is not null as keeps
  `;
  await transaction.unsafe(
    keeps
      ? `
        create temporary table assignments_ever on commit drop as select * from ${ASSIGNMENTS_EVER};
        create temporary table errors_ever on commit drop as
          select run_id, member_id, sqlstate from assignment.backfill_errors
          union all
          select run_id, member_id, sqlstate from public.departed_errors;
        create temporary table transferred on commit drop as select * from public.transferred;
      `
      : `
        create temporary table assignments_ever on commit drop as
          select *, true as is_there, xmin as written_by from public.trainer_client_assignments;
        create temporary table errors_ever on commit drop as
          select run_id, member_id, sqlstate from assignment.backfill_errors;
        create temporary table transferred (request_id text, assignment_id uuid, client_id uuid) on commit drop;
      `,
  );
  await transaction.unsafe(`
    create index on assignments_ever (client_id);
    create index on assignments_ever (id);
    analyze assignments_ever;
    create temporary table audit on commit drop as
      select l.*, l.xmin as written_by from assignment.audit_log l;
    create index on audit (subject);
    create index on audit (request_id);
    analyze audit;
  `);
}
