import { MAX_ATTEMPTS } from "../../src/webhooks/retry.ts";
import type { OracleOptions } from "./oracle.ts";
import type { Rule } from "./oracle_rules.ts";

const withWebhooks = ({ webhooks }: OracleOptions) => webhooks !== undefined;

/** An assignment that a message tells of, once for each. */
const TOLD = `
  select m.id as message_id, m.type, m.xid, told.id as assignment_id
  from assignment.outbox m
  cross join unnest(m.assignment_ids) as told (id)
`;

/** What consumers of messages hear: everything that was committed, and nothing else. */
export const webhookRules: readonly Rule[] = [
  {
    name: "each assignment that was made or ended is told of, once",
    applies: withWebhooks,
    query: `
      select format('assignment %s, %s: told of %s times as made, %s times as ended', a.id, a.status, told.made, told.ended)
      from assignments_ever a
      left join (
        select t.assignment_id, count(*) filter (where t.type = 'assignments.created') as made,
          count(*) filter (where t.type = 'assignments.ended') as ended
        from (${TOLD}) as t
        group by t.assignment_id
      ) as told on told.assignment_id = a.id
      where coalesce(told.made, 0) <> 1
        or coalesce(told.ended, 0) <> case a.status when 'inactive' then 1 else 0 end
    `,
  },
  {
    name: "no message tells of what was not committed",
    applies: withWebhooks,
    query: `
      select format('message %s, %s: assignment %s', t.message_id, t.type, t.assignment_id)
      from (${TOLD}) as t
      where not exists (select from assignments_ever a where a.id = t.assignment_id)
    `,
  },
  {
    name: "a message is written in the transaction of its change",
    applies: withWebhooks,
    needs: ["commit times"],
    query: `
      select format('message %s at %s, assignment %s at %s', t.message_id, written.message_at, a.id, written.assignment_at)
      from (${TOLD}) as t
      join public.trainer_client_assignments a
        on a.id = t.assignment_id
        and case t.type
          when 'assignments.created' then a.status = 'active'
          -- a trainer who leaves ends the name in the row
          else not exists (select from journal j where j.id = a.trainer_id and j.exists <> 'yes') and a.trainer_id is not null
        end
      cross join lateral (
        select pg_xact_commit_timestamp(t.xid::xid) as message_at, pg_xact_commit_timestamp(a.xmin) as assignment_at
        where current_setting('track_commit_timestamp') = 'on'
      ) as written
      where written.message_at <> written.assignment_at
        and not exists (select from public.gaps_ever g where a.id = any (g.assignment_ids))
    `,
  },
  {
    name: "each failure is told of",
    applies: withWebhooks,
    query: `
      select format('failure of %s', f.member_id)
      from assignment.failures f
      where not exists (
        select from assignment.outbox m where m.type = 'assignment.failed' and f.member_id = any (m.member_ids)
      )
    `,
  },
  {
    name: "no message names a member who has left",
    applies: withWebhooks,
    query: `
      select format('message %s: member %s', m.id, told.id)
      from assignment.outbox m
      cross join unnest(m.member_ids) as told (id)
      where not exists (select from public.members where members.id = told.id)
    `,
  },
  {
    name: "one message for each run that has ended, and for each version of the policy",
    applies: withWebhooks,
    query: `
      select format('run %s %s: %s messages', r.id, r.status, told.count)
      from assignment.backfill_runs r
      cross join lateral (
        select count(*) from assignment.outbox m where m.type = 'run.ended' and m.run_id = r.id
      ) as told
      where told.count <> case when r.status in ('running', 'paused') then 0 else 1 end
      union all
      select format('version %s of the policy: %s messages', p.version, told.count)
      from assignment.policies p
      cross join lateral (
        select count(*) from assignment.outbox m where m.type = 'policy.changed' and m.policy_version = p.version
      ) as told
      where told.count <> case p.version when 1 then 0 else 1 end
    `,
  },
  {
    name: "what the outbox refused becomes messages later",
    applies: withWebhooks,
    query: "select format('%s: %s', type, message) from assignment.outbox_gaps",
  },
  {
    name: "each message is for each endpoint that wants it, and for no other",
    applies: withWebhooks,
    query: `
      select format('message %s, %s, for endpoint %s: %s', m.id, m.type, e.id, coalesce(d.status, 'nothing'))
      from assignment.outbox m
      cross join assignment.webhook_endpoints e
      left join assignment.deliveries d on d.endpoint_id = e.id and d.message_id = m.id
      where (d.status is not null) <> (e.url is not null and m.type = any (e.types))
    `,
  },
  {
    name: "nothing is given up before its last attempt",
    applies: withWebhooks,
    query: `
      select format('message %s at endpoint %s: %s after %s attempts', d.message_id, d.endpoint_id, d.status, d.attempts)
      from assignment.deliveries d
      join assignment.outbox m on m.id = d.message_id
      where (d.status = 'failed' and d.attempts < ${MAX_ATTEMPTS})
        or (d.status = 'dropped' and assignment.read_message(m.id) is not null)
      union all
      select format('endpoint %s is disabled: %s', e.id, e.disabled_because)
      from assignment.webhook_endpoints e
      where not e.enabled
    `,
  },
  {
    name: "what counts as delivered was accepted",
    applies: withWebhooks,
    query: `
      select format('message %s at endpoint %s', d.message_id, d.endpoint_id)
      from assignment.deliveries d
      where d.status = 'delivered'
        and not exists (
          select
          from attempts a
          where a.endpoint_id = d.endpoint_id and a.message_id = d.message_id and a.is_accepted
        )
    `,
  },
  {
    name: "every attempt carries the message's id, and tells what the message tells of",
    applies: withWebhooks,
    query: `
      select format('%s, %s, came to endpoint %s', a.message_id, a.type, a.endpoint_id)
      from attempts a
      where not exists (
        select
        from assignment.deliveries d
        join assignment.outbox m on m.id = d.message_id
        where d.endpoint_id = a.endpoint_id
          and d.message_id = a.message_id
          and m.type = a.type
          and a.assignment_ids <@ coalesce(m.assignment_ids, '{}')
      )
      union all
      select format('%s requests without a valid signature', count) from forged where count > 0
    `,
  },
  {
    name: "no message appears behind a cursor",
    applies: withWebhooks,
    query: `
      select format('message %s, %s, was not given out', m.id, m.type)
      from assignment.outbox m
      where not exists (select from fetched f where f.id = m.id)
        and assignment.read_message(m.id) is not null
    `,
  },
  {
    name: "messages are given out once, in their order",
    applies: withWebhooks,
    query: `
      select format('message %s came after %s', id, previous_id)
      from (
        select f.id, m.xid, lag(f.id) over later as previous_id, lag(m.xid) over later as previous_xid
        from fetched f
        left join assignment.outbox m on m.id = f.id
        window later as (order by f.place)
      ) as seen
      where xid is null
        or (xid, id) <= (previous_xid, previous_id)
    `,
  },
];
