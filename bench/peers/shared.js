// What the two programs have in common: the token check, the statements, the answers' shape.
import { createHash, timingSafeEqual } from "node:crypto";
import process from "node:process";
import pg from "pg";

const TRAINER_ID = "d18a21c8-be77-496f-a2fd-ec6479ecba6d";
const token = sha256(process.env.TOKEN ?? "");
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

/** Tells whether a request carries the configured token. */
export function isAuthorized(header = "") {
  return timingSafeEqual(sha256(header.replace(/^Bearer /i, "")), token);
}

/** A member's active assignment; undefined for an unknown member. A prepared statement, by primary key and unique index. */
export async function readAssignment(memberId, trainerId = TRAINER_ID) {
  const { rows: [row] } = await pool.query({
    name: "check",
    text: `
      select a.id, a.assignment_date, a.source, a.notes
      from members m
      left join trainer_client_assignments a
        on a.client_id = m.id and a.trainer_id = $2 and a.status = 'active'
      where m.id = $1
    `,
    values: [memberId, trainerId],
  });
  if (row === undefined) return undefined;
  const assignment = row.id === null ? null : {
    id: row.id,
    assignmentDate: row.assignment_date,
    source: row.source,
    notes: row.notes,
  };
  return { memberId, trainerId, assigned: assignment !== null, assignment };
}

/** A page of a trainer's clients after an assignment id: paged by key, as it should be. */
export async function listClients(trainerId, limit, after = "00000000-0000-0000-0000-000000000000") {
  const { rows } = await pool.query({
    name: "list",
    text: `
      select client_id, id, assignment_date, status, source, assigned_by, policy_version, rule, ended_at, ended_by,
        ended_because, notes
      from trainer_client_assignments
      where trainer_id = $1 and status = 'active' and id > $2
      order by id
      limit $3
    `,
    values: [trainerId, after, limit + 1],
  });
  const clients = rows.slice(0, limit).map((row) => ({
    clientId: row.client_id,
    assignmentId: row.id,
    assignmentDate: row.assignment_date,
    status: row.status,
    source: row.source,
    assignedBy: row.assigned_by,
    policyVersion: row.policy_version,
    rule: row.rule,
    endedAt: row.ended_at,
    endedBy: row.ended_by,
    endedBecause: row.ended_because,
    notes: row.notes,
  }));
  return { trainerId, clients, next: rows.length > limit ? clients.at(-1).assignmentId : null };
}

function sha256(text) {
  return createHash("sha256").update(text).digest();
}
