-- Looks at what a transfer would do. Writes nothing, and needs no run.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.preview_transfer(
  p_from_trainer_id uuid,
  p_trainer_id uuid default null,
  p_member_ids uuid[] default null,
  p_condition jsonb default null,
  p_max_clients integer default 10000,
  p_listed integer default 50
)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_clients bigint;
  v_ids uuid[];
  v_chosen record;
begin
  v_run.kind := 'transfer';
  v_run.from_trainer_id := p_from_trainer_id;
  v_run.trainer_id := p_trainer_id;
  v_run.condition := p_condition;
  v_run.policy_version := assignment.check_transfer(p_from_trainer_id, p_trainer_id, p_condition);

  select count(*) into v_clients
  from public.trainer_client_assignments a
  where a.trainer_id = p_from_trainer_id
    and a.status = 'active';
  v_ids := coalesce(p_member_ids, array(
    select a.client_id
    from public.trainer_client_assignments a
    where a.trainer_id = p_from_trainer_id
      and a.status = 'active'
    order by a.id
    limit p_max_clients
  ));
  select * into v_chosen from assignment.choose_transfer(v_run, v_ids);

  return (
    with decided as materialized (
      select c.member_id, c.trainer_id, c.rule, c.outcome, c.place
      from unnest(v_chosen.choices) with ordinality as c (member_id, trainer_id, rule, outcome, place)
    ),
    members as (
      select
        d.member_id,
        min(d.place) as place,
        bool_or(d.outcome in ('assign', 'already_assigned')) as moves,
        min(d.outcome) as outcome,
        coalesce(jsonb_agg(d.trainer_id order by d.place) filter (where d.trainer_id is not null), '[]') as trainer_ids
      from decided d
      group by d.member_id
    ),
    listed as (
      select m.*, row_number() over (partition by m.moves order by m.place) as n
      from members m
    )
    select jsonb_build_object(
      'clients', v_clients,
      'looked_at', cardinality(v_ids),
      'selected', v_chosen.selected,
      'moved', (select count(*) from members m where m.moves),
      'shares', coalesce((
        select jsonb_agg(
          jsonb_build_object('trainer_id', s.trainer_id, 'outcome', s.outcome, 'members', s.members)
          order by s.members desc, s.trainer_id
        )
        from (
          select d.trainer_id, d.outcome, count(*) as members
          from decided d
          group by d.trainer_id, d.outcome
        ) as s
      ), '[]'),
      'listed', coalesce((
        select jsonb_agg(
          jsonb_build_object(
            'member_id', l.member_id, 'moves', l.moves, 'outcome', l.outcome, 'trainer_ids', l.trainer_ids
          )
          order by l.place
        )
        from listed l
        where l.n <= p_listed
      ), '[]')
    )
  );
end;
$$;

revoke execute on function assignment.preview_transfer(uuid, uuid, uuid[], jsonb, integer, integer) from public;
comment on function assignment.preview_transfer(uuid, uuid, uuid[], jsonb, integer, integer) is
  'What a transfer would do with the first p_max_clients clients of p_from_trainer_id, or with p_member_ids: clients (all), looked_at,
selected, moved, shares (members by trainer and outcome), and the first p_listed who would move and who would stay.
Raises as check_transfer does.';

-- migrate:down
drop function if exists assignment.preview_transfer(uuid, uuid, uuid[], jsonb, integer, integer);
