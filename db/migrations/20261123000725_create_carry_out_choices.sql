-- Assigns members as was chosen, and ends what the choices replace.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.carry_out_choices(
  p_request assignment.request,
  p_choices assignment.choice[],
  p_clients assignment.clients default null,
  p_max_attempts integer default null,
  out done assignment.choice[],
  out full_members uuid[],
  out full_trainers uuid[],
  out gone_ids uuid[],
  out failures assignment.member_failure[]
)
  volatile
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_members uuid[];
  v_trainers uuid[];
  v_rules smallint[];
  v_notes text[];
  v_replaced_ids uuid[] := '{}';
  v_replaced_members uuid[] := '{}';
  v_replaced_notes text[];
  v_pairs assignment.pairs_result;
begin
  select
    coalesce(array_agg(c.member_id), '{}'),
    coalesce(array_agg(c.trainer_id), '{}'),
    coalesce(array_agg(coalesce(c.rule, 0::smallint)), '{}')
  into v_members, v_trainers, v_rules
  from unnest(p_choices) as c
  where c.outcome = 'assign';

  if p_request.purpose = 'transfer' then
    v_replaced_ids := p_clients.assignment_ids;
    v_replaced_members := p_clients.member_ids;
    v_replaced_notes := p_clients.notes;
  elsif p_request.purpose = 'reassign' then
    select r.ids, r.member_ids, r.notes
    into v_replaced_ids, v_replaced_members, v_replaced_notes
    from assignment.find_replaced(p_choices) as r;
  end if;
  if exists (select from unnest(v_replaced_notes) as n (note) where n.note is not null) then
    v_notes := array(  -- of several that are replaced, one with notes
      select r.note
      from unnest(v_members) with ordinality as m (id, position)
      left join (
        select e.member_id, max(e.note) as note
        from unnest(v_replaced_members, v_replaced_notes) as e (member_id, note)
        group by e.member_id
      ) as r on r.member_id = m.id
      order by m.position
    );
  end if;

  if v_replaced_ids <> '{}' then
    perform assignment.lock_members(v_members || v_replaced_members || array(select distinct unnest(v_trainers)));
  end if;
  v_pairs := assignment.assign_members(
    p_request, v_members, v_trainers, v_rules, v_notes, v_replaced_ids, v_replaced_members, p_max_attempts
  );
  gone_ids := v_pairs.gone_ids;
  failures := v_pairs.failures;
  full_members := array(select v_members[i] from unnest(v_pairs.full_pairs) as i);
  full_trainers := array(select v_trainers[i] from unnest(v_pairs.full_pairs) as i);
  done := array(select c from unnest(p_choices) as c where c.outcome <> 'assign') || array(
    select row(
      v_members[i],
      v_trainers[i],
      nullif(v_rules[i], 0),
      case when i in (select unnest(v_pairs.assigned)) then 'assigned' else 'assign' end
    )::assignment.choice
    from generate_subscripts(v_members, 1) as i
    where i not in (select unnest(v_pairs.full_pairs))
  );

  -- Those who have a chosen trainer already, or got one from another session just now.
  if v_replaced_ids <> '{}' then
    select coalesce(array_agg(c.member_id), '{}'), coalesce(array_agg(coalesce(c.trainer_id, p_request.trainer_id)), '{}')
    into v_members, v_trainers
    from unnest(done) as c
    where c.member_id in (select unnest(v_replaced_members))
      and (c.outcome in ('assign', 'kept') or (c.outcome = 'already_assigned' and p_request.purpose = 'transfer'));
    if v_members <> '{}' then
      v_members := assignment.lock_assigned(v_members, v_trainers, p_request.from_trainer_id);
      perform assignment.end_assignments(
        array(
          select r.id
          from unnest(v_replaced_ids, v_replaced_members) as r (id, member_id)
          where r.member_id in (select unnest(v_members))
        ),
        p_request.purpose,
        p_request.actor,
        p_request.run_id
      );
    end if;
  end if;
end;
$$;

revoke execute on function assignment.carry_out_choices(assignment.request, assignment.choice[], assignment.clients, integer) from public;
comment on function assignment.carry_out_choices(assignment.request, assignment.choice[], assignment.clients, integer) is
  'Carries out what choose returned. done: the choices, with outcome assigned for pairs that were inserted, and without the
pairs whose trainer has no room: full_members, full_trainers. p_clients: of a transfer, as select_clients found them.
A member keeps what would be replaced until a chosen trainer is assigned. Raises as assign_members does.';

-- migrate:down
drop function if exists assignment.carry_out_choices(assignment.request, assignment.choice[], assignment.clients, integer);
