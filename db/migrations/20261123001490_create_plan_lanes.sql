-- Cuts the ids up to p_upper_id into ranges of about equally many members, using the planner's statistics. The ranges are
-- bounded by round ids, so that none stays here when its member is deleted.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.plan_lanes(p_upper_id uuid, p_members bigint)
  returns table (lane smallint, next_id uuid, upper_id uuid, includes_upper boolean)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  with samples as (
    -- The bounds of a table divide its members evenly, so each bound stands for the same number of them.
    select b.id, t.members / cardinality(h.ids) as members
    from assignment.member_tables() t
    join pg_class c on c.oid = t.relid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = 'id' and not s.inherited
    cross join lateral (select s.histogram_bounds::text::uuid[] as ids) as h
    cross join lateral unnest(h.ids) as b (id)
  ),
  inherited as (
    -- Statistics of the whole partitioned table, for when those of the partitions are missing or not readable.
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
    -- At least 10,000 members for each lane. 16 lanes are enough for eight replicas with two lanes each.
    select least(16, p_members / 10000) as lanes
  ),
  cuts as (
    select distinct round_id.id
    from wanted w
    cross join generate_series(1, w.lanes - 1) as cut (number)
    cross join lateral (
      select b.id
      from bounds b
      where b.members_below >= b.members * cut.number / w.lanes
      order by b.id
      limit 1
    ) as first_bound
    cross join lateral (select (left(first_bound.id::text, 32) || '0000')::uuid as id) as round_id
    where round_id.id > '00000000-0000-0000-0000-000000000000'
      and round_id.id <= p_upper_id
  ),
  starts as (
    select '00000000-0000-0000-0000-000000000000'::uuid as id
    union all
    select id from cuts
  )
  select
    (row_number() over by_id)::smallint,
    id,
    coalesce(lead(id) over by_id, (left(p_upper_id::text, 32) || 'ffff')::uuid),
    lead(id) over by_id is null
  from starts
  window by_id as (order by id)
$$;

revoke execute on function assignment.plan_lanes(uuid, bigint) from public;
comment on function assignment.plan_lanes(uuid, bigint) is
  'Up to 16 lanes, cut at pg_stats.histogram_bounds of members.id, across all partitions.
One lane without statistics or with fewer than 20,000 members.';

-- migrate:down
drop function if exists assignment.plan_lanes(uuid, bigint);
