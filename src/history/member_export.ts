import { streamTrainerClients } from "../assignments/client_export.ts";
import { listMemberHistory, requireMember } from "../assignments/member_history.ts";
import { quoteIdentifier } from "../database/quoting.ts";
import { readFrom } from "../database/read_replica.ts";
import type { Sql } from "../database/sql.ts";
import { streamAuditLines } from "./audit_lines.ts";

const CHUNK_ROWS = 1000;

/**
 * Writes all that is kept of one member as one JSON object, in pieces and so in constant memory: a trainer may have a
 * million clients. Each piece is read by short queries of its own; together they are not a snapshot.
 * @throws {AppError} `member_not_found` before the first piece.
 */
export async function* exportMember(sql: Sql, memberId: string): AsyncGenerator<string> {
  await requireMember(sql, memberId);
  const { columns, row } = await readMember(sql, memberId);
  yield `{"memberId":"${memberId}","columns":${JSON.stringify(columns)},"member":${row}`;
  yield `,${toMembers(await readRest(sql, memberId))}`;
  yield* writeList("assignmentsAsClient", readHistory(sql, memberId));
  yield* writeList("assignmentsAsTrainer", streamTrainerClients(readFrom(sql), memberId, "all"));
  yield* writeList("auditLines", streamAuditLines(sql, { memberId }));
  yield "}\n";
}

/** Reads the columns of the member's row that the current role may read; the table is the application's. */
async function readMember(sql: Sql, memberId: string): Promise<{ columns: string[]; row: string }> {
  const readable = await sql<{ name: string }[]>`
    select attname::text as name
    from pg_catalog.pg_attribute
    where attrelid = 'public.members'::regclass
      and attnum > 0
      and not attisdropped
      and has_column_privilege(attrelid, attnum, 'select')
    order by attnum
  `;
  const columns = readable.map(({ name }) => name);
  const list = sql.unsafe(columns.map(quoteIdentifier).join(", "));
  const [found] = await sql<{ row: string }[]>`
    select to_jsonb(m)::text as row
    from (select ${list} from public.members where id = ${memberId}) as m
  `;
  return { columns, row: found?.row ?? "null" };
}

/** Reads what is at most a few thousand rows. */
async function readRest(sql: Sql, memberId: string): Promise<Record<string, unknown>> {
  const [failure] = await sql`
    select trainer_id, requested_trainer_id, rule, sqlstate, message, source, attempts, first_failed_at, last_failed_at,
      next_attempt_at
    from assignment.failures
    where member_id = ${memberId}
  `;
  const [trainerSettings] = await sql`
    select capacity, accepts_clients, note, updated_at, updated_by
    from assignment.trainers
    where trainer_id = ${memberId}
  `;
  const runErrors = await sql`
    select run_id, sqlstate as code, message
    from assignment.backfill_errors
    where member_id = ${memberId}
    order by run_id
  `;
  const eventFailures = await sql`
    select event_id, event_type, reason, detail, attempts, first_failed_at, last_failed_at
    from assignment.member_hook_failures
    where member_id = ${memberId}
    order by id
  `;
  const selections = await sql<{ runId: string }[]>`
    select run_id from assignment.backfill_selected where member_id = ${memberId} order by run_id
  `;
  const runs = await sql<{ id: string }[]>`
    select id
    from assignment.backfill_runs
    where ${memberId} in (trainer_id, from_trainer_id)
      or id in (select run_id from assignment.backfill_choices where trainer_id = ${memberId})
    order by id
  `;
  const policies = await sql<{ version: number }[]>`
    select version
    from assignment.policies p
    where document ->> 'defaultTrainerId' = ${memberId}
      or version in (select r.version from assignment.policy_rules r where ${memberId} = any (r.trainer_ids))
    order by version
  `;
  return {
    failure: failure ?? null,
    runErrors,
    eventFailures,
    selectedByRuns: selections.map(({ runId }) => runId),
    trainerSettings: trainerSettings ?? null,
    trainerInRuns: runs.map(({ id }) => id),
    trainerInPolicyVersions: policies.map(({ version }) => version),
  };
}

async function* readHistory(sql: Sql, memberId: string) {
  let after: string | undefined;
  do {
    const entries = await listMemberHistory(sql, memberId, { limit: CHUNK_ROWS, after });
    yield entries;
    after = entries.length === CHUNK_ROWS ? entries.at(-1)?.id : undefined;
  } while (after !== undefined);
}

async function* writeList(key: string, chunks: AsyncIterable<object[]>): AsyncGenerator<string> {
  yield `,"${key}":[`;
  let separator = "";
  for await (const rows of chunks) {
    if (rows.length === 0) continue;
    yield separator + rows.map((row) => JSON.stringify(row)).join(",");
    separator = ",";
  }
  yield "]";
}

/** The members of an object as JSON, without its braces. */
function toMembers(values: Record<string, unknown>): string {
  return JSON.stringify(values).slice(1, -1);
}
