-- Starts runs: one that has not ended per trainer, whoever asks and however many at once.
-- Locks: none. Reversible.

-- migrate:up
-- Where members' rows are, and how many the planner thinks there are: one table, or the leaves of a partitioned one,
-- for autovacuum analyzes leaves alone.
create function assignment.member_tables()
  returns table (relid regclass, members real)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select c.oid::regclass, greatest(c.reltuples, 0)
  from pg_class c
  where c.oid = 'public.members'::regclass
    and c.relkind <> 'p'
  union all
  select c.oid::regclass, greatest(c.reltuples, 0)
  from pg_partition_tree('public.members'::regclass) t
  join pg_class c on c.oid = t.relid
  where t.isleaf
    and c.oid <> 'public.members'::regclass
$$;

-- Cuts the ids from the smallest to p_upper_id into ranges of about equally many members, by what the planner knows.
create function assignment.plan_lanes(p_upper_id uuid, p_members bigint)
  returns table (lane smallint, next_id uuid, upper_id uuid, includes_upper boolean)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  with samples as (
    -- Each bound stands for as many members as lie between two of its table.
    select b.id, t.members / cardinality(h.ids) as members
    from assignment.member_tables() t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = 'id' and not s.inherited
    cross join lateral (select s.histogram_bounds::text::uuid[] as ids) as h
    cross join lateral unnest(h.ids) as b (id)
  ),
  inherited as (
    -- What ANALYZE of a partitioned table found, where the leaves are not ours to read or were not looked at.
    select b.id, 1::double precision as members
    from pg_stats s
    cross join lateral unnest(s.histogram_bounds::text::uuid[]) as b (id)
    where s.schemaname = 'public'
      and s.tablename = 'members'
      and s.attname = 'id'
      and s.inherited
      and not exists (select from samples)
  ),
  bounds as (
    select
      id,
      sum(members) over (order by id rows unbounded preceding) as members_below,
      sum(members) over () as members
    from (select id, members from samples union all select id, members from inherited) as known
  ),
  wanted as (
    -- A lane is worth 10,000 members; sixteen keep eight replicas of two lanes busy.
    select least(16, p_members / 10000) as lanes
  ),
  cuts as (
    select distinct first_bound.id
    from wanted w
    cross join generate_series(1, w.lanes - 1) as cut (number)
    cross join lateral (
      select b.id
      from bounds b
      where b.members_below >= b.members * cut.number / w.lanes
      order by b.id
      limit 1
    ) as first_bound
    where first_bound.id > '00000000-0000-0000-0000-000000000000'
      and first_bound.id <= p_upper_id
  ),
  starts as (
    select '00000000-0000-0000-0000-000000000000'::uuid as id
    union all
    select id from cuts
  )
  select
    (row_number() over by_id)::smallint,
    id,
    coalesce(lead(id) over by_id, p_upper_id),
    lead(id) over by_id is null
  from starts
  window by_id as (order by id)
$$;

create function assignment.start_backfill(
  p_requested_by text,
  p_trainer_id uuid default null,
  p_dry_run boolean default false,
  p_batch_rows integer default null,
  p_retry_of uuid default null,
  p_only_failed boolean default false,
  p_traceparent text default null
)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_trainer_id uuid := coalesce(p_trainer_id, assignment.default_trainer_id());
  v_run_id uuid;
  v_active_id uuid;
  v_upper_id uuid;
  v_total bigint;
  v_is_estimate boolean := false;
begin
  perform assignment.require_visible_rows();
  if not exists (select from public.members where id = v_trainer_id) then
    raise exception 'trainer % is not a member', v_trainer_id using errcode = 'TA001';
  end if;

  loop
    insert into assignment.backfill_runs
      (trainer_id, dry_run, batch_rows, retry_of, only_failed, requested_by, status_changed_by, start_traceparent)
    values (
      v_trainer_id, p_dry_run, p_batch_rows, p_retry_of, p_only_failed, p_requested_by, p_requested_by, p_traceparent
    )
    on conflict (trainer_id) where status in ('running', 'paused') do nothing
    returning id into v_run_id;
    exit when found;

    select id into v_active_id
    from assignment.backfill_runs
    where trainer_id = v_trainer_id
      and status in ('running', 'paused');
    if found then
      raise exception 'run % for trainer % has not ended', v_active_id, v_trainer_id
        using errcode = 'TA005', detail = v_active_id::text;
    end if;
  end loop;

  if p_only_failed then
    select count(*) into v_total from assignment.backfill_errors where run_id = p_retry_of;
    select member_id into v_upper_id from assignment.backfill_errors where run_id = p_retry_of order by member_id desc limit 1;
  else
    -- Unique, not always a primary key: a null would sort above all ids.
    select id into v_upper_id from public.members where id is not null order by id desc limit 1;
    select count(*) into v_total from (select from public.members where id <= v_upper_id limit 1000001) as counted;
    if v_total > 1000000 then
      v_is_estimate := true;
      select greatest(v_total, sum(members)::bigint) into v_total from assignment.member_tables();
    end if;
  end if;

  update assignment.backfill_runs set total = v_total, total_is_estimate = v_is_estimate where id = v_run_id;
  if v_total > 0 then
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
    select v_run_id, lane, next_id, upper_id, includes_upper
    from assignment.plan_lanes(v_upper_id, case when p_only_failed then 1 else v_total end);
  end if;
  return v_run_id;
end;
$$;

create function assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text default null)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run record;
begin
  select r.trainer_id, r.status, p.failed, (select count(*) from assignment.backfill_errors where run_id = p_run_id) as recorded
  into v_run
  from assignment.backfill_runs r
  join assignment.backfill_progress p on p.id = r.id
  where r.id = p_run_id;

  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status in ('running', 'paused') then
    raise exception 'run % is % and can be retried once it has ended', p_run_id, v_run.status using errcode = 'TA006';
  elsif v_run.failed = 0 then
    raise exception 'run % has no failed members to retry', p_run_id using errcode = 'TA006';
  end if;

  -- More failed than were recorded: only a pass over everybody is sure to meet them all.
  return assignment.start_backfill(
    p_requested_by,
    v_run.trainer_id,
    p_retry_of => p_run_id,
    p_only_failed => v_run.failed = v_run.recorded,
    p_traceparent => p_traceparent
  );
end;
$$;

revoke execute on function assignment.member_tables() from public;
revoke execute on function assignment.plan_lanes(uuid, bigint) from public;
revoke execute on function assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text) from public;
revoke execute on function assignment.retry_backfill(uuid, text, text) from public;
comment on function assignment.member_tables() is
  'The table members, or the leaves of a partitioned one, each with the planner''s estimate of its rows; 0 before the first ANALYZE.';
comment on function assignment.plan_lanes(uuid, bigint) is
  'Up to 16 lanes cut at pg_stats.histogram_bounds of members.id, of all partitions together where there are any; one lane
without statistics or below 20,000 members.';
comment on function assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text) is
  'Starts a run and returns its id. Raises TA001 trainer not found, TA005 when the trainer has a run that has not ended (its id in the detail).';
comment on function assignment.retry_backfill(uuid, text, text) is
  'Starts a run over the failed members of an ended run. Raises TA007 no such run, TA006 not ended or nothing failed, TA005.';

-- migrate:down
drop function if exists assignment.retry_backfill(uuid, text, text);
drop function if exists assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text);
drop function if exists assignment.plan_lanes(uuid, bigint);
drop function if exists assignment.member_tables();
