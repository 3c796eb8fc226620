import { collectWhatComes } from "../database/notes.ts";
import type { Sql } from "../database/sql.ts";
import type { Fragment } from "../assignments/member_columns.ts";

/** What a line of the audit log can be about: a thing and what happened to it. */
export const AUDIT_ACTIONS = [
  "policy.changed",
  "trainer.changed",
  "assignment.made",
  "assignment.ended",
  "assignments.changed",
  "assignments.deleted",
  "members.deleted",
  "failures.retried",
  "run.started",
  "run.paused",
  "run.resumed",
  "run.cancelled",
  "run.ended",
  "webhook.created",
  "webhook.changed",
  "webhook.deleted",
  "webhook.disabled",
  "webhook.redelivered",
  "webhook.tested",
  "session.started",
  "session.ended",
  "access.refused",
  "audit.forgotten",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** One line of the audit log: who did what, when. */
export interface AuditLine {
  id: string;
  at: Date;
  /** Who did it, in one of the forms of `ACTOR_FORMS`. */
  actor: string;
  /** The role of the database session, which no caller can choose. */
  databaseRole: string;
  action: AuditAction;
  /** A kind and an id, such as `run:…`, `policy:7`, `trainer:…` or `assignment:…`; null: nothing in particular. */
  subject: string | null;
  /** Of an assignment that still exists: the client. */
  memberId: string | null;
  /** Of an assignment that still exists: its trainer; null for one who was deleted. */
  trainerId: string | null;
  /** The trainers whom it concerns. */
  trainerIds: string[];
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  /** The id of the HTTP request, as in the service's log. */
  requestId: string | null;
}

/** Which lines; every condition that is given must hold. */
export interface AuditFilter {
  actor?: string | undefined;
  action?: AuditAction | undefined;
  /** Lines that concern it: of a trainer also those of the clients that were made or ended by hand. */
  subject?: string | undefined;
  /** Lines about the member's assignments that still exist, and about the member as a trainer. */
  memberId?: string | undefined;
  trainerId?: string | undefined;
  /** The earliest time. */
  from?: Date | undefined;
  /** The first time that is too late. */
  to?: Date | undefined;
}

/** Which part of the lines. */
export interface AuditPage {
  /** 1 to 10,000. */
  limit: number;
  /** The id of the last line already seen; none at the beginning. */
  after?: string | undefined;
}

type Row = Omit<AuditLine, "before" | "after"> & { before: string | null; after: string | null };

const CHUNK_ROWS = 1000;

/**
 * Lists lines of the audit log, the newest first. Pages neither skip nor repeat a line that existed when the first page
 * was read; nothing follows a line that was forgotten meanwhile, for all older ones were forgotten with it.
 */
export async function listAuditLines(sql: Sql, filter: AuditFilter, page: AuditPage): Promise<AuditLine[]> {
  if (page.after === undefined) await collectWhatComes(sql);
  const rows = await sql<Row[]>`${selectAuditLines(sql, filter, page)}`;
  return rows.map(({ before, after, ...line }) => ({
    ...line,
    before: before === null ? null : JSON.parse(before),
    after: after === null ? null : JSON.parse(after),
  }));
}

/**
 * Reads all lines, the newest first, in chunks and so in constant memory. Each chunk is a short query of its own: a
 * reader who is slow or gone holds no connection and no snapshot.
 */
export async function* streamAuditLines(sql: Sql, filter: AuditFilter): AsyncGenerator<AuditLine[]> {
  let after: string | undefined;
  do {
    const lines: AuditLine[] = await listAuditLines(sql, filter, { limit: CHUNK_ROWS, after });
    yield lines;
    after = lines.length === CHUNK_ROWS ? lines.at(-1)?.id : undefined;
  } while (after !== undefined);
}

/** The statement of {@link listAuditLines}. */
export function selectAuditLines(sql: Sql, filter: AuditFilter, page: AuditPage): Fragment {
  return sql`
    with page as (${selectPage(sql, filter, page)})
    select
      l.id,
      l.at,
      l.actor,
      l.database_role,
      l.action,
      l.subject,
      a.client_id as member_id,
      a.trainer_id,
      l.trainer_ids,
      l.before::text,  -- as text, for the driver would rename the keys of json
      l.after::text,
      l.request_id
    from page
    join assignment.audit_log l on l.id = page.id
    left join public.trainer_client_assignments a
      on a.id = case when l.subject like 'assignment:%' then substr(l.subject, 12)::uuid end
    order by page.at desc, page.id desc
  `;
}

/** The times and ids of one page, in the order of an index. */
function selectPage(sql: Sql, filter: AuditFilter, { limit, after }: AuditPage): Fragment {
  const { actor, action, from, to } = filter;
  const place = sql`(select at from assignment.audit_log where id = ${after ?? null}), ${
    after ?? null
  }::uuid`;
  const conditions = sql`
    ${actor === undefined ? sql`` : sql`and l.actor = ${actor}`}
    ${action === undefined ? sql`` : sql`and l.action = ${action}`}
  `;
  const [first, ...others] = concernedSubjects(sql, filter);
  if (first === undefined) {
    return sql`
      select l.at, l.id
      from assignment.audit_log l
      where true
        ${conditions}
        ${from === undefined ? sql`` : sql`and l.at >= ${from}`}
        ${to === undefined ? sql`` : sql`and l.at < ${to}`}
        ${after === undefined ? sql`` : sql`and (l.at, l.id) < (${place})`}
      order by l.at desc, l.id desc
      limit ${limit}
    `;
  }
  const alsoOthers = others.reduce(
    (also, subjects) =>
      sql`
      ${also}
      and exists (
        select from assignment.audit_subjects o
        where o.subject in (${subjects}) and o.at = s.at and o.line_id = s.line_id
      )
    `,
    sql``,
  );
  return sql`
    select distinct found.at, found.id
    from (${first}) as concerned (subject)
    cross join lateral (
      select s.at, s.line_id as id
      from assignment.audit_subjects s
      join assignment.audit_log l on l.id = s.line_id
      where s.subject = concerned.subject
        ${conditions}
        ${alsoOthers}
        ${from === undefined ? sql`` : sql`and s.at >= ${from}`}
        ${to === undefined ? sql`` : sql`and s.at < ${to}`}
        ${after === undefined ? sql`` : sql`and (s.at, s.line_id) < (${place})`}
      order by s.at desc, s.line_id desc
      limit ${limit}
    ) as found
    order by found.at desc, found.id desc
    limit ${limit}
  `;
}

/** What the lines must concern, by each condition of the filter one of several subjects. */
function concernedSubjects(sql: Sql, { subject, memberId, trainerId }: AuditFilter): Fragment[] {
  const subjects: Fragment[] = [];
  if (memberId !== undefined) {
    subjects.push(sql`
      select 'trainer:' || ${memberId}::uuid
      union all
      select 'assignment:' || a.id from public.trainer_client_assignments a where a.client_id = ${memberId}
    `);
  }
  if (subject !== undefined) subjects.push(sql`select ${subject}::text`);
  if (trainerId !== undefined) subjects.push(sql`select 'trainer:' || ${trainerId}::uuid`);
  return subjects;
}
