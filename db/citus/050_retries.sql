-- Retries take place where the failures are, a place at a time.

alter function assignment.retry_failures(integer) rename to retry_here;

create function assignment.retry_shard(
  p_limit jsonb, out retried integer, out succeeded integer, out failed integer, out failed_ids uuid[]
)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_lacking text;
begin
  select r.retried, r.succeeded, r.failed, r.failed_ids
  into retry_shard.retried, retry_shard.succeeded, retry_shard.failed, retry_shard.failed_ids
  from assignment.retry_here((p_limit #>> '{}')::integer) as r;
  v_lacking := (  -- the whole batch fails with it
    select f.message from assignment.failures f where f.member_id = retry_shard.failed_ids[1] and f.sqlstate = 'TA023'
  );
  if v_lacking is not null then
    raise exception '%', v_lacking using errcode = 'TA023';
  end if;
end;
$$;

create function assignment.retry_failures(
  p_limit integer default 500, out retried integer, out succeeded integer, out failed integer, out failed_ids uuid[]
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_due uuid[];
  v_member_id uuid;
  v_done jsonb;
begin
  perform assignment.refresh_known_trainers();
  perform assignment.reopen_trainers();
  v_due := array(
    select f.member_id from assignment.failures f where f.next_attempt_at <= now() order by f.next_attempt_at limit 1000
  );
  retried := 0;
  succeeded := 0;
  failed := 0;
  failed_ids := '{}';
  -- The place of the one due longest; another place where other sessions retry all that is due there.
  for v_member_id in
    select (array_agg(d.id order by d.position))[1]
    from (
      select get_shard_id_for_distribution_column('assignment.failures'::regclass, due.id) as shard, due.id, due.position
      from unnest(v_due) with ordinality as due (id, position)
    ) as d
    group by d.shard
    order by min(d.position)
  loop
    -- By the row of the place: that of the failure may go meanwhile, with its member.
    v_done := assignment.ask_shard(
      'assignment.places', assignment.find_place_of(v_member_id), 'retry_shard', to_jsonb(p_limit), true
    );
    if (v_done ->> 'retried')::integer > 0 then
      select r.retried, r.succeeded, r.failed, r.failed_ids
      into retry_failures.retried, retry_failures.succeeded, retry_failures.failed, retry_failures.failed_ids
      from jsonb_to_record(v_done) as r (retried integer, succeeded integer, failed integer, failed_ids uuid[]);
      return;
    end if;
  end loop;
end;
$$;

create or replace function assignment.make_failures_due(
  p_limit integer default 20000, p_actor text default null, p_request_id text default null
)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[] := array(
    select f.member_id
    from assignment.failures f
    where f.next_attempt_at > now()
    order by f.next_attempt_at, f.member_id
    limit p_limit
  );
  v_made_due integer;
begin
  update assignment.failures f set next_attempt_at = now() where f.member_id = any (v_ids);
  get diagnostics v_made_due = row_count;
  if p_actor is not null and v_made_due > 0 then
    perform assignment.record_audit(
      p_actor, 'failures.retried', p_after => jsonb_build_object('failures', v_made_due), p_request_id => p_request_id
    );
  end if;
  return v_made_due;
end;
$$;

create or replace function assignment.claim_new_failures(p_limit integer default 500)
  returns table (
    member_id uuid,
    trainer_id uuid,
    sqlstate text,
    message text,
    source text,
    attempts integer,
    first_failed_at timestamptz,
    last_failed_at timestamptz,
    next_attempt_at timestamptz
  )
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_ids uuid[] := array(
    select n.member_id from assignment.failures n where n.logged_at is null order by n.member_id limit p_limit
  );
begin
  if v_ids = '{}' then
    return;
  end if;
  return query
  update assignment.failures f
  set logged_at = now()
  where f.member_id = any (v_ids)
    and f.logged_at is null
  returning
    f.member_id,
    f.trainer_id,
    f.sqlstate,
    f.message,
    f.source,
    f.attempts,
    f.first_failed_at,
    f.last_failed_at,
    f.next_attempt_at;
end;
$$;

create or replace function assignment.make_all_waiting_due()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  update assignment.failures f
  set next_attempt_at = now()
  where f.sqlstate in ('TA011', 'TA023')
    and f.requested_trainer_id is null;
end;
$$;
