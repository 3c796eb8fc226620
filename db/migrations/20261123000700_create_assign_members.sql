-- Inserts assignments, and ends those that they replace. Only the first attempt of the trigger (0900) inserts them without
-- this function.
-- It tries all pairs in one statement. If that fails, it tries again without the pairs that the error decides. If the error
-- decides none, it tries each half, down to the single pair that fails: k bad pairs of n cost about k·log2(n)
-- sub-transactions. It raises errors that say nothing about a pair, and the last error after p_max_attempts.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_members(
  p_request assignment.request,
  p_member_ids uuid[],
  p_trainer_ids uuid[],
  p_rules smallint[] default null,
  p_notes text[] default null,
  p_replaced_ids uuid[] default '{}',
  p_replaced_members uuid[] default '{}',
  p_max_attempts integer default null
)
  returns assignment.pairs_result
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- a session plans the check of a foreign key once, while members has few rows perhaps
  set jit = off
  language plpgsql
as $$
declare
  v_result assignment.pairs_result := ('{}', '{}', '{}', '{}');
  v_order integer[];  -- sorted: batches that insert the same keys in different orders deadlock
  v_lows integer[] := array[1];
  v_highs integer[];
  v_low integer;
  v_half integer;
  v_part integer[];
  v_without_seat integer[];
  v_ending uuid[];
  v_ended uuid[] := '{}';
  v_members uuid[];
  v_trainers uuid[];
  v_inserted integer;
  v_known integer[];
  v_left integer[];
  v_attempts integer := 0;
  v_sqlstate text;
  v_message text;
  v_constraint text;
  v_failure assignment.member_failure;
  v_refusal record;
begin
  v_order := array(
    select p.position::integer
    from unnest(p_member_ids, p_trainer_ids) with ordinality as p (member_id, trainer_id, position)
    order by p.member_id, p.trainer_id
  );
  v_highs := array[cardinality(v_order)];

  while cardinality(v_lows) > 0 loop
    v_low := v_lows[cardinality(v_lows)];
    v_part := v_order[v_low:v_highs[cardinality(v_highs)]];
    v_lows := trim_array(v_lows, 1);
    v_highs := trim_array(v_highs, 1);
    continue when cardinality(v_part) = 0;

    v_attempts := v_attempts + 1;
    v_members := array(select p_member_ids[i] from unnest(v_part) as i);
    v_trainers := array(select p_trainer_ids[i] from unnest(v_part) as i);
    begin
      -- In the same sub-transaction as the insert, so that whoever is not assigned takes no seat.
      if p_request.by_force then
        perform assignment.take_seats(v_trainers);
      else
        v_without_seat := assignment.claim_seats(v_trainers);
        if cardinality(v_without_seat) > 0 then
          v_known := assignment.find_assigned_pairs(v_members, v_trainers);  -- another session was faster
          v_result.full_pairs := v_result.full_pairs
            || array(select v_part[i] from unnest(v_without_seat) as i where i not in (select unnest(v_known)));
          v_part := array(
            select v_part[i] from generate_subscripts(v_part, 1) as i where i not in (select unnest(v_without_seat))
          );
          v_members := array(select p_member_ids[i] from unnest(v_part) as i);
          v_trainers := array(select p_trainer_ids[i] from unnest(v_part) as i);
        end if;
      end if;

      -- Likewise: whoever is not assigned keeps what would have been replaced.
      if p_replaced_ids <> '{}' then
        v_ending := array(
          select r.id
          from unnest(p_replaced_ids, p_replaced_members) as r (id, member_id)
          where r.member_id in (select unnest(v_members))
            and r.id not in (select unnest(v_ended))
        );
        if assignment.end_assignments(v_ending, p_request.purpose, p_request.actor, p_request.run_id) < cardinality(v_ending) then
          raise exception 'an assignment to replace has just been ended' using errcode = 'TA008';
        end if;
      end if;

      insert into public.trainer_client_assignments
        (trainer_id, client_id, notes, source, assigned_by, backfill_run_id, policy_version, rule)
      select
        p_trainer_ids[i],
        p_member_ids[i],
        coalesce(p_request.notes, n.note),
        p_request.source,
        p_request.actor,
        p_request.run_id,
        p_request.policy_version,
        nullif(p_rules[i], 0)
      from unnest(v_part) with ordinality as pair (i, place)
      left join unnest(p_notes) with ordinality as n (note, position) on n.position = pair.i
      order by pair.place
      on conflict (client_id, trainer_id) where status = 'active' do nothing;

      get diagnostics v_inserted = row_count;
      if v_inserted < cardinality(v_part) then
        raise exception 'a trigger or rule on trainer_client_assignments kept the row out' using errcode = 'TA008';
      end if;
      v_result.assigned := v_result.assigned || v_part;
      v_ended := v_ended || v_ending;
    exception when others or assert_failure then
      get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        v_message = message_text,
        v_constraint = constraint_name;
      v_known := case v_sqlstate
        when 'TA008' then
          assignment.find_assigned_pairs(v_members, v_trainers)
          || assignment.find_left_members(v_members, v_ending, p_replaced_ids, p_replaced_members)
      end;
      if v_known <> '{}' then  -- another session was faster, or nothing is to be done
        v_left := array(select i from generate_subscripts(v_part, 1) as i where i not in (select unnest(v_known)));
      elsif assignment.is_transient(v_sqlstate) then
        raise;
      elsif v_attempts >= p_max_attempts
        or (v_constraint = 'trainer_client_assignments_trainer_id_fkey' and p_trainer_ids[1] = all (p_trainer_ids))
      then
        v_failure := assignment.explain_refusal(null, v_sqlstate, v_message, v_constraint);
        raise exception using errcode = v_failure.sqlstate, message = v_failure.message;
      else
        v_refusal := assignment.judge_refusal(v_members, v_trainers, v_sqlstate, v_message, v_constraint);
        v_result.gone_ids := v_result.gone_ids || v_refusal.gone_ids;
        v_result.failures := v_result.failures || v_refusal.failures;
        v_left := v_refusal.undecided;
      end if;

      continue when v_left = '{}';
      if cardinality(v_left) = cardinality(v_part) then
        v_half := cardinality(v_part) / 2;
        v_lows := v_lows || array[v_low + v_half, v_low];
        v_highs := v_highs || array[v_low + cardinality(v_part) - 1, v_low + v_half - 1];
      else
        v_part := array(select v_part[i] from unnest(v_left) as i);
        v_lows := v_lows || v_low;
        v_highs := v_highs || v_low + cardinality(v_part) - 1;
      end if;
      v_order[v_low:v_low + cardinality(v_part) - 1] := v_part;
    end;
  end loop;
  return v_result;
end;
$$;

revoke execute on function
  assignment.assign_members(assignment.request, uuid[], uuid[], smallint[], text[], uuid[], uuid[], integer) from public;
comment on function
  assignment.assign_members(assignment.request, uuid[], uuid[], smallint[], text[], uuid[], uuid[], integer) is
  'Assigns the given, different pairs of member and trainer, each independently of the others, with the rule that chose the
pair (0: the default trainer; null: the trainer was named). p_notes: for each pair. p_replaced_ids: assignments of
p_replaced_members that end when a pair of the member is assigned, and only then. p_max_attempts limits the sub-transactions.
Raises transient errors; where all pairs have the same trainer, also a missing trainer (23503), and TA009 when the foreign
key of the trainer references another table.';

-- migrate:down
drop function if exists
  assignment.assign_members(assignment.request, uuid[], uuid[], smallint[], text[], uuid[], uuid[], integer);
