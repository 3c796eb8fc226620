-- Inserts assignments. Only the first attempt of the trigger (0900) inserts them without this function.
-- It tries the whole array in one statement. If that fails, it tries again without the members that the error decides.
-- If the error decides none, it tries each half, down to the single row that fails: k bad rows of n cost about k·log2(n)
-- sub-transactions. It raises errors that say nothing about a row, and the last error after p_max_attempts.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_members(
  p_member_ids uuid[],
  p_trainer_id uuid,
  p_source text,
  p_notes text default null,
  p_run_id uuid default null,
  p_keep_ended boolean default false,
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_result assignment.batch_result := (0, 0, 0, 0, 0, '{}');
  v_ids uuid[];  -- sorted: batches that insert the same keys in different orders deadlock
  v_lows integer[] := array[1];
  v_highs integer[];
  v_low integer;
  v_high integer;
  v_middle integer;
  v_attempts integer := 0;
  v_successful integer;
  v_sqlstate text;
  v_message text;
  v_constraint text;
  v_failure assignment.member_failure;
  v_refusal record;
  v_undecided integer;
begin
  if p_keep_ended then
    select unassigned, already_assigned, ended, is_trainer
    into v_ids, v_result.already_assigned, v_result.ended, v_result.is_trainer
    from assignment.sort_members(p_member_ids, p_trainer_id);
  else
    v_ids := array(select distinct id from unnest(p_member_ids) as asked (id) where id <> p_trainer_id order by id);
    v_result.is_trainer := (p_trainer_id = any (p_member_ids))::integer;
  end if;

  v_highs := array[cardinality(v_ids)];
  if v_highs[1] = 0 then
    return v_result;
  end if;

  while cardinality(v_lows) > 0 loop
    v_low := v_lows[cardinality(v_lows)];
    v_high := v_highs[cardinality(v_highs)];
    v_lows := trim_array(v_lows, 1);
    v_highs := trim_array(v_highs, 1);
    v_attempts := v_attempts + 1;
    begin
      insert into public.trainer_client_assignments (trainer_id, client_id, notes, source, backfill_run_id)
      select p_trainer_id, asked.id, p_notes, p_source, p_run_id
      from unnest(v_ids[v_low:v_high]) as asked (id)
      order by asked.id
      on conflict (client_id, trainer_id) where status = 'active' do nothing;

      get diagnostics v_successful = row_count;
      if v_successful < v_high - v_low + 1
        and cardinality((assignment.sort_members(v_ids[v_low:v_high], p_trainer_id)).unassigned) > 0
      then
        raise exception 'a trigger or rule on trainer_client_assignments kept the row out' using errcode = 'TA008';
      end if;
      v_result.successful := v_result.successful + v_successful;
      v_result.already_assigned := v_result.already_assigned + (v_high - v_low + 1 - v_successful);
    exception when others or assert_failure then
      get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        v_message = message_text,
        v_constraint = constraint_name;
      if assignment.is_transient(v_sqlstate) then
        raise;
      elsif v_attempts >= p_max_attempts or v_constraint = 'trainer_client_assignments_trainer_id_fkey' then
        v_failure := assignment.explain_refusal(null, v_sqlstate, v_message, v_constraint);
        raise exception using errcode = v_failure.sqlstate, message = v_failure.message;
      end if;

      v_refusal := assignment.judge_refusal(v_ids[v_low:v_high], v_sqlstate, v_message, v_constraint);
      v_result.member_gone := v_result.member_gone + v_refusal.gone;
      v_result.failures := v_result.failures || v_refusal.failures;
      v_undecided := cardinality(v_refusal.undecided_ids);
      if v_undecided = v_high - v_low + 1 then
        v_middle := (v_low + v_high) / 2;
        v_lows := v_lows || array[v_middle + 1, v_low];
        v_highs := v_highs || array[v_high, v_middle];
      elsif v_undecided > 0 then
        v_high := v_low + v_undecided - 1;
        v_ids[v_low:v_high] := v_refusal.undecided_ids;
        v_lows := v_lows || v_low;
        v_highs := v_highs || v_high;
      end if;
    end;
  end loop;
  return v_result;
end;
$$;

revoke execute on function assignment.assign_members(uuid[], uuid, text, text, uuid, boolean, integer) from public;
comment on function assignment.assign_members(uuid[], uuid, text, text, uuid, boolean, integer) is
  'Assigns each given member to a trainer, independently of the others, and counts the results.
p_keep_ended: skips members whose assignment to this trainer was ended. p_max_attempts limits the sub-transactions.
Raises transient errors, a missing trainer (23503), and TA009 when the foreign key of the trainer references another table.';

-- migrate:down
drop function if exists assignment.assign_members(uuid[], uuid, text, text, uuid, boolean, integer);
