-- SCHEMA: assignment

CREATE SCHEMA assignment;

-- TYPE: assignment.member_failure

CREATE TYPE assignment.member_failure AS (
	member_id uuid,
	sqlstate text,
	message text
);

COMMENT ON TYPE assignment.member_failure IS 'A member who could not be assigned, with the error.';

-- TYPE: assignment.batch_result

CREATE TYPE assignment.batch_result AS (
	successful integer,
	already_assigned integer,
	ended integer,
	is_trainer integer,
	member_gone integer,
	failures assignment.member_failure[]
);

COMMENT ON TYPE assignment.batch_result IS 'Counts of a batch: newly assigned; already assigned; assigned once and ended since; the trainer; no longer existing.
Then the members that failed.';

-- FUNCTION: assignment.admit(regclass, name, name, text)

CREATE FUNCTION assignment.admit(p_table regclass, p_role name, p_policy name, p_command text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_roles oid[];
  v_names text;
begin
  select polroles into v_roles from pg_policy where polrelid = p_table and polname = p_policy;
  if v_roles is null then
    execute format('create policy %I on %s for %s to %I using (true)', p_policy, p_table, p_command, p_role);
  elsif not (select oid = any (v_roles) from pg_roles where rolname = p_role) then
    select string_agg(quote_ident(rolname), ', ' order by rolname) into v_names
    from pg_roles
    where oid = any (v_roles) or rolname = p_role;
    execute format('alter policy %I on %s to %s', p_policy, p_table, v_names);
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.admit(p_table regclass, p_role name, p_policy name, p_command text) IS 'Lets a role see every row (p_command select), or also change it (all), when row-level security is on.
It grants no rights.';

-- FUNCTION: assignment.assign_member(uuid, uuid, text, text)

CREATE FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid DEFAULT NULL::uuid, p_notes text DEFAULT NULL::text, p_source text DEFAULT 'manual'::text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_result assignment.batch_result;
begin
  trainer_id := coalesce(p_trainer_id, assignment.default_trainer_id());
  if not exists (select from public.members m where m.id = p_member_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  elsif not exists (select from public.members m where m.id = assign_member.trainer_id) then
    perform assignment.require_visible_rows();
    raise exception 'trainer % is not a member', trainer_id using errcode = 'TA001';
  elsif trainer_id = p_member_id then
    raise exception 'member % cannot be their own trainer', p_member_id using errcode = 'TA003';
  end if;

  for v_try in 1..3 loop
    begin
      select * into v_result from assignment.assign_members(array[p_member_id], trainer_id, p_source, p_notes);
    exception when sqlstate 'TA009' then
      raise exception 'member % could not be assigned: %', p_member_id, sqlerrm using errcode = 'TA004', detail = 'TA009';
    end;
    if v_result.member_gone > 0 then
      raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
    elsif cardinality(v_result.failures) > 0 then
      raise exception 'member % could not be assigned: %', p_member_id, v_result.failures[1].message
        using errcode = 'TA004', detail = v_result.failures[1].sqlstate;
    end if;
    assigned := v_result.successful = 1;

    select a.id, a.assignment_date, a.source, a.notes
    into assign_member.id, assign_member.assignment_date, assign_member.source, assign_member.notes
    from public.trainer_client_assignments a
    where a.client_id = p_member_id
      and a.trainer_id = assign_member.trainer_id
      and a.status = 'active';
    exit when found;  -- otherwise the existing assignment was ended meanwhile
  end loop;
  if id is null then
    raise exception 'member % could not be assigned: no active assignment remains', p_member_id
      using errcode = 'TA004', detail = 'TA008';
  end if;

  -- Skips a locked failure: the retry that holds it finds the member assigned, and may be waiting for this transaction.
  delete from assignment.failures f
  where f.member_id = (select member_id from assignment.failures where member_id = p_member_id for update skip locked)
    and assign_member.trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings));
end;
$$;

COMMENT ON FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) IS 'Assigns one member to a trainer, by default the default trainer. assigned is false when the assignment already existed.
An ended assignment gets a new row.
Raises TA001 trainer not found, TA002 member not found, TA003 member is the trainer, TA004 failed (SQLSTATE in detail).';

-- FUNCTION: assignment.assign_members(uuid[], uuid, text, text, uuid, boolean, integer)

CREATE FUNCTION assignment.assign_members(p_member_ids uuid[], p_trainer_id uuid, p_source text, p_notes text DEFAULT NULL::text, p_run_id uuid DEFAULT NULL::uuid, p_keep_ended boolean DEFAULT false, p_max_attempts integer DEFAULT NULL::integer) RETURNS assignment.batch_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION assignment.assign_members(p_member_ids uuid[], p_trainer_id uuid, p_source text, p_notes text, p_run_id uuid, p_keep_ended boolean, p_max_attempts integer) IS 'Assigns each given member to a trainer, independently of the others, and counts the results.
p_keep_ended: skips members whose assignment to this trainer was ended. p_max_attempts limits the sub-transactions.
Raises transient errors, a missing trainer (23503), and TA009 when the foreign key of the trainer references another table.';

-- FUNCTION: assignment.assign_or_record(uuid[], text, uuid)

CREATE FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid DEFAULT NULL::uuid) RETURNS assignment.member_failure[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_trainer_id uuid := p_trainer_id;
  v_failures assignment.member_failure[];
  v_gone_ids uuid[];
  v_sqlstate text;
  v_message text;
begin
  begin
    v_trainer_id := coalesce(p_trainer_id, assignment.default_trainer_id());
    select failures into v_failures
    from assignment.assign_members(
      p_member_ids,
      v_trainer_id,
      p_source,
      p_keep_ended => p_source <> 'trigger',  -- a new member has no ended assignment: saves a query
      p_max_attempts => 1000
    );
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    begin
      v_gone_ids := assignment.find_gone_members(p_member_ids);
    exception when others or assert_failure then
      null;  -- whoever is gone is recorded as well, and the retry finds out
    end;
    v_failures := array(
      select row(present.id, v_sqlstate, left(v_message, 1000))::assignment.member_failure
      from (select unnest(p_member_ids) except select unnest(v_gone_ids)) as present (id)
    );
  end;

  if cardinality(v_failures) > 0 then
    begin
      insert into assignment.failures (member_id, trainer_id, requested_trainer_id, sqlstate, message, source)
      select member_id, v_trainer_id, p_trainer_id, sqlstate, message, p_source
      from unnest(v_failures)
      order by member_id
      on conflict (member_id) do update set
        trainer_id = excluded.trainer_id,
        requested_trainer_id = excluded.requested_trainer_id,
        sqlstate = excluded.sqlstate,
        message = excluded.message,
        source = excluded.source,
        attempts = least(failures.attempts, 2147483646) + 1,
        last_failed_at = excluded.last_failed_at,
        next_attempt_at = excluded.next_attempt_at;
    exception when others or assert_failure then
      raise warning 'trainer assignment: % new member(s), the first %, are neither assigned nor recorded as failed: %',
        cardinality(v_failures), v_failures[1].member_id, sqlerrm
        using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
    end;
  end if;
  return v_failures;
end;
$$;

COMMENT ON FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid) IS 'Assigns members to the default trainer, or to p_trainer_id, and records in assignment.failures who could not be assigned.
Returns those. Ended assignments stay ended. Waits at most 250 ms for a lock. Never raises, except when the caller cancels
the statement or its statement_timeout expires.';

-- FUNCTION: assignment.await_lanes(uuid)

CREATE FUNCTION assignment.await_lanes(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
begin
  perform from assignment.backfill_lanes where run_id = p_run_id order by lane for share;
end;
$$;

COMMENT ON FUNCTION assignment.await_lanes(p_run_id uuid) IS 'Returns once no step holds a lane of the run. Its counters then no longer change, unless it is running.';

-- FUNCTION: assignment.backfill_step(uuid)

CREATE FUNCTION assignment.backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_began timestamptz := clock_timestamp();
  v_lane assignment.backfill_lanes;
  v_run assignment.backfill_runs;
  v_rows integer;
  v_ids uuid[];
  v_next_id uuid;
  v_result assignment.batch_result;
begin
  members := 0;
  select * into v_lane
  from assignment.backfill_lanes l
  where l.run_id = p_run_id
    and not l.done
  order by l.lane
  limit 1
  for update skip locked;
  lane := v_lane.lane;

  -- Read after locking the lane: once a run is paused and await_lanes has returned, no further batch begins.
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.dry_run then
    raise exception 'run % is a dry run: use preview_step and record_preview', p_run_id using errcode = 'TA006';
  elsif v_run.status <> 'running' then
    work := 'stopped';
    return;
  elsif v_lane is null then
    if exists (select from assignment.backfill_lanes l where l.run_id = p_run_id and not l.done) then
      work := 'busy';
    else
      select * into work, members from assignment.finish_backfill(p_run_id);
    end if;
    return;
  end if;

  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;

  v_rows := coalesce(v_run.batch_rows, v_lane.batch_rows);
  v_ids := assignment.next_members(v_lane, case when v_run.only_failed then v_run.retry_of end, v_rows);
  v_next_id := v_ids[v_rows + 1];
  v_ids := v_ids[:v_rows];
  members := cardinality(v_ids);

  select * into v_result
  from assignment.assign_members(v_ids, v_run.trainer_id, 'backfill', p_run_id => p_run_id, p_keep_ended => true);
  perform assignment.record_backfill_errors(p_run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane, v_next_id, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result
  );
  work := 'batch';
end;
$$;

COMMENT ON FUNCTION assignment.backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer) IS 'Does the next piece of work of a run and returns which: batch (members of a lane), busy (other steps hold all remaining
lanes), swept (members that the proof found), finished, stopped (not running).
Raises TA007 run not found, TA006 dry run. Any other error undoes the whole batch: call again.';

-- FUNCTION: assignment.change_backfill_status(uuid, text, text, text, text)

CREATE FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text DEFAULT NULL::text, p_traceparent text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
declare
  v_from text;
begin
  select status into v_from from assignment.backfill_runs where id = p_run_id for no key update;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_from not in ('running', 'paused') or p_to not in ('running', 'paused', 'cancelled') or v_from = p_to then
    -- checked here: if the trainer has another run, the unique index would raise first, with a less clear message
    raise exception 'a backfill run that is % cannot become %', v_from, p_to using errcode = 'TA006';
  end if;

  update assignment.backfill_runs
  set status = p_to,
    status_changed_by = p_actor,
    status_reason = p_reason,
    finished_at = case when p_to = 'cancelled' then clock_timestamp() end,
    throttled_because = null,
    tries = 0,
    resume_traceparent = case p_to when 'running' then p_traceparent else resume_traceparent end
  where id = p_run_id;
end;
$$;

COMMENT ON FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text) IS 'Sets the status of a run to p_to: running, paused or cancelled.
Raises TA006 the current status does not allow it, TA007 run not found.';

-- FUNCTION: assignment.claim_new_failures(integer)

CREATE FUNCTION assignment.claim_new_failures(p_limit integer DEFAULT 500) RETURNS TABLE(member_id uuid, trainer_id uuid, sqlstate text, message text, source text, attempts integer, first_failed_at timestamp with time zone, last_failed_at timestamp with time zone, next_attempt_at timestamp with time zone)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  update assignment.failures f
  set logged_at = now()
  from (
    select n.member_id
    from assignment.failures n
    where n.logged_at is null
    order by n.member_id
    limit p_limit
    for update skip locked
  ) as new
  where f.member_id = new.member_id
  returning
    f.member_id,
    f.trainer_id,
    f.sqlstate,
    f.message,
    f.source,
    f.attempts,
    f.first_failed_at,
    f.last_failed_at,
    f.next_attempt_at
$$;

COMMENT ON FUNCTION assignment.claim_new_failures(p_limit integer) IS 'Marks up to p_limit failures as logged and returns them, for the log.';

-- FUNCTION: assignment.close_table(regclass)

CREATE FUNCTION assignment.close_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform assignment.take_back_defaults(p_table);
  perform assignment.admit(p_table, pg_get_userbyid(relowner), 'owner_does_all', 'all')
  from pg_class
  where oid = p_table;
end;
$$;

COMMENT ON FUNCTION assignment.close_table(p_table regclass) IS 'Takes back what default privileges granted on a new table, and lets its owner see every row even when row-level
security is forced.';

-- FUNCTION: assignment.default_grantees(oid, oid, "char")

CREATE FUNCTION assignment.default_grantees(p_owner oid, p_schema oid, p_type "char") RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select distinct case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
  from pg_default_acl d
  cross join aclexplode(d.defaclacl) a
  where d.defaclrole = p_owner
    and d.defaclnamespace in (0, p_schema)
    and d.defaclobjtype = p_type
    and a.grantee <> p_owner
    and (a.grantee <> 0 or p_type <> 'f')
$$;

COMMENT ON FUNCTION assignment.default_grantees(p_owner oid, p_schema oid, p_type "char") IS 'Roles that ALTER DEFAULT PRIVILEGES gives rights on new objects of this owner in this schema.
p_type: as pg_default_acl.defaclobjtype (r table, f function, n schema).';

-- FUNCTION: assignment.default_trainer_id()

CREATE FUNCTION assignment.default_trainer_id() RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_trainer_id uuid;
begin
  select default_trainer_id into v_trainer_id from assignment.settings;
  if v_trainer_id is null then
    perform assignment.require_visible_rows();
    raise exception 'no default trainer is configured'
      using errcode = 'TA001', hint = 'Set one: PUT /v1/settings {"defaultTrainerId": "…"}';
  end if;
  return v_trainer_id;
end;
$$;

COMMENT ON FUNCTION assignment.default_trainer_id() IS 'The trainer of new members. Raises TA001 when none is set.';

-- FUNCTION: assignment.describe_misplaced_key(text)

CREATE FUNCTION assignment.describe_misplaced_key(p_constraint text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select format(
    'foreign key %1$I of trainer_client_assignments points at %2$s (%3$I), not at public.members (id). Run: '
    'alter table public.trainer_client_assignments drop constraint %1$I, '
    'add constraint %1$I foreign key (%4$I) references public.members (id) on update cascade%5$s not valid; '
    'alter table public.trainer_client_assignments validate constraint %1$I;',
    c.conname,
    c.confrelid::regclass,
    referenced.attname,
    referencing.attname,
    case c.conname when 'trainer_client_assignments_client_id_fkey' then ' on delete cascade' else '' end
  )
  from pg_constraint c
  join pg_attribute referenced on referenced.attrelid = c.confrelid and referenced.attnum = c.confkey[1]
  join pg_attribute referencing on referencing.attrelid = c.conrelid and referencing.attnum = c.conkey[1]
  where c.conrelid = to_regclass('public.trainer_client_assignments')
    and c.contype = 'f'
    and c.conparentid = 0
    and c.conname = p_constraint
    and c.conname in ('trainer_client_assignments_client_id_fkey', 'trainer_client_assignments_trainer_id_fkey')
    and (c.confrelid is distinct from to_regclass('public.members') or referenced.attname <> 'id')
$_$;

COMMENT ON FUNCTION assignment.describe_misplaced_key(p_constraint text) IS 'Says which table a foreign key of trainer_client_assignments references instead of public.members (id), and how to
repair it. Null: the key is right.';

-- FUNCTION: assignment.describe_search_path()

CREATE FUNCTION assignment.describe_search_path() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select format(
    'Triggers on trainer_client_assignments run with search_path = pg_catalog, pg_temp: '
    'write names there with their schema, or run: %s',
    string_agg(
      distinct format('alter function %s set search_path = public, pg_temp;', t.tgfoid::regprocedure), ' '
    )
  )
  from pg_trigger t
  join pg_proc p on p.oid = t.tgfoid
  where t.tgrelid = to_regclass('public.trainer_client_assignments')
    and not t.tgisinternal
    and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%')
  having count(*) > 0
$$;

COMMENT ON FUNCTION assignment.describe_search_path() IS 'What to do about triggers on trainer_client_assignments whose functions set no search_path. Null: there are none.';

-- FUNCTION: assignment.end_assignment(uuid, uuid)

CREATE FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
begin
  update public.trainer_client_assignments
  set status = 'inactive', ended_at = now()
  where client_id = p_member_id
    and trainer_id = p_trainer_id
    and status = 'active';
  return found;
end;
$$;

COMMENT ON FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid) IS 'Ends the active assignment of a member to a trainer: its status becomes inactive. False when there is none.';

-- FUNCTION: assignment.end_session(uuid, timestamp with time zone)

CREATE FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
begin
  insert into assignment.ended_sessions (id, expires_at) values (p_id, p_expires_at) on conflict (id) do nothing;

  -- One hour after they expire, because the clocks of replicas differ.
  delete from assignment.ended_sessions
  where id in (
    select id
    from assignment.ended_sessions
    where expires_at < now() - interval '1 hour'
    order by id
    limit 100
    for update skip locked
  );
end;
$$;

COMMENT ON FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone) IS 'Records that a session has ended, and deletes up to 100 expired ones.';

-- FUNCTION: assignment.explain_hidden_rows(name)

CREATE FUNCTION assignment.explain_hidden_rows(p_role name DEFAULT CURRENT_USER) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select format('row-level security hides rows of %s from %I: ', string_agg(name::text, ', ' order by name::text), p_role)
    || case
      when bool_or(is_members) then format(
        'give that role BYPASSRLS, or run as the owner of members: create policy %I on public.members for select to %I using (true)',
        left(p_role, 57) || '_reads', p_role
      )
      else 'run as the owner of the schema assignment: select assignment.grant_service(''…the role of the service…'')'
    end
  from (
    select name, false as is_members from assignment.own_tables() as own (name)
    union all
    select to_regclass('public.members'), true
  ) as used
  where assignment.hides_rows(name, p_role)
  having count(*) > 0
$$;

COMMENT ON FUNCTION assignment.explain_hidden_rows(p_role name) IS 'Names the tables that hide rows from the role, and how to change that. Null: none does.';

-- FUNCTION: assignment.explain_refusal(uuid, text, text, text)

CREATE FUNCTION assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text) RETURNS assignment.member_failure
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_misplaced_key text;
  v_search_path text;
begin
  if p_sqlstate = '23503' then
    v_misplaced_key := assignment.describe_misplaced_key(p_constraint);
  elsif p_sqlstate in ('42P01', '42704', '42883')  -- table, type or function not found
    and p_message !~ '\m(assignment|public)\.'  -- a name with a schema does not depend on search_path
  then
    v_search_path := assignment.describe_search_path();
  end if;
  return row(
    p_member_id,
    case when v_misplaced_key is null then p_sqlstate else 'TA009' end,
    left(coalesce(v_misplaced_key, left(p_message, 500) || '. ' || v_search_path, p_message), 1000)
  );
end;
$$;

COMMENT ON FUNCTION assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text) IS 'The failure to record for an error: TA009 when a foreign key references another table, else the error itself,
with advice where there is some.';

-- FUNCTION: assignment.find_backfill_pressure(integer)

CREATE FUNCTION assignment.find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_lag_ms double precision;
  v_standby text;
  v_waiters integer;
begin
  if pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
    select lag_ms, standby into v_lag_ms, v_standby from assignment.find_replica_lag(p_max_replica_lag_ms);
    replica_lag := coalesce(round((v_lag_ms / 1000)::numeric, 1) || ' s', 'none');
  else
    replica_lag := 'unavailable';
  end if;

  select count(*) into v_waiters
  from pg_catalog.pg_locks
  where not granted
    and relation in (to_regclass('public.members'), to_regclass('public.trainer_client_assignments'))
    and database = (select oid from pg_catalog.pg_database where datname = current_database());
  lock_waiters := v_waiters::text;

  throttle_because := case
    when v_lag_ms > p_max_replica_lag_ms
    then format('replica lag %s > %s s (%s)', replica_lag, round(p_max_replica_lag_ms / 1000.0, 1)::float8, v_standby)
    when v_waiters > 0
    then v_waiters || case v_waiters when 1 then ' session waits for a lock' else ' sessions wait for locks' end
      || ' on members or assignments'
  end;
end;
$$;

COMMENT ON FUNCTION assignment.find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text) IS 'Why backfills should wait now (null: they need not), and the measurements: a value, none, or unavailable (no permission).';

-- FUNCTION: assignment.find_gone_members(uuid[])

CREATE FUNCTION assignment.find_gone_members(p_member_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  return array(
    select asked.id
    from unnest(p_member_ids) as asked (id)
    where (select m.id from public.members m where m.id = asked.id limit 1) is null
    order by asked.id
  );
exception when insufficient_privilege or undefined_table or undefined_column then
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.find_gone_members(p_member_ids uuid[]) IS 'The given members whose id is not in public.members. Null when the owner of this function cannot see all rows.';

-- FUNCTION: assignment.find_locked_members(uuid[])

CREATE FUNCTION assignment.find_locked_members(p_member_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_free_ids uuid[];
begin
  v_free_ids := array(
    select id from public.members where id = any (p_member_ids) order by id for key share skip locked
  );
  return array(
    select id from public.members where id = any (p_member_ids) and id <> all (v_free_ids) order by id
  );
exception when insufficient_privilege then  -- locking rows needs the right to update
  return '{}';
end;
$$;

COMMENT ON FUNCTION assignment.find_locked_members(p_member_ids uuid[]) IS 'The given members whose row another session has locked, so that no assignment can reference it. Locks the other rows
as a foreign key does. Empty when the owner of this function may not update members.';

-- FUNCTION: assignment.find_refused_members(uuid[], text)

CREATE FUNCTION assignment.find_refused_members(p_member_ids uuid[], p_constraint text) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
declare
  v_known text;
  v_refused_ids uuid[] := '{}';
begin
  if assignment.describe_misplaced_key(p_constraint) is null then
    return v_refused_ids;
  end if;
  select format('select from %s where %I = asked.id', c.confrelid::regclass, a.attname) into v_known
  from pg_constraint c
  join pg_attribute a on a.attrelid = c.confrelid and a.attnum = c.confkey[1]
  where c.conrelid = 'public.trainer_client_assignments'::regclass
    and c.conname = p_constraint;
  execute format(
    'select array(select asked.id from unnest($1) as asked (id) where not exists (%s) order by asked.id)', v_known
  )
  into v_refused_ids
  using p_member_ids;
  return v_refused_ids;
exception when insufficient_privilege then
  return '{}';
end;
$_$;

COMMENT ON FUNCTION assignment.find_refused_members(p_member_ids uuid[], p_constraint text) IS 'The given members that the key refuses because it references another table. Empty when the key is right, or when
the owner of this function may not read that table.';

-- FUNCTION: assignment.find_replica_lag(integer)

CREATE FUNCTION assignment.find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_patience_ends timestamptz := clock_timestamp() + interval '500 milliseconds';
  v_first_replies jsonb := (select jsonb_object_agg(pid, reply_time) from pg_catalog.pg_stat_replication);
  v_is_silent boolean;
begin
  loop
    select
      lag.ms,
      format(
        '%s at %s%s, %s behind',
        coalesce(nullif(r.application_name, ''), 'a standby'),
        coalesce(host(r.client_addr), 'a local socket'),
        case when lag.is_silence then ' does not answer' else '' end,
        pg_size_pretty(pg_wal_lsn_diff(primary_log.written, r.replay_lsn))
      ),
      lag.is_silence
    into lag_ms, standby, v_is_silent
    from pg_catalog.pg_stat_replication r
    cross join (select pg_catalog.pg_current_wal_flush_lsn() as written) as primary_log
    cross join lateral (
      select extract(epoch from r.replay_lag) * 1000 as ms, false as is_silence
      union all
      select extract(epoch from clock_timestamp() - r.reply_time) * 1000, true
      where r.write_lsn < primary_log.written
        and r.reply_time = (v_first_replies ->> r.pid::text)::timestamptz
    ) as lag
    where r.replay_lsn < primary_log.written
      and lag.ms > 0
      and not exists (
        select from pg_catalog.pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical'
      )
    order by lag.ms desc, r.pid
    limit 1;
    exit when v_is_silent is not true or lag_ms <= p_max_lag_ms or clock_timestamp() >= v_patience_ends;
    perform pg_sleep(0.02);
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text) IS 'The greatest lag of a standby in milliseconds, and a description of that standby. Null when none lags.
Waits up to half a second for a standby that has been silent for longer than p_max_lag_ms. Needs pg_read_all_stats.';

-- FUNCTION: assignment.uuid_v7()

CREATE FUNCTION assignment.uuid_v7() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    AS $$
      select encode(
        int8send(((us / 1000) << 16) | (7 << 12) | ((us % 1000) * 4096 / 1000))
          || substring(uuid_send(gen_random_uuid()) from 9),
        'hex'
      )::uuid
      from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us) as instant
    $$;

COMMENT ON FUNCTION assignment.uuid_v7() IS 'Returns a new UUID version 7. It sorts by the time of its creation.';

-- TABLE: assignment.backfill_runs

CREATE TABLE assignment.backfill_runs (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    trainer_id uuid NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    status_changed_by text NOT NULL,
    status_reason text,
    dry_run boolean DEFAULT false NOT NULL,
    batch_rows integer,
    retry_of uuid,
    only_failed boolean DEFAULT false NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    total bigint DEFAULT 0 NOT NULL,
    total_is_estimate boolean DEFAULT false NOT NULL,
    remaining bigint,
    sweeps smallint DEFAULT 0 NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    throttled_because text,
    replica_lag text,
    lock_waiters text,
    start_traceparent text,
    resume_traceparent text,
    CONSTRAINT batch_rows_is_bounded CHECK (((batch_rows >= 1) AND (batch_rows <= 20000))),
    CONSTRAINT finished_at_belongs_to_ended CHECK (((finished_at IS NULL) = (status = ANY (ARRAY['running'::text, 'paused'::text])))),
    CONSTRAINT only_failed_is_a_retry CHECK (((NOT only_failed) OR (retry_of IS NOT NULL))),
    CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['running'::text, 'paused'::text, 'cancelled'::text, 'succeeded'::text, 'completed_with_errors'::text])))
);

COMMENT ON TABLE assignment.backfill_runs IS 'Backfill runs. Each passes over all members and assigns those without an assignment to its trainer.';

COMMENT ON COLUMN assignment.backfill_runs.status IS 'running, paused, cancelled, succeeded, or completed_with_errors. The last three end the run.';

COMMENT ON COLUMN assignment.backfill_runs.status_changed_by IS 'Who set the current status. Set it with every change of status.';

COMMENT ON COLUMN assignment.backfill_runs.status_reason IS 'Why the status changed. Null: no reason was given.';

COMMENT ON COLUMN assignment.backfill_runs.dry_run IS 'Only counts what a real run would do, and assigns nobody.';

COMMENT ON COLUMN assignment.backfill_runs.batch_rows IS 'Fixed number of rows in a batch. Null: adapted to the speed of the database.';

COMMENT ON COLUMN assignment.backfill_runs.retry_of IS 'The ended run that this run retries.';

COMMENT ON COLUMN assignment.backfill_runs.only_failed IS 'Processes only the members in backfill_errors of retry_of, instead of all members.';

COMMENT ON COLUMN assignment.backfill_runs.requested_by IS 'Who started the run.';

COMMENT ON COLUMN assignment.backfill_runs.total IS 'Members to process: counted up to one million, estimated above, exact once the run has ended.';

COMMENT ON COLUMN assignment.backfill_runs.remaining IS 'The proof at the end: members without an assignment and without a recorded error. Null: not ended yet.';

COMMENT ON COLUMN assignment.backfill_runs.sweeps IS 'Batches of missed members that the proof found and the run then assigned.';

COMMENT ON COLUMN assignment.backfill_runs.tries IS 'Consecutive failed steps. Lanes that fail simultaneously count once.';

COMMENT ON COLUMN assignment.backfill_runs.throttled_because IS 'Why the run waits, to spare the database. Null: it does not wait.';

COMMENT ON COLUMN assignment.backfill_runs.replica_lag IS 'The last measurement: a time, none, or unavailable (no permission). Null: not measured yet.';

COMMENT ON COLUMN assignment.backfill_runs.lock_waiters IS 'Sessions that waited for locks on members or assignments at the last measurement. Null: not measured yet.';

COMMENT ON COLUMN assignment.backfill_runs.start_traceparent IS 'W3C trace context of the request that started the run. The spans of its steps link to it. Null: not traced.';

COMMENT ON COLUMN assignment.backfill_runs.resume_traceparent IS 'W3C trace context of the request that last resumed the run. Null: not resumed, or not traced.';

-- FUNCTION: assignment.find_stragglers(assignment.backfill_runs)

CREATE FUNCTION assignment.find_stragglers(p_run assignment.backfill_runs) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
declare
  v_upper_id uuid := (
    select upper_id from assignment.backfill_lanes where run_id = p_run.id and lane > 0 order by upper_id desc limit 1
  );
begin
  perform assignment.require_visible_rows();
  return query
  select m.id
  from public.members m
  where m.id <= v_upper_id
    and m.id <> p_run.trainer_id
    and not exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.trainer_id = p_run.trainer_id
        and a.status = 'active'
    )
    and not exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.trainer_id = p_run.trainer_id
        and a.status = 'inactive'
    )
    and not exists (select from assignment.backfill_errors e where e.run_id = p_run.id and e.member_id = m.id)
    and (
      not p_run.only_failed
      or exists (select from assignment.backfill_errors e where e.run_id = p_run.retry_of and e.member_id = m.id)
    );
end;
$$;

COMMENT ON FUNCTION assignment.find_stragglers(p_run assignment.backfill_runs) IS 'The proof of a run as a query: members that it should have assigned and did not.';

-- FUNCTION: assignment.finish_backfill(uuid)

CREATE FUNCTION assignment.finish_backfill(p_run_id uuid, OUT work text, OUT members integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_run assignment.backfill_runs;
  v_counts record;
  v_ids uuid[];
  v_result assignment.batch_result;
  v_lane assignment.backfill_lanes;
  v_began timestamptz := clock_timestamp();
  v_sweeps boolean;
  v_remaining bigint;
begin
  members := 0;
  -- One caller proves at a time. An advisory lock does it, not a lock of the run: with ten million members the proof is
  -- slow, and pausing the run must not wait for it.
  if not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: end of run ' || p_run_id, 0)) then
    work := 'busy';
    return;
  end if;

  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    work := 'stopped';
    return;
  elsif exists (select from assignment.backfill_lanes where run_id = p_run_id and not done) then
    work := 'busy';
    return;
  end if;

  select p.processed, p.successful, p.failed,
    (select count(*) from assignment.backfill_errors where run_id = p_run_id) as recorded
  into v_counts
  from assignment.backfill_progress p
  where p.id = p_run_id;

  v_ids := array(select id from assignment.find_stragglers(v_run) as s (id) order by id limit 10000);
  -- If not every failed member was recorded, a straggler may have failed before and would be counted twice.
  v_sweeps := cardinality(v_ids) > 0 and not v_run.dry_run and v_run.sweeps < 5 and v_counts.failed = v_counts.recorded;
  if cardinality(v_ids) = 0 then
    v_remaining := 0;
  elsif not v_sweeps then
    -- After a dry run, members that a real run would assign do not count as remaining.
    select greatest(0, count(*) - case when v_run.dry_run then v_counts.successful else 0 end)
    into v_remaining
    from assignment.find_stragglers(v_run);
  end if;

  perform from assignment.backfill_runs where id = p_run_id and status = 'running' for no key update;
  if not found then  -- paused or cancelled meanwhile
    work := 'stopped';
    return;
  end if;

  if v_sweeps then
    -- Members that were committed behind the cursor, or that bypassed the trigger during the run.
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id)
    values (p_run_id, 0, v_ids[1], v_ids[1])
    on conflict (run_id, lane) do nothing;
    select * into v_lane from assignment.backfill_lanes where run_id = p_run_id and lane = 0 for update;

    select * into v_result
    from assignment.assign_members(v_ids, v_run.trainer_id, 'backfill', p_run_id => p_run_id, p_keep_ended => true);
    perform assignment.record_backfill_errors(p_run_id, v_result.failures);
    members := cardinality(v_ids);
    perform assignment.record_batch(v_lane, null, members, extract(epoch from clock_timestamp() - v_began) * 1000, v_result);
    update assignment.backfill_runs set sweeps = sweeps + 1 where id = p_run_id;
    work := 'swept';
    return;
  end if;

  update assignment.backfill_runs
  set status = case when v_remaining = 0 and v_counts.failed = 0 then 'succeeded' else 'completed_with_errors' end,
    status_changed_by = 'service',
    status_reason = null,
    started_at = coalesce(started_at, v_began),
    finished_at = clock_timestamp(),
    total = v_counts.processed,
    total_is_estimate = false,
    remaining = v_remaining,
    throttled_because = null,
    tries = 0
  where id = p_run_id;

  -- Failed auto-assignments of members that the run has assigned need no retry.
  if not v_run.dry_run then
    begin
      delete from assignment.failures f
      where v_run.trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings))
        and exists (
          select
          from public.trainer_client_assignments a
          where a.client_id = f.member_id
            and a.trainer_id = v_run.trainer_id
            and a.status = 'active'
        );
    exception when others then
      -- The run must end even if the table of failures is broken. The next retry finds the members assigned.
      raise warning 'trainer assignment: failures that run % resolved are still listed: %', p_run_id, sqlerrm;
    end;
  end if;
  work := 'finished';
end;
$$;

COMMENT ON FUNCTION assignment.finish_backfill(p_run_id uuid, OUT work text, OUT members integer) IS 'Once all lanes are done: assigns missed members (swept; at most 5 times up to 10,000), then ends the run (finished).
busy: lanes are not done, or another caller is proving. stopped: the run is not running. Raises TA007 run not found.';

-- FUNCTION: assignment.grant_service(name)

CREATE FUNCTION assignment.grant_service(p_role name) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_columns text;
  v_function regprocedure;
begin
  execute format('grant usage on schema assignment to %I', p_role);
  execute format(
    'grant select on assignment.settings, assignment.failures, assignment.backfill_runs, assignment.backfill_events,
       assignment.backfill_lanes, assignment.backfill_errors, assignment.backfill_samples, assignment.backfill_progress,
       assignment.reconciliations, assignment.ended_sessions, assignment.schema_migrations, assignment.members_trigger,
       assignment.watched_tables, public.trainer_client_assignments to %I',
    p_role
  );

  perform
    assignment.admit(own, pg_get_userbyid(c.relowner), 'owner_does_all', 'all'),
    assignment.admit(own, p_role, 'service_reads', 'select')
  from assignment.own_tables() as own
  join pg_class c on c.oid = own
  where has_table_privilege(p_role, own, 'select');

  foreach v_function in array array[
    'assignment.explain_hidden_rows(name)',
    'assignment.require_visible_rows()',
    'assignment.default_trainer_id()',
    'assignment.set_default_trainer(uuid, text)',
    'assignment.assign_or_record(uuid[], text, uuid)',
    'assignment.assign_member(uuid, uuid, text, text)',
    'assignment.end_assignment(uuid, uuid)',
    'assignment.retry_failures(integer)',
    'assignment.make_failures_due(integer)',
    'assignment.claim_new_failures(integer)',
    'assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text)',
    'assignment.retry_backfill(uuid, text, text)',
    'assignment.backfill_step(uuid)',
    'assignment.preview_step(uuid)',
    'assignment.record_preview(uuid, jsonb)',
    'assignment.change_backfill_status(uuid, text, text, text, text)',
    'assignment.await_lanes(uuid)',
    'assignment.record_step_failure(uuid, text, text, integer, integer)',
    'assignment.throttle_backfill(uuid, text, text, text)',
    'assignment.find_backfill_pressure(integer)',
    'assignment.reconcile(timestamptz, text)',
    'assignment.end_session(uuid, timestamptz)'
  ]::regprocedure[]
  loop
    execute format('grant execute on function %s to %I', v_function, p_role);
  end loop;

  -- The id, and what the admin page shows of a member. Another role may own the table and must then allow this.
  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = 'public.members'::regclass
    and attname in ('id', 'email', 'display_name')
    and not attisdropped
    and (attname = 'id' or has_column_privilege(attrelid, attnum, 'select with grant option'))
    and not has_column_privilege(p_role, attrelid, attnum, 'select');
  if v_columns is not null then
    begin
      execute format('grant select (%s) on public.members to %I', v_columns, p_role);
    exception when insufficient_privilege then
      raise exception '% may not grant % the right to read public.members', current_user, p_role
        using errcode = 'insufficient_privilege',
          hint = format(
            'Have its owner run: grant select (%s) on public.members to %I; then run this again.', v_columns, p_role
          );
    end;
  end if;
  if not has_schema_privilege(p_role, 'public', 'usage') then
    execute format('grant usage on schema public to %I', p_role);
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.grant_service(p_role name) IS 'Grants a role what the service needs: EXECUTE on the functions that it calls, SELECT on the tables that it reads.
Call it as the owner of the schema, and again after each migration. Undo: migrate down --all, then drop owned by …role….';

-- FUNCTION: assignment.hides_rows(regclass, name)

CREATE FUNCTION assignment.hides_rows(p_table regclass, p_role name) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select (
    select not coalesce(bool_or(is_open) filter (where polpermissive), false)
      or coalesce(bool_or(not is_open) filter (where not polpermissive), false)
    from (
      select p.polpermissive, coalesce(pg_get_expr(p.polqual, p.polrelid) = 'true', not p.polpermissive) as is_open
      from pg_policy p
      where p.polrelid = c.oid
        and p.polcmd in ('r', '*')
        and exists (
          select
          from unnest(p.polroles) as admitted (oid)
          where admitted.oid = 0 or pg_has_role(r.oid, admitted.oid, 'usage')
        )
    ) as policies
  )
  from pg_class c
  join pg_roles r on r.rolname = p_role
  where c.oid = p_table
    and c.relrowsecurity
    and not r.rolsuper
    and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))
$$;

COMMENT ON FUNCTION assignment.hides_rows(p_table regclass, p_role name) IS 'Whether row-level security may hide rows of the table from the role. Null: it does not apply to the role.';

-- FUNCTION: assignment.is_transient(text)

CREATE FUNCTION assignment.is_transient(p_sqlstate text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p_sqlstate in ('25006', '55P03') or left(p_sqlstate, 2) in ('08', '40', '53', '57', '58')
$$;

COMMENT ON FUNCTION assignment.is_transient(p_sqlstate text) IS 'Whether an error says nothing about the row and a later attempt may succeed: locks, serialization, resources,
shutdown, I/O, read-only server.';

-- FUNCTION: assignment.judge_refusal(uuid[], text, text, text)

CREATE FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone integer, OUT failures assignment.member_failure[], OUT undecided_ids uuid[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_failure assignment.member_failure := assignment.explain_refusal(null, p_sqlstate, p_message, p_constraint);
  v_gone_ids uuid[] := '{}';
  v_refused_ids uuid[] := '{}';
begin
  if p_sqlstate = '23503' or cardinality(p_member_ids) = 1 then
    v_gone_ids := assignment.find_gone_members(p_member_ids);
    v_refused_ids := assignment.find_refused_members(p_member_ids, p_constraint);
  end if;
  if cardinality(p_member_ids) = 1 then
    if v_gone_ids is null  -- who may not look believes the key, where it points at members
      and p_constraint = 'trainer_client_assignments_client_id_fkey'
      and v_failure.sqlstate = '23503'
    then
      v_gone_ids := p_member_ids;
    end if;
    v_refused_ids := p_member_ids;
  end if;
  gone := coalesce(cardinality(v_gone_ids), 0);
  failures := array(
    select row(refused.id, v_failure.sqlstate, v_failure.message)::assignment.member_failure
    from (select unnest(v_refused_ids) except select unnest(v_gone_ids) order by 1) as refused (id)
  );
  undecided_ids := array(
    select unnest(p_member_ids) except select unnest(v_gone_ids || v_refused_ids) order by 1
  );
end;
$$;

COMMENT ON FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone integer, OUT failures assignment.member_failure[], OUT undecided_ids uuid[]) IS 'What an error means for the members of one statement: how many are gone, who failed and why, and who is still
undecided. Only a member whose id is not in public.members counts as gone.';

-- FUNCTION: assignment.make_failures_due(integer)

CREATE FUNCTION assignment.make_failures_due(p_limit integer DEFAULT 20000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_member_ids uuid[];
  v_made_due integer;
begin
  v_member_ids := array(
    select member_id
    from assignment.failures
    where next_attempt_at > now()
    order by next_attempt_at, member_id
    limit p_limit
    for update skip locked
  );
  update assignment.failures set next_attempt_at = now() where member_id = any (v_member_ids);
  get diagnostics v_made_due = row_count;
  return v_made_due;
end;
$$;

COMMENT ON FUNCTION assignment.make_failures_due(p_limit integer) IS 'Makes up to p_limit failures due now, except those that a retry has locked. Returns how many: fewer than p_limit when
no more are waiting.';

-- FUNCTION: assignment.member_tables()

CREATE FUNCTION assignment.member_tables() RETURNS TABLE(relid regclass, members real)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION assignment.member_tables() IS 'The table members, or the leaf partitions of a partitioned one, with the planner''s estimate of their rows.
0 before the first ANALYZE.';

-- FUNCTION: assignment.mirror_all_missed()

CREATE FUNCTION assignment.mirror_all_missed() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_watched assignment.watched_state;
begin
  for v_watched in
    select *
    from assignment.watched_state
    where state not in ('dropped', 'rebuilt', 'column_missing', 'unrecorded')
    order by table_name
  loop
    begin
      perform assignment.mirror_missed(v_watched.relid, v_watched.column_name);
      update assignment.watched_tables set mirrored_at = now(), problem = null where relid = v_watched.relid;
    exception when others or assert_failure then
      raise warning 'trainer assignment: missed rows of % could not be mirrored: %', v_watched.table_name, sqlerrm;
      update assignment.watched_tables set problem = left(sqlerrm, 500) where relid = v_watched.relid;
    end;
  end loop;
exception when others or assert_failure then
  raise warning 'trainer assignment: missed rows of watched tables could not be mirrored: %', sqlerrm;
end;
$$;

COMMENT ON FUNCTION assignment.mirror_all_missed() IS 'Mirrors the missed rows of every watched table, and records the result in watched_tables.';

-- FUNCTION: assignment.mirror_missed(regclass, name)

CREATE FUNCTION assignment.mirror_missed(p_table regclass, p_column name) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    AS $_$
declare
  v_mirrored bigint;
begin
  execute format(
    'insert into public.members (id)
     select distinct w.%1$I
     from %2$s w
     where w.%1$I is not null
       and not exists (select from public.members m where m.id = w.%1$I)
     order by 1
     on conflict do nothing',
    p_column, p_table
  );
  get diagnostics v_mirrored = row_count;
  return v_mirrored;
end;
$_$;

COMMENT ON FUNCTION assignment.mirror_missed(p_table regclass, p_column name) IS 'Inserts the members that a table has in column p_column and public.members lacks. Returns how many.';

-- FUNCTION: assignment.next_batch_rows(integer, real[], double precision)

CREATE FUNCTION assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select greatest(100, least(20000, case
    when p_last_ms >= 5 * 250 then p_rows * 250 / p_last_ms
    else least(p_rows * 1.5, 250000 / greatest(
      0.1,
      (select percentile_disc(0.9) within group (order by us) from unnest(p_row_us) as recent (us))
    ))
  end))::integer
$$;

COMMENT ON FUNCTION assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision) IS 'Rows of the next batch, so that it takes 250 ms at the 90th percentile of the recent times. Between 100 and 20,000.
It grows at most by half, and shrinks at once when the last batch took five times as long.';

-- TABLE: assignment.backfill_lanes

CREATE TABLE assignment.backfill_lanes (
    run_id uuid NOT NULL,
    lane smallint NOT NULL,
    next_id uuid NOT NULL,
    upper_id uuid NOT NULL,
    includes_upper boolean DEFAULT false NOT NULL,
    done boolean DEFAULT false NOT NULL,
    batch_rows integer DEFAULT 2000 NOT NULL,
    recent_row_us real[] DEFAULT '{}'::real[] NOT NULL,
    successful bigint DEFAULT 0 NOT NULL,
    already_assigned bigint DEFAULT 0 NOT NULL,
    ended bigint DEFAULT 0 NOT NULL,
    is_trainer bigint DEFAULT 0 NOT NULL,
    member_gone bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE assignment.backfill_lanes IS 'Parts of a run: each lane is a separate range of member ids. A step locks one lane, so lanes can run in parallel.';

COMMENT ON COLUMN assignment.backfill_lanes.lane IS 'Numbered from 1. Lane 0 counts members that the run missed and its proof found.';

COMMENT ON COLUMN assignment.backfill_lanes.next_id IS 'The cursor: where the next batch begins.';

COMMENT ON COLUMN assignment.backfill_lanes.upper_id IS 'Where the lane ends. Fixed at the start, so that the run ends although members are inserted meanwhile.';

COMMENT ON COLUMN assignment.backfill_lanes.includes_upper IS 'Whether upper_id belongs to the lane: only in the last one. The others end before it, where the next lane begins.';

COMMENT ON COLUMN assignment.backfill_lanes.batch_rows IS 'Rows of the next batch, unless the run has a fixed number.';

COMMENT ON COLUMN assignment.backfill_lanes.recent_row_us IS 'Microseconds for each row in the last 20 batches, newest last.';

COMMENT ON COLUMN assignment.backfill_lanes.already_assigned IS 'Skipped: had an active assignment to the trainer.';

COMMENT ON COLUMN assignment.backfill_lanes.ended IS 'Skipped: an assignment to the trainer was ended.';

COMMENT ON COLUMN assignment.backfill_lanes.is_trainer IS 'Skipped: the trainer.';

COMMENT ON COLUMN assignment.backfill_lanes.member_gone IS 'Skipped: no longer a member.';

-- FUNCTION: assignment.next_members(assignment.backfill_lanes, uuid, integer)

CREATE FUNCTION assignment.next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  perform assignment.require_visible_rows();
  if p_failed_in is null then
    return array(
      select m.id
      from public.members m
      where m.id >= p_lane.next_id
        and m.id <= p_lane.upper_id
        and (p_lane.includes_upper or m.id <> p_lane.upper_id)
      order by m.id
      limit p_limit + 1
    );
  end if;
  return array(
    select e.member_id
    from assignment.backfill_errors e
    where e.run_id = p_failed_in
      and e.member_id >= p_lane.next_id
    order by e.member_id
    limit p_limit + 1
  );
end;
$$;

COMMENT ON FUNCTION assignment.next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer) IS 'The next p_limit ids of a lane in key order, and the id after them: of all members, or of the members that failed in
run p_failed_in.';

-- FUNCTION: assignment.note_backfill_progress(uuid)

CREATE FUNCTION assignment.note_backfill_progress(p_run_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  update assignment.backfill_runs
  set started_at = coalesce(started_at, clock_timestamp()), tries = 0
  where id = (select id from assignment.backfill_runs where id = p_run_id for no key update skip locked)
$$;

COMMENT ON FUNCTION assignment.note_backfill_progress(p_run_id uuid) IS 'Sets started_at, if it is not set yet, and resets tries. Does nothing while another transaction has locked the run.';

-- FUNCTION: assignment.own_tables()

CREATE FUNCTION assignment.own_tables() RETURNS SETOF regclass
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select oid::regclass
  from pg_class
  where relkind in ('r', 'p')
    and (relnamespace = to_regnamespace('assignment') or oid = to_regclass('public.trainer_client_assignments'))
  order by oid::regclass::text
$$;

COMMENT ON FUNCTION assignment.own_tables() IS 'The tables of this service: trainer_client_assignments and all of the schema assignment.';

-- FUNCTION: assignment.plan_lanes(uuid, bigint)

CREATE FUNCTION assignment.plan_lanes(p_upper_id uuid, p_members bigint) RETURNS TABLE(lane smallint, next_id uuid, upper_id uuid, includes_upper boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION assignment.plan_lanes(p_upper_id uuid, p_members bigint) IS 'Up to 16 lanes, cut at pg_stats.histogram_bounds of members.id, across all partitions.
One lane without statistics or with fewer than 20,000 members.';

-- FUNCTION: assignment.preview_step(uuid)

CREATE FUNCTION assignment.preview_step(p_run_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs;
  v_lane assignment.backfill_lanes;
  v_rows integer;
  v_ids uuid[];
  v_sorted record;
  v_failures assignment.member_failure[];
begin
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    return null;  -- record_preview then reports stopped, even if reading members would fail
  end if;

  -- A random lane, not locked. If two callers take the same one, only one result is recorded.
  select * into v_lane from assignment.backfill_lanes where run_id = p_run_id and not done order by random() limit 1;
  if not found then
    return null;
  end if;

  v_rows := coalesce(v_run.batch_rows, v_lane.batch_rows);
  v_ids := assignment.next_members(v_lane, null, v_rows);
  select * into v_sorted from assignment.sort_members(v_ids[:v_rows], v_run.trainer_id);

  if cardinality(assignment.find_refused_members(array[v_run.trainer_id], 'trainer_client_assignments_trainer_id_fkey')) > 0 then
    raise exception '%', assignment.describe_misplaced_key('trainer_client_assignments_trainer_id_fkey') using errcode = 'TA009';
  end if;
  v_failures := array(
    select row(id, 'TA009', assignment.describe_misplaced_key('trainer_client_assignments_client_id_fkey'))::assignment.member_failure
    from unnest(assignment.find_refused_members(v_sorted.unassigned, 'trainer_client_assignments_client_id_fkey')) as refused (id)
  );
  return jsonb_build_object(
    'lane', v_lane.lane,
    'from_id', v_lane.next_id,
    'next_id', v_ids[v_rows + 1],
    'members', cardinality(v_ids[:v_rows]),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', jsonb_build_object(
      'successful', cardinality(v_sorted.unassigned) - cardinality(v_failures),
      'already_assigned', v_sorted.already_assigned,
      'ended', v_sorted.ended,
      'is_trainer', v_sorted.is_trainer,
      'member_gone', 0,
      'failures', to_jsonb(v_failures)
    )
  );
end;
$$;

COMMENT ON FUNCTION assignment.preview_step(p_run_id uuid) IS 'What a step of a dry run would do, as JSON for record_preview. Null when no lane is left or the run is not running.
Writes nothing: call it in a READ ONLY transaction.';

-- FUNCTION: assignment.reconcile(timestamp with time zone, text)

CREATE FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_run_id uuid;
  v_active_id uuid;
begin
  insert into assignment.reconciliations (slot) values (p_slot) on conflict (slot) do nothing;
  if not found then
    return null;
  end if;
  perform assignment.mirror_all_missed();
  begin
    v_run_id := assignment.start_backfill('schedule', p_traceparent => p_traceparent);
  exception when sqlstate 'TA005' then
    get stacked diagnostics v_active_id = pg_exception_detail;
    if exists (
      select
      from assignment.backfill_runs
      where id = v_active_id
        and status = 'running'
        and not (dry_run or only_failed)
    ) then
      return null;  -- the running one finds the missed members
    end if;
    raise;  -- a paused run, a dry run or a retry does not find them: the slot stays unclaimed for a later try
  end;
  update assignment.reconciliations set run_id = v_run_id where slot = p_slot;
  return v_run_id;
end;
$$;

COMMENT ON FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text) IS 'Claims a slot of the schedule, mirrors missed rows of watched tables, and starts a run. Returns its id, or null when
the slot is already claimed or a run is running. Raises TA005 when the run that has not ended is paused, a dry run or a
retry of failed members: try again later.';

-- FUNCTION: assignment.record_backfill_errors(uuid, assignment.member_failure[])

CREATE FUNCTION assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if cardinality(p_failures) = 0 then
    return;
  end if;
  perform from assignment.backfill_runs where id = p_run_id for no key update;  -- the limit holds for all lanes together
  insert into assignment.backfill_errors (run_id, member_id, sqlstate, message)
  select p_run_id, f.member_id, f.sqlstate, f.message
  from unnest(p_failures) as f
  order by f.member_id
  limit 10000 - (select count(*) from assignment.backfill_errors where run_id = p_run_id)
  on conflict (run_id, member_id) do update set sqlstate = excluded.sqlstate, message = excluded.message;
end;
$$;

COMMENT ON FUNCTION assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[]) IS 'Adds failed members to backfill_errors, up to 10,000 for each run. Locks the run until the end of the transaction.';

-- FUNCTION: assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result)

CREATE FUNCTION assignment.record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_row_us real[] := p_lane.recent_row_us;
begin
  if p_rows > 0 then
    v_row_us := (v_row_us || (p_elapsed_ms * 1000 / p_rows)::real);
    v_row_us := v_row_us[greatest(1, cardinality(v_row_us) - 19):];

    insert into assignment.backfill_samples (run_id, lane, at, processed)
    values (p_lane.run_id, p_lane.lane, date_trunc('second', clock_timestamp()), p_rows)
    on conflict (run_id, at, lane) do update set processed = backfill_samples.processed + excluded.processed;
  end if;

  update assignment.backfill_lanes
  set next_id = coalesce(p_next_id, next_id),
    done = p_next_id is null,
    batch_rows = case
      when p_next_id is null then batch_rows
      else assignment.next_batch_rows(batch_rows, v_row_us, p_elapsed_ms)
    end,
    recent_row_us = v_row_us,
    successful = successful + p_result.successful,
    already_assigned = already_assigned + p_result.already_assigned,
    ended = ended + p_result.ended,
    is_trainer = is_trainer + p_result.is_trainer,
    member_gone = member_gone + p_result.member_gone,
    failed = failed + cardinality(p_result.failures)
  where run_id = p_lane.run_id
    and lane = p_lane.lane;
end;
$$;

COMMENT ON FUNCTION assignment.record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result) IS 'Adds a result to the counters of a locked lane, sets its cursor and its next batch size, and adds to the throughput.
p_next_id null: the lane is done.';

-- FUNCTION: assignment.record_preview(uuid, jsonb)

CREATE FUNCTION assignment.record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_lane assignment.backfill_lanes;
  v_run assignment.backfill_runs;
  v_result assignment.batch_result := jsonb_populate_record(null::assignment.batch_result, p_preview -> 'result');
begin
  members := 0;
  if p_preview is null then
    select f.work, f.members into record_preview.work, record_preview.members from assignment.finish_backfill(p_run_id) as f;
    return;
  end if;

  select * into v_lane
  from assignment.backfill_lanes
  where run_id = p_run_id
    and lane = (p_preview ->> 'lane')::smallint
  for update;
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if v_run.status is distinct from 'running' then
    work := 'stopped';
    return;
  elsif v_lane.done or v_lane.next_id <> (p_preview ->> 'from_id')::uuid then
    work := 'busy';
    return;
  end if;

  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;
  members := (p_preview ->> 'members')::integer;
  perform assignment.record_backfill_errors(p_run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane,
    (p_preview ->> 'next_id')::uuid,
    members,
    (p_preview ->> 'elapsed_ms')::double precision,
    v_result
  );
  work := 'batch';
end;
$$;

COMMENT ON FUNCTION assignment.record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer) IS 'Adds a result of preview_step to its run (batch), unless another caller has recorded the same batch (busy).
p_preview null: ends the run, see finish_backfill.';

-- FUNCTION: assignment.record_step_failure(uuid, text, text, integer, integer)

CREATE FUNCTION assignment.record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer DEFAULT 10, p_own_tries integer DEFAULT NULL::integer, OUT tries integer, OUT paused boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
begin
  paused := false;
  update assignment.backfill_runs r
  set tries = least(r.tries + 1, p_own_tries)
  where r.id = p_run_id
    and r.status = 'running'
  returning r.tries into record_step_failure.tries;
  if not found then
    tries := 0;
    return;
  end if;

  if p_sqlstate in ('55P03', '57014') then
    update assignment.backfill_lanes l
    set batch_rows = greatest(100, l.batch_rows / 2)
    from (
      select lane from assignment.backfill_lanes where run_id = p_run_id and not done order by lane for update skip locked
    ) as free
    where l.run_id = p_run_id
      and l.lane = free.lane;
  end if;

  -- Lack of disk, memory or connections is no fault of the run: it goes on by itself once they are available again.
  if tries >= p_max_tries and left(p_sqlstate, 2) <> '53' then
    perform assignment.change_backfill_status(
      p_run_id,
      'paused',
      'service',
      format('%s tries failed in a row: %s (%s)', tries, left(p_message, 1000), p_sqlstate)
    );
    paused := true;
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer, p_own_tries integer, OUT tries integer, OUT paused boolean) IS 'Counts a failed step. Halves the batches after a lock or statement time-out. Pauses the run after p_max_tries
consecutive failures, except for lack of resources (SQLSTATE class 53).';

-- FUNCTION: assignment.require_visible_rows()

CREATE FUNCTION assignment.require_visible_rows() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_reason text := assignment.explain_hidden_rows();
begin
  if v_reason is not null then
    raise exception '%', v_reason using errcode = 'TA010';
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.require_visible_rows() IS 'Raises TA010 when row-level security hides rows from the current role. In a security definer function, the
current role is the owner.';

-- FUNCTION: assignment.retry_after(integer)

CREATE FUNCTION assignment.retry_after(p_attempts integer) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN LEAST(('00:00:15'::interval * ((2)::double precision ^ (LEAST((p_attempts - 1), 10))::double precision)), '01:00:00'::interval);

COMMENT ON FUNCTION assignment.retry_after(p_attempts integer) IS 'The wait after the given number of failed attempts: 15 s, doubled each time, at most one hour.';

-- FUNCTION: assignment.retry_backfill(uuid, text, text)

CREATE FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

  -- If not every failed member was recorded, only a run over all members is sure to include them.
  return assignment.start_backfill(
    p_requested_by,
    v_run.trainer_id,
    p_retry_of => p_run_id,
    p_only_failed => v_run.failed = v_run.recorded,
    p_traceparent => p_traceparent
  );
end;
$$;

COMMENT ON FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text) IS 'Starts a run for the failed members of an ended run, and returns its id.
Raises TA007 run not found, TA006 it has not ended or nothing failed, TA005 the trainer has a run that has not ended.';

-- FUNCTION: assignment.retry_failures(integer)

CREATE FUNCTION assignment.retry_failures(p_limit integer DEFAULT 500, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_requested_id uuid;
  v_member_ids uuid[];
  v_locked_ids uuid[];
  v_trainer_id uuid;
  v_failures assignment.member_failure[] := '{}';
  v_sqlstate text;
  v_message text;
begin
  failed_ids := '{}';
  select requested_trainer_id, member_ids into v_requested_id, v_member_ids
  from assignment.take_due_failures(p_limit);
  retried := cardinality(v_member_ids);
  if retried = 0 then
    succeeded := 0;
    failed := 0;
    return;
  end if;

  begin
    -- A member that another session has locked would make the whole batch time out.
    v_locked_ids := assignment.find_locked_members(v_member_ids);
    v_trainer_id := coalesce(v_requested_id, assignment.default_trainer_id());
    select r.failures into v_failures
    from assignment.assign_members(
      array(select unnest(v_member_ids) except select unnest(v_locked_ids)),
      v_trainer_id,
      'retry',
      p_keep_ended => true
    ) as r;
    v_failures := v_failures || array(
      select row(member_id, '55P03', 'the member is locked by another session')::assignment.member_failure
      from unnest(v_locked_ids) as locked (member_id)
    );
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    v_failures := array(
      select row(member_id, v_sqlstate, left(v_message, 1000))::assignment.member_failure
      from unnest(v_member_ids) as asked (member_id)
    );
  end;
  failed := cardinality(v_failures);
  failed_ids := array(select member_id from unnest(v_failures) order by member_id);
  succeeded := retried - failed;

  delete from assignment.failures f
  where f.member_id = any (v_member_ids)
    and f.member_id not in (select member_id from unnest(v_failures));

  update assignment.failures f
  set trainer_id = v_trainer_id,
    sqlstate = again.sqlstate,
    message = again.message,
    attempts = least(f.attempts, 2147483646) + 1,
    last_failed_at = now(),
    next_attempt_at = now() + assignment.retry_after(least(f.attempts, 2147483646) + 1)
  from unnest(v_failures) as again
  where f.member_id = again.member_id;
end;
$$;

COMMENT ON FUNCTION assignment.retry_failures(p_limit integer, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[]) IS 'Retries up to p_limit due failures with the same requested trainer. Call it until retried is 0.
A member who is assigned by now, or gone, counts as succeeded and leaves the list. The others wait again, see
assignment.retry_after. Several sessions may call it at once.';

-- TABLE: assignment.settings

CREATE TABLE assignment.settings (
    only_row boolean DEFAULT true NOT NULL,
    default_trainer_id uuid NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT only_row_is_true CHECK (only_row)
);

COMMENT ON TABLE assignment.settings IS 'The settings of the service: always one row.';

COMMENT ON COLUMN assignment.settings.only_row IS 'Always true, so that a second row violates the primary key.';

COMMENT ON COLUMN assignment.settings.default_trainer_id IS 'The trainer of every new member. No foreign key: this member may be inserted after the service is installed.';

COMMENT ON COLUMN assignment.settings.updated_by IS 'Who changed the settings last. Null: never changed.';

-- FUNCTION: assignment.set_default_trainer(uuid, text)

CREATE FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text) RETURNS assignment.settings
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_settings assignment.settings;
begin
  insert into assignment.settings (default_trainer_id, updated_by)
  select id, p_actor
  from public.members
  where id = p_trainer_id
  on conflict (only_row) do update set
    default_trainer_id = excluded.default_trainer_id,
    updated_at = now(),
    updated_by = excluded.updated_by
  returning * into v_settings;
  if not found then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  return v_settings;
end;
$$;

COMMENT ON FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text) IS 'Sets the default trainer for future members and for retries, and returns the settings.
Raises TA001 when p_trainer_id is not a member.';

-- FUNCTION: assignment.sort_members(uuid[], uuid)

CREATE FUNCTION assignment.sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  select
    coalesce(array_agg(asked.id order by asked.id) filter (where known is null and asked.id <> p_trainer_id), '{}'),
    count(*) filter (where known.is_active),
    count(*) filter (where not known.is_active),
    count(*) filter (where asked.id = p_trainer_id)
  from (select distinct unnest(p_member_ids) as id) as asked
  left join lateral (
    select a.status = 'active' as is_active
    from public.trainer_client_assignments a
    where a.client_id = asked.id
      and a.trainer_id is not distinct from p_trainer_id  -- unlike =, keeps the planner from the index by trainer
    order by a.status
    limit 1
  ) as known on true
$$;

COMMENT ON FUNCTION assignment.sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer) IS 'The given members without any assignment to the trainer, active or ended, in key order; and counts of the others.';

-- FUNCTION: assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text)

CREATE FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid DEFAULT NULL::uuid, p_dry_run boolean DEFAULT false, p_batch_rows integer DEFAULT NULL::integer, p_retry_of uuid DEFAULT NULL::uuid, p_only_failed boolean DEFAULT false, p_traceparent text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
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
    -- id is unique, but not always a primary key, and a null would sort above all ids.
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

COMMENT ON FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text) IS 'Starts a run and returns its id.
Raises TA001 trainer not found, TA005 the trainer has a run that has not ended (its id in detail).';

-- FUNCTION: assignment.take_back_defaults(regclass)

CREATE FUNCTION assignment.take_back_defaults(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_grantee text;
begin
  for v_grantee in
    select assignment.default_grantees(relowner, relnamespace, 'r') from pg_class where oid = p_table
  loop
    execute format('revoke all on %s from %s', p_table, v_grantee);
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.take_back_defaults(p_table regclass) IS 'Revokes what default privileges granted when the table was created. Call it right after that: it would also
revoke later grants to the same roles.';

-- FUNCTION: assignment.take_due_failures(integer)

CREATE FUNCTION assignment.take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  select f.requested_trainer_id into take_due_failures.requested_trainer_id
  from assignment.failures f
  where f.next_attempt_at <= now()
  order by f.next_attempt_at, f.member_id
  limit 1
  for update skip locked;

  member_ids := array(
    select f.member_id
    from assignment.failures f
    where f.next_attempt_at <= now()
      and f.requested_trainer_id is not distinct from take_due_failures.requested_trainer_id
    order by f.next_attempt_at, f.member_id
    limit p_limit
    for update skip locked
  );
end;
$$;

COMMENT ON FUNCTION assignment.take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[]) IS 'Locks and returns up to p_limit due failures that no other session is retrying: the one due longest, and others with
the same requested trainer.';

-- FUNCTION: assignment.tg_backfill_runs__guard_status()

CREATE FUNCTION assignment.tg_backfill_runs__guard_status() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'running' then
      raise exception 'a backfill run starts as running, not as %', new.status using errcode = 'TA006';
    end if;
    insert into assignment.backfill_events (run_id, actor, to_status, reason)
    values (new.id, new.status_changed_by, new.status, new.status_reason);
  elsif new.status <> old.status then
    if not (
      (old.status = 'running' and new.status in ('paused', 'cancelled', 'succeeded', 'completed_with_errors'))
      or (old.status = 'paused' and new.status in ('running', 'cancelled'))
    ) then
      raise exception 'a backfill run that is % cannot become %', old.status, new.status using errcode = 'TA006';
    end if;
    insert into assignment.backfill_events (run_id, actor, from_status, to_status, reason)
    values (new.id, new.status_changed_by, old.status, new.status, new.status_reason);
  end if;
  return null;  -- ignored for an after trigger
end;
$$;

COMMENT ON FUNCTION assignment.tg_backfill_runs__guard_status() IS 'Allows and records these changes, and raises TA006 for others: running ⇄ paused, running or paused → cancelled,
running → succeeded or completed_with_errors.';

-- FUNCTION: assignment.tg_members__assign_trainer()

CREATE FUNCTION assignment.tg_members__assign_trainer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
  v_member_ids uuid[];
  v_assigned bigint;
begin
  begin
    insert into public.trainer_client_assignments (trainer_id, client_id, source)
    select (select default_trainer_id from assignment.settings), id, 'trigger'
    from new_members
    where id is not null  -- id is unique, but not always a primary key
    order by id
    on conflict (client_id, trainer_id) where status = 'active' do nothing;

    get diagnostics v_assigned = row_count;
    if v_assigned = (select count(id) from new_members) then
      return null;  -- ignored for an after trigger
    end if;
    raise exception 'not all of them were assigned';
  exception when others or assert_failure then
    null;
  end;

  begin
    v_member_ids := array(select id from new_members where id is not null);
    if cardinality(v_member_ids) > 0 then
      perform assignment.assign_or_record(v_member_ids, 'trigger');
    end if;
  exception when others or assert_failure then
    raise warning 'trainer assignment: new members are neither assigned nor recorded as failed: %', sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_members__assign_trainer() IS 'Assigns the members that one INSERT statement added to the default trainer. Records whatever goes wrong for a retry,
and never makes the insert fail.';

-- FUNCTION: assignment.tg_members__follow_id()

CREATE FUNCTION assignment.tg_members__follow_id() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
  v_member_id uuid;
  v_is_known boolean := false;
begin
  begin
    v_member_id := new.id;
    v_is_known := exists (select from public.trainer_client_assignments where client_id = v_member_id);
    update assignment.failures set member_id = v_member_id where member_id = old.id;
    v_is_known := v_is_known or found;
  exception when others or assert_failure then
    null;  -- assign_or_record records the error
  end;
  begin
    if v_member_id is not null and not v_is_known then
      perform assignment.assign_or_record(array[v_member_id], 'trigger');
    end if;
  exception when others or assert_failure then
    raise warning 'trainer assignment: member % is neither assigned nor recorded as failed: %', v_member_id, sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  return null;  -- ignored for an after trigger
end;
$$;

COMMENT ON FUNCTION assignment.tg_members__follow_id() IS 'Moves the failure of a member whose id changes to the new id. Assigns the member if there is neither a failure nor an
assignment. Never makes the update fail.';

-- FUNCTION: assignment.tg_watched__mirror_members()

CREATE FUNCTION assignment.tg_watched__mirror_members() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $_$
declare
  v_column name;
begin
  -- On a partition this finds nothing: the trigger of the partitioned table mirrors its rows.
  select column_name into v_column from assignment.watched_state where relid = tg_relid;
  if v_column is null then
    return null;  -- ignored for an after trigger
  elsif tg_op = 'INSERT' then
    execute format(
      'insert into public.members (id)
       select distinct %1$I from changed where %1$I is not null order by 1
       on conflict do nothing',
      v_column
    );
  else
    execute format('delete from public.members where id in (select %I from changed)', v_column);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format(
      'The scheduled reconciliation mirrors new rows. To mirror them now: select assignment.watch(%L, %L);',
      tg_relid::regclass, v_column
    );
  return null;
end;
$_$;

COMMENT ON FUNCTION assignment.tg_watched__mirror_members() IS 'Inserts or deletes the members of the rows that one statement inserted or deleted.
An error becomes a warning: it never makes the statement fail.';

-- FUNCTION: assignment.throttle_backfill(uuid, text, text, text)

CREATE FUNCTION assignment.throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '10s'
    AS $$
begin
  update assignment.backfill_runs
  set throttled_because = p_because,
    replica_lag = p_replica_lag,
    lock_waiters = p_lock_waiters
  where id = p_run_id
    and status = 'running'
    and (throttled_because, replica_lag, lock_waiters) is distinct from (p_because, p_replica_lag, p_lock_waiters);
end;
$$;

COMMENT ON FUNCTION assignment.throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text) IS 'Records why a run waits (null: it does not), and the last measurements.';

-- FUNCTION: assignment.unwatch(text)

CREATE FUNCTION assignment.unwatch(p_table text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_relid oid;
  v_trigger record;
begin
  delete from assignment.watched_tables
  where relid = to_regclass(p_table)
    or format('%I.%I', schema_name, table_name) = p_table
  returning relid into v_relid;
  v_relid := coalesce(v_relid, to_regclass(p_table));
  if not found
    and not exists (
      select from pg_trigger where tgrelid = v_relid and tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure
    )
  then
    raise exception '% is not watched', p_table using errcode = '22023';
  end if;
  for v_trigger in
    select tgname
    from pg_trigger
    where tgrelid = v_relid
      and tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure
      and tgparentid = 0
  loop
    begin
      execute format('drop trigger %I on %s', v_trigger.tgname, v_relid::regclass);
    exception when insufficient_privilege then
      raise notice 'the trigger % of % mirrors nothing from now on; only the owner of that table can drop it',
        v_trigger.tgname, v_relid::regclass;
    end;
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.unwatch(p_table text) IS 'Stops mirroring a table, even one that was dropped. Mirrored members stay.';

-- FUNCTION: assignment.watch(regclass, name)

CREATE FUNCTION assignment.watch(p_table regclass, p_column name) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $_$
declare
  v_event text;
  v_trigger record;
begin
  if p_table = 'public.members'::regclass then
    raise exception 'public.members already has the trigger' using errcode = '22023';
  elsif not exists (
    select
    from pg_attribute
    where attrelid = p_table
      and attname = p_column
      and atttypid = 'uuid'::regtype
      and not attisdropped
  ) then
    raise exception '% has no column % of type uuid', p_table, quote_ident(p_column) using errcode = '22023';
  end if;

  foreach v_event in array array['insert', 'delete'] loop
    select tgenabled, tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure as is_ours
    into v_trigger
    from pg_trigger
    where tgrelid = p_table
      and tgname = 'mirror_members_after_' || v_event;
    if not found then
      execute format(
        'create trigger mirror_members_after_%1$s after %1$s on %2$s referencing %3$s table as changed
         for each statement execute function assignment.tg_watched__mirror_members()',
        v_event, p_table, case v_event when 'insert' then 'new' else 'old' end
      );
    elsif v_trigger.tgenabled not in ('O', 'A') then
      execute format('alter table %s enable trigger mirror_members_after_%s', p_table, v_event);
    end if;
  end loop;

  -- Replaces an old record: of this table under another name, or of another table under this name.
  delete from assignment.watched_tables w
  using pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.oid = p_table
    and (w.relid = p_table or (w.schema_name = n.nspname and w.table_name = c.relname));
  insert into assignment.watched_tables (relid, schema_name, table_name, column_name, column_number)
  select p_table, n.nspname, c.relname, a.attname, a.attnum
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = p_column
  where c.oid = p_table;
  return assignment.mirror_missed(p_table, p_column);
end;
$_$;

COMMENT ON FUNCTION assignment.watch(p_table regclass, p_column name) IS 'Mirrors a uuid column of a table into public.members: its current rows, and every later insert and delete.
Returns the number of new members. A second call repairs the triggers and mirrors missed rows. Deleting a row deletes the
member and the member''s own assignments, except a trainer with clients.';

-- TABLE: assignment.backfill_errors

CREATE TABLE assignment.backfill_errors (
    run_id uuid NOT NULL,
    member_id uuid NOT NULL,
    sqlstate text NOT NULL,
    message text NOT NULL
);

COMMENT ON TABLE assignment.backfill_errors IS 'Members that a run could not assign, with the error. At most 10,000 for each run.';

-- TABLE: assignment.backfill_events

CREATE TABLE assignment.backfill_events (
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    reason text
);

COMMENT ON TABLE assignment.backfill_events IS 'Every change of a run''s status: when, who, from which status to which, and why.';

COMMENT ON COLUMN assignment.backfill_events.from_status IS 'Null: the run started.';

-- SEQUENCE: assignment.backfill_events_id_seq

ALTER TABLE assignment.backfill_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME assignment.backfill_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- TABLE: assignment.backfill_samples

CREATE TABLE assignment.backfill_samples (
    run_id uuid NOT NULL,
    lane smallint NOT NULL,
    at timestamp with time zone NOT NULL,
    processed integer NOT NULL
);

COMMENT ON TABLE assignment.backfill_samples IS 'Throughput of a run: members processed in each second and lane.';

-- VIEW: assignment.backfill_progress

CREATE VIEW assignment.backfill_progress AS
 SELECT r.id,
    r.trainer_id,
    r.status,
    r.dry_run,
    r.batch_rows,
    r.retry_of,
    r.requested_by,
    r.requested_at,
    r.started_at,
    r.finished_at,
    GREATEST(r.total, ((l.successful + l.skipped) + l.failed)) AS total,
    r.total_is_estimate,
    ((l.successful + l.skipped) + l.failed) AS processed,
    l.successful,
    l.skipped,
    l.failed,
    l.already_assigned,
    l.ended,
    l.is_trainer,
    l.member_gone,
    r.remaining,
        CASE
            WHEN (r.status = 'paused'::text) THEN r.status_reason
            ELSE NULL::text
        END AS pause_reason,
        CASE
            WHEN (r.status = 'running'::text) THEN r.throttled_because
            ELSE NULL::text
        END AS throttled_because,
    r.replica_lag,
    r.lock_waiters,
    s.rate_per_second,
        CASE
            WHEN ((r.status = 'running'::text) AND (r.throttled_because IS NULL) AND (s.rate_per_second > (0)::double precision)) THEN (GREATEST((0)::double precision, ceil((((((r.total - l.successful) - l.skipped) - l.failed))::double precision / s.rate_per_second))))::bigint
            ELSE NULL::bigint
        END AS eta_seconds
   FROM ((assignment.backfill_runs r
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(backfill_lanes.successful), (0)::numeric))::bigint AS successful,
            (COALESCE(sum((((backfill_lanes.already_assigned + backfill_lanes.ended) + backfill_lanes.is_trainer) + backfill_lanes.member_gone)), (0)::numeric))::bigint AS skipped,
            (COALESCE(sum(backfill_lanes.failed), (0)::numeric))::bigint AS failed,
            (COALESCE(sum(backfill_lanes.already_assigned), (0)::numeric))::bigint AS already_assigned,
            (COALESCE(sum(backfill_lanes.ended), (0)::numeric))::bigint AS ended,
            (COALESCE(sum(backfill_lanes.is_trainer), (0)::numeric))::bigint AS is_trainer,
            (COALESCE(sum(backfill_lanes.member_gone), (0)::numeric))::bigint AS member_gone
           FROM assignment.backfill_lanes
          WHERE (backfill_lanes.run_id = r.id)) l)
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN ((r.status = 'running'::text) AND (EXTRACT(epoch FROM (clock_timestamp() - span.since)) >= (3)::numeric)) THEN ((( SELECT COALESCE(sum(backfill_samples.processed), (0)::bigint) AS "coalesce"
                       FROM assignment.backfill_samples
                      WHERE ((backfill_samples.run_id = r.id) AND (backfill_samples.at >= span.since))))::double precision / (EXTRACT(epoch FROM (clock_timestamp() - span.since)))::double precision)
                    WHEN (r.status = ANY (ARRAY['cancelled'::text, 'succeeded'::text, 'completed_with_errors'::text])) THEN ( SELECT ((sum(backfill_samples.processed))::double precision / (count(DISTINCT backfill_samples.at))::double precision)
                       FROM assignment.backfill_samples
                      WHERE (backfill_samples.run_id = r.id))
                    ELSE NULL::double precision
                END AS rate_per_second
           FROM ( SELECT date_trunc('second'::text, GREATEST((clock_timestamp() - '00:01:00'::interval), ( SELECT max(backfill_events.at) AS max
                           FROM assignment.backfill_events
                          WHERE ((backfill_events.run_id = r.id) AND (backfill_events.to_status = 'running'::text))))) AS since) span) s);

COMMENT ON VIEW assignment.backfill_progress IS 'The current state of each run. In every snapshot, successful + skipped + failed = processed, and total ≥ processed.
eta_seconds is null while the run is paused, throttled or not yet measured.';

-- TABLE: assignment.ended_sessions

CREATE TABLE assignment.ended_sessions (
    id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE assignment.ended_sessions IS 'Sessions of the admin page that ended by signing out. Expired ones are deleted when later sessions end.';

-- TABLE: assignment.failures

CREATE TABLE assignment.failures (
    member_id uuid NOT NULL,
    trainer_id uuid,
    requested_trainer_id uuid,
    sqlstate text NOT NULL,
    message text NOT NULL,
    source text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    first_failed_at timestamp with time zone DEFAULT now() NOT NULL,
    last_failed_at timestamp with time zone DEFAULT now() NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT (now() + '00:00:15'::interval) NOT NULL,
    logged_at timestamp with time zone
);

COMMENT ON TABLE assignment.failures IS 'Members whose auto-assignment failed. The service retries it.';

COMMENT ON COLUMN assignment.failures.trainer_id IS 'The trainer of the last attempt. A retry uses the current default trainer. Null: no default trainer was set.';

COMMENT ON COLUMN assignment.failures.requested_trainer_id IS 'The trainer that the caller asked for; retries use this one. Null: the default trainer.';

COMMENT ON COLUMN assignment.failures.sqlstate IS 'The error code of the last attempt: PostgreSQL''s, or one of this service (TA…).';

COMMENT ON COLUMN assignment.failures.source IS 'What tried to assign; see public.trainer_client_assignments.source.';

COMMENT ON COLUMN assignment.failures.attempts IS 'Failed attempts so far.';

COMMENT ON COLUMN assignment.failures.next_attempt_at IS 'When the service tries again. See assignment.retry_after; the default
is its first wait, written out, because inserting a failure must need no right to a function.';

COMMENT ON COLUMN assignment.failures.logged_at IS 'When a replica took the failure to log it. Null: not logged yet.';

-- TABLE: assignment.watched_tables

CREATE TABLE assignment.watched_tables (
    relid regclass NOT NULL,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    column_name name NOT NULL,
    column_number smallint NOT NULL,
    watched_since timestamp with time zone DEFAULT now() NOT NULL,
    mirrored_at timestamp with time zone DEFAULT now() NOT NULL,
    problem text
);

COMMENT ON TABLE assignment.watched_tables IS 'Tables whose rows are mirrored into public.members, as they were when assignment.watch was called.';

COMMENT ON COLUMN assignment.watched_tables.relid IS 'Identifies the table even after it is renamed.';

COMMENT ON COLUMN assignment.watched_tables.column_name IS 'The uuid column whose values are mirrored as members'' ids.';

COMMENT ON COLUMN assignment.watched_tables.column_number IS 'Identifies the column after it is renamed.';

COMMENT ON COLUMN assignment.watched_tables.mirrored_at IS 'When all rows were last known to be mirrored.';

COMMENT ON COLUMN assignment.watched_tables.problem IS 'Why the last reconciliation could not mirror missed rows. Null: it could.';

-- VIEW: assignment.watched_state

CREATE VIEW assignment.watched_state AS
 WITH watched AS (
         SELECT w.relid,
            w.schema_name,
            w.table_name,
            w.column_name,
            w.column_number,
            w.watched_since,
            w.mirrored_at,
            w.problem,
            COALESCE(( SELECT a.attname
                   FROM pg_attribute a
                  WHERE ((a.attrelid = (w.relid)::oid) AND (a.attname = w.column_name) AND (a.atttypid = ('uuid'::regtype)::oid) AND (NOT a.attisdropped))), ( SELECT a.attname
                   FROM pg_attribute a
                  WHERE ((a.attrelid = (w.relid)::oid) AND (a.attnum = w.column_number) AND (a.atttypid = ('uuid'::regtype)::oid) AND (NOT a.attisdropped)))) AS current_column,
            ( SELECT format('%I.%I'::text, n.nspname, c.relname) AS name
                   FROM (pg_class c
                     JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
                  WHERE (c.oid = (w.relid)::oid)) AS current_name,
            to_regclass(format('%I.%I'::text, w.schema_name, w.table_name)) AS namesake,
            ( SELECT count(*) FILTER (WHERE (t.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"]))) AS triggers
                   FROM pg_trigger t
                  WHERE ((t.tgrelid = (w.relid)::oid) AND (t.tgfoid = (to_regprocedure('assignment.tg_watched__mirror_members()'::text))::oid) AND (t.tgparentid = (0)::oid))) AS enabled_triggers,
            ( SELECT count(*) AS triggers
                   FROM pg_trigger t
                  WHERE ((t.tgrelid = (w.relid)::oid) AND (t.tgfoid = (to_regprocedure('assignment.tg_watched__mirror_members()'::text))::oid) AND (t.tgparentid = (0)::oid))) AS triggers
           FROM assignment.watched_tables w
        ), states AS (
         SELECT watched.relid,
            COALESCE(watched.current_name, format('%I.%I'::text, watched.schema_name, watched.table_name)) AS table_name,
            COALESCE(watched.current_column, watched.column_name) AS column_name,
                CASE
                    WHEN ((watched.current_name IS NULL) AND (watched.namesake IS NOT NULL)) THEN 'rebuilt'::text
                    WHEN (watched.current_name IS NULL) THEN 'dropped'::text
                    WHEN (watched.current_column IS NULL) THEN 'column_missing'::text
                    WHEN (watched.triggers < 2) THEN 'trigger_missing'::text
                    WHEN (watched.enabled_triggers < 2) THEN 'trigger_disabled'::text
                    WHEN (watched.problem IS NOT NULL) THEN 'not_readable'::text
                    ELSE 'watched'::text
                END AS state,
            watched.problem
           FROM watched
        UNION ALL
         SELECT DISTINCT (t.tgrelid)::regclass AS relid,
            format('%I.%I'::text, n.nspname, c.relname) AS table_name,
            NULL::name AS column_name,
            'unrecorded'::text AS state,
            NULL::text AS problem
           FROM ((pg_trigger t
             JOIN pg_class c ON ((c.oid = t.tgrelid)))
             JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
          WHERE ((t.tgfoid = (to_regprocedure('assignment.tg_watched__mirror_members()'::text))::oid) AND (t.tgparentid = (0)::oid) AND (NOT (EXISTS ( SELECT
                   FROM assignment.watched_tables w
                  WHERE ((w.relid)::oid = t.tgrelid)))))
        )
 SELECT states.relid,
    states.table_name,
    states.column_name,
    states.state,
    states.problem,
        CASE states.state
            WHEN 'watched'::text THEN NULL::text
            WHEN 'dropped'::text THEN format('select assignment.unwatch(%L)'::text, states.table_name)
            WHEN 'column_missing'::text THEN format('select assignment.watch(%L, ''…'') with the column of ids'::text, states.table_name)
            WHEN 'trigger_disabled'::text THEN format('alter table %1$s enable trigger mirror_members_after_insert, enable trigger mirror_members_after_delete; select assignment.watch(%1$L, %2$L)'::text, states.table_name, states.column_name)
            WHEN 'unrecorded'::text THEN format('select assignment.watch(%L, ''…'') with the column of ids'::text, states.table_name)
            WHEN 'not_readable'::text THEN format('select assignment.watch(%L, %L), which says why: %s'::text, states.table_name, states.column_name, states.problem)
            ELSE format('select assignment.watch(%L, %L)'::text, states.table_name, states.column_name)
        END AS remedy
   FROM states;

COMMENT ON VIEW assignment.watched_state IS 'The current state of each watched table.
state: watched (works); rebuilt or dropped (the table), column_missing, trigger_missing, trigger_disabled, unrecorded
(triggers without a row in watched_tables), not_readable (by the last reconciliation). remedy: what to run; null: nothing.';

-- VIEW: assignment.members_trigger

CREATE VIEW assignment.members_trigger AS
 WITH RECURSIVE members AS (
         SELECT to_regclass('public.members'::text) AS relid
        ), trigger AS (
         SELECT t.tgenabled
           FROM (pg_trigger t
             JOIN members m ON (((m.relid)::oid = t.tgrelid)))
          WHERE (t.tgname = 'members_assign_trainer_after_insert'::name)
        ), children(relid) AS (
         SELECT i.inhrelid
           FROM ((pg_inherits i
             JOIN members m ON (((m.relid)::oid = i.inhparent)))
             JOIN pg_class c ON (((c.oid = i.inhparent) AND (c.relkind <> 'p'::"char"))))
        UNION
         SELECT i.inhrelid
           FROM (pg_inherits i
             JOIN children c ON ((c.relid = i.inhparent)))
        ), bypasses AS (
         SELECT 1 AS rank,
            'children'::text AS bypass,
            string_agg(format('%I.%I'::text, n.nspname, c.relname), ', '::text ORDER BY n.nspname, c.relname) AS tables
           FROM ((children
             JOIN pg_class c ON ((c.oid = children.relid)))
             JOIN pg_namespace n ON ((n.oid = c.relnamespace)))
         HAVING (count(*) > 0)
        UNION ALL
         SELECT 2 AS rank,
            'subscription'::text AS bypass,
            NULL::text AS tables
           FROM (pg_subscription_rel s_1
             JOIN members m ON (((m.relid)::oid = s_1.srrelid)))
        UNION ALL
         SELECT 3 AS rank,
            'replica_role'::text AS bypass,
            NULL::text AS tables
           FROM pg_db_role_setting s_1
          WHERE ((s_1.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT d.oid
                   FROM pg_database d
                  WHERE (d.datname = current_database()))])) AND ('session_replication_role=replica'::text = ANY (s_1.setconfig)) AND (NOT (EXISTS ( SELECT
                   FROM trigger
                  WHERE (trigger.tgenabled = 'A'::"char")))))
        UNION ALL
         SELECT 4 AS rank,
            'not_mirrored'::text AS bypass,
            string_agg(watched_state.table_name, ', '::text ORDER BY watched_state.table_name) AS tables
           FROM assignment.watched_state
          WHERE (watched_state.remedy IS NOT NULL)
         HAVING (count(*) > 0)
        ), states AS (
         SELECT COALESCE(( SELECT
                        CASE
                            WHEN (trigger.tgenabled = ANY (ARRAY['O'::"char", 'A'::"char"])) THEN 'enabled'::text
                            ELSE 'disabled'::text
                        END AS "case"
                   FROM trigger), 'missing'::text) AS state
        )
 SELECT s.state,
    b.bypass,
    b.tables,
        CASE b.bypass
            WHEN 'not_mirrored'::text THEN ( SELECT string_agg(watched_state.remedy, '; '::text ORDER BY watched_state.table_name) AS string_agg
               FROM assignment.watched_state
              WHERE (watched_state.remedy IS NOT NULL))
            ELSE NULL::text
        END AS remedy,
    ((s.state = 'enabled'::text) AND (b.bypass IS NULL)) AS is_fine
   FROM (states s
     LEFT JOIN ( SELECT bypasses.bypass,
            bypasses.tables
           FROM bypasses
          ORDER BY bypasses.rank
         LIMIT 1) b ON (true));

COMMENT ON VIEW assignment.members_trigger IS 'One row: whether the trigger assigns every inserted member. state: enabled, disabled or missing.
bypass: how members can be added without firing an enabled trigger (children, subscription, replica_role, not_mirrored),
and by which tables; null: the catalogs show none. remedy: what to run about tables that are not mirrored.';

-- TABLE: assignment.reconciliations

CREATE TABLE assignment.reconciliations (
    slot timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id uuid
);

COMMENT ON TABLE assignment.reconciliations IS 'Claimed slots of the schedule, each with the run that it started.';

COMMENT ON COLUMN assignment.reconciliations.slot IS 'The time of the schedule that the run is for.';

COMMENT ON COLUMN assignment.reconciliations.run_id IS 'Null: another run was running already, so none was started.';

-- TABLE: public.members

CREATE TABLE public.members (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text,
    display_name text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.members IS 'Everybody with an account. Created by trainer assignment, for lack of one.';

-- TABLE: public.trainer_client_assignments

CREATE TABLE public.trainer_client_assignments (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    trainer_id uuid NOT NULL,
    client_id uuid NOT NULL,
    assignment_date timestamp with time zone DEFAULT now() NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    notes text,
    source text DEFAULT 'manual'::text NOT NULL,
    backfill_run_id uuid,
    ended_at timestamp with time zone,
    CONSTRAINT source_is_known CHECK ((source = ANY (ARRAY['trigger'::text, 'retry'::text, 'backfill'::text, 'manual'::text, 'signup'::text]))),
    CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text]))),
    CONSTRAINT trainer_is_not_client CHECK ((trainer_id <> client_id))
);

COMMENT ON TABLE public.trainer_client_assignments IS 'Which trainer has which client. A pair has at most one active row; inactive rows are its history.';

COMMENT ON COLUMN public.trainer_client_assignments.id IS 'UUID version 7. Grows with time, so lists are paged by it.';

COMMENT ON COLUMN public.trainer_client_assignments.trainer_id IS 'The member who trains.';

COMMENT ON COLUMN public.trainer_client_assignments.client_id IS 'The member who is trained.';

COMMENT ON COLUMN public.trainer_client_assignments.assignment_date IS 'When the row was inserted.';

COMMENT ON COLUMN public.trainer_client_assignments.status IS 'active, or inactive (ended).';

COMMENT ON COLUMN public.trainer_client_assignments.notes IS 'Free text of whoever assigned.';

COMMENT ON COLUMN public.trainer_client_assignments.source IS 'What assigned: trigger, retry (of a failed trigger), backfill, manual (an admin), signup (a program).';

COMMENT ON COLUMN public.trainer_client_assignments.backfill_run_id IS 'The backfill run that inserted the row. No foreign key: it would look up the same run again for every row.';

COMMENT ON COLUMN public.trainer_client_assignments.ended_at IS 'When the service made the assignment inactive.';

-- CONSTRAINT: assignment.backfill_errors backfill_errors_pkey

ALTER TABLE ONLY assignment.backfill_errors
    ADD CONSTRAINT backfill_errors_pkey PRIMARY KEY (run_id, member_id);

-- CONSTRAINT: assignment.backfill_events backfill_events_pkey

ALTER TABLE ONLY assignment.backfill_events
    ADD CONSTRAINT backfill_events_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.backfill_lanes backfill_lanes_pkey

ALTER TABLE ONLY assignment.backfill_lanes
    ADD CONSTRAINT backfill_lanes_pkey PRIMARY KEY (run_id, lane);

-- CONSTRAINT: assignment.backfill_runs backfill_runs_pkey

ALTER TABLE ONLY assignment.backfill_runs
    ADD CONSTRAINT backfill_runs_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.backfill_samples backfill_samples_pkey

ALTER TABLE ONLY assignment.backfill_samples
    ADD CONSTRAINT backfill_samples_pkey PRIMARY KEY (run_id, at, lane);

-- CONSTRAINT: assignment.ended_sessions ended_sessions_pkey

ALTER TABLE ONLY assignment.ended_sessions
    ADD CONSTRAINT ended_sessions_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.failures failures_pkey

ALTER TABLE ONLY assignment.failures
    ADD CONSTRAINT failures_pkey PRIMARY KEY (member_id);

-- CONSTRAINT: assignment.reconciliations reconciliations_pkey

ALTER TABLE ONLY assignment.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (slot);

-- CONSTRAINT: assignment.settings settings_pkey

ALTER TABLE ONLY assignment.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

-- CONSTRAINT: assignment.watched_tables watched_tables_name_key

ALTER TABLE ONLY assignment.watched_tables
    ADD CONSTRAINT watched_tables_name_key UNIQUE (schema_name, table_name);

-- CONSTRAINT: assignment.watched_tables watched_tables_pkey

ALTER TABLE ONLY assignment.watched_tables
    ADD CONSTRAINT watched_tables_pkey PRIMARY KEY (relid);

-- CONSTRAINT: public.members members_pkey

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

-- CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_pkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_pkey PRIMARY KEY (id);

-- INDEX: assignment.backfill_events_run_id_idx

CREATE INDEX backfill_events_run_id_idx ON assignment.backfill_events USING btree (run_id, id);

-- INDEX: assignment.backfill_runs_active_key

CREATE UNIQUE INDEX backfill_runs_active_key ON assignment.backfill_runs USING btree (trainer_id) WHERE (status = ANY (ARRAY['running'::text, 'paused'::text]));

-- INDEX: assignment.failures_new_idx

CREATE INDEX failures_new_idx ON assignment.failures USING btree (member_id) WHERE (logged_at IS NULL);

-- INDEX: assignment.failures_next_attempt_at_idx

CREATE INDEX failures_next_attempt_at_idx ON assignment.failures USING btree (next_attempt_at, member_id);

-- INDEX: public.trainer_client_assignments_active_key

CREATE UNIQUE INDEX trainer_client_assignments_active_key ON public.trainer_client_assignments USING btree (client_id, trainer_id) WHERE (status = 'active'::text);

-- INDEX: public.trainer_client_assignments_client_id_status_idx

CREATE INDEX trainer_client_assignments_client_id_status_idx ON public.trainer_client_assignments USING btree (client_id, status);

-- INDEX: public.trainer_client_assignments_trainer_id_status_id_idx

CREATE INDEX trainer_client_assignments_trainer_id_status_id_idx ON public.trainer_client_assignments USING btree (trainer_id, status, id);

-- TRIGGER: assignment.backfill_runs backfill_runs_guard_status_after_write

CREATE TRIGGER backfill_runs_guard_status_after_write AFTER INSERT OR UPDATE OF status ON assignment.backfill_runs FOR EACH ROW EXECUTE FUNCTION assignment.tg_backfill_runs__guard_status();

-- TRIGGER: public.members members_assign_trainer_after_insert

CREATE TRIGGER members_assign_trainer_after_insert AFTER INSERT ON public.members REFERENCING NEW TABLE AS new_members FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_members__assign_trainer();

-- TRIGGER: public.members members_follow_id_after_update

CREATE TRIGGER members_follow_id_after_update AFTER UPDATE ON public.members FOR EACH ROW WHEN ((old.id IS DISTINCT FROM new.id)) EXECUTE FUNCTION assignment.tg_members__follow_id();

-- FK CONSTRAINT: assignment.backfill_errors backfill_errors_run_id_fkey

ALTER TABLE ONLY assignment.backfill_errors
    ADD CONSTRAINT backfill_errors_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.backfill_events backfill_events_run_id_fkey

ALTER TABLE ONLY assignment.backfill_events
    ADD CONSTRAINT backfill_events_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.backfill_lanes backfill_lanes_run_id_fkey

ALTER TABLE ONLY assignment.backfill_lanes
    ADD CONSTRAINT backfill_lanes_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.backfill_runs backfill_runs_retry_of_fkey

ALTER TABLE ONLY assignment.backfill_runs
    ADD CONSTRAINT backfill_runs_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES assignment.backfill_runs(id);

-- FK CONSTRAINT: assignment.backfill_samples backfill_samples_run_id_fkey

ALTER TABLE ONLY assignment.backfill_samples
    ADD CONSTRAINT backfill_samples_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

-- FK CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_client_id_fkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.members(id) ON UPDATE CASCADE ON DELETE CASCADE;

-- FK CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_trainer_id_fkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_trainer_id_fkey FOREIGN KEY (trainer_id) REFERENCES public.members(id) ON UPDATE CASCADE;

-- POLICY: assignment.backfill_errors owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_errors TO postgres USING (true);

-- POLICY: assignment.backfill_events owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_events TO postgres USING (true);

-- POLICY: assignment.backfill_lanes owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_lanes TO postgres USING (true);

-- POLICY: assignment.backfill_runs owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_runs TO postgres USING (true);

-- POLICY: assignment.backfill_samples owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_samples TO postgres USING (true);

-- POLICY: assignment.ended_sessions owner_does_all

CREATE POLICY owner_does_all ON assignment.ended_sessions TO postgres USING (true);

-- POLICY: assignment.failures owner_does_all

CREATE POLICY owner_does_all ON assignment.failures TO postgres USING (true);

-- POLICY: assignment.reconciliations owner_does_all

CREATE POLICY owner_does_all ON assignment.reconciliations TO postgres USING (true);

-- POLICY: assignment.settings owner_does_all

CREATE POLICY owner_does_all ON assignment.settings TO postgres USING (true);

-- POLICY: assignment.watched_tables owner_does_all

CREATE POLICY owner_does_all ON assignment.watched_tables TO postgres USING (true);

-- POLICY: public.trainer_client_assignments owner_does_all

CREATE POLICY owner_does_all ON public.trainer_client_assignments TO postgres USING (true);

-- ACL: assignment.FUNCTION admit(p_table regclass, p_role name, p_policy name, p_command text)

REVOKE ALL ON FUNCTION assignment.admit(p_table regclass, p_role name, p_policy name, p_command text) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text)

REVOKE ALL ON FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_members(p_member_ids uuid[], p_trainer_id uuid, p_source text, p_notes text, p_run_id uuid, p_keep_ended boolean, p_max_attempts integer)

REVOKE ALL ON FUNCTION assignment.assign_members(p_member_ids uuid[], p_trainer_id uuid, p_source text, p_notes text, p_run_id uuid, p_keep_ended boolean, p_max_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION await_lanes(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.await_lanes(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer)

REVOKE ALL ON FUNCTION assignment.backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text)

REVOKE ALL ON FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text) FROM PUBLIC;

-- ACL: assignment.FUNCTION claim_new_failures(p_limit integer)

REVOKE ALL ON FUNCTION assignment.claim_new_failures(p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION close_table(p_table regclass)

REVOKE ALL ON FUNCTION assignment.close_table(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION default_grantees(p_owner oid, p_schema oid, p_type "char")

REVOKE ALL ON FUNCTION assignment.default_grantees(p_owner oid, p_schema oid, p_type "char") FROM PUBLIC;

-- ACL: assignment.FUNCTION default_trainer_id()

REVOKE ALL ON FUNCTION assignment.default_trainer_id() FROM PUBLIC;

-- ACL: assignment.FUNCTION describe_misplaced_key(p_constraint text)

REVOKE ALL ON FUNCTION assignment.describe_misplaced_key(p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION describe_search_path()

REVOKE ALL ON FUNCTION assignment.describe_search_path() FROM PUBLIC;

-- ACL: assignment.FUNCTION end_assignment(p_member_id uuid, p_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION end_session(p_id uuid, p_expires_at timestamp with time zone)

REVOKE ALL ON FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_hidden_rows(p_role name)

REVOKE ALL ON FUNCTION assignment.explain_hidden_rows(p_role name) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text)

REVOKE ALL ON FUNCTION assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text)

REVOKE ALL ON FUNCTION assignment.find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_gone_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_gone_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_locked_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_locked_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_refused_members(p_member_ids uuid[], p_constraint text)

REVOKE ALL ON FUNCTION assignment.find_refused_members(p_member_ids uuid[], p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text)

REVOKE ALL ON FUNCTION assignment.find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_stragglers(p_run assignment.backfill_runs)

REVOKE ALL ON FUNCTION assignment.find_stragglers(p_run assignment.backfill_runs) FROM PUBLIC;

-- ACL: assignment.FUNCTION finish_backfill(p_run_id uuid, OUT work text, OUT members integer)

REVOKE ALL ON FUNCTION assignment.finish_backfill(p_run_id uuid, OUT work text, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION grant_service(p_role name)

REVOKE ALL ON FUNCTION assignment.grant_service(p_role name) FROM PUBLIC;

-- ACL: assignment.FUNCTION hides_rows(p_table regclass, p_role name)

REVOKE ALL ON FUNCTION assignment.hides_rows(p_table regclass, p_role name) FROM PUBLIC;

-- ACL: assignment.FUNCTION is_transient(p_sqlstate text)

REVOKE ALL ON FUNCTION assignment.is_transient(p_sqlstate text) FROM PUBLIC;

-- ACL: assignment.FUNCTION judge_refusal(p_member_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone integer, OUT failures assignment.member_failure[], OUT undecided_ids uuid[])

REVOKE ALL ON FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone integer, OUT failures assignment.member_failure[], OUT undecided_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION make_failures_due(p_limit integer)

REVOKE ALL ON FUNCTION assignment.make_failures_due(p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION member_tables()

REVOKE ALL ON FUNCTION assignment.member_tables() FROM PUBLIC;

-- ACL: assignment.FUNCTION mirror_all_missed()

REVOKE ALL ON FUNCTION assignment.mirror_all_missed() FROM PUBLIC;

-- ACL: assignment.FUNCTION mirror_missed(p_table regclass, p_column name)

REVOKE ALL ON FUNCTION assignment.mirror_missed(p_table regclass, p_column name) FROM PUBLIC;

-- ACL: assignment.FUNCTION next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision)

REVOKE ALL ON FUNCTION assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision) FROM PUBLIC;

-- ACL: assignment.FUNCTION next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer)

REVOKE ALL ON FUNCTION assignment.next_members(p_lane assignment.backfill_lanes, p_failed_in uuid, p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION note_backfill_progress(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.note_backfill_progress(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION own_tables()

REVOKE ALL ON FUNCTION assignment.own_tables() FROM PUBLIC;

-- ACL: assignment.FUNCTION plan_lanes(p_upper_id uuid, p_members bigint)

REVOKE ALL ON FUNCTION assignment.plan_lanes(p_upper_id uuid, p_members bigint) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_step(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.preview_step(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION reconcile(p_slot timestamp with time zone, p_traceparent text)

REVOKE ALL ON FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[])

REVOKE ALL ON FUNCTION assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result)

REVOKE ALL ON FUNCTION assignment.record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer)

REVOKE ALL ON FUNCTION assignment.record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer, p_own_tries integer, OUT tries integer, OUT paused boolean)

REVOKE ALL ON FUNCTION assignment.record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer, p_own_tries integer, OUT tries integer, OUT paused boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION require_visible_rows()

REVOKE ALL ON FUNCTION assignment.require_visible_rows() FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_after(p_attempts integer)

REVOKE ALL ON FUNCTION assignment.retry_after(p_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text)

REVOKE ALL ON FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text) FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_failures(p_limit integer, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[])

REVOKE ALL ON FUNCTION assignment.retry_failures(p_limit integer, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION set_default_trainer(p_trainer_id uuid, p_actor text)

REVOKE ALL ON FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text) FROM PUBLIC;

-- ACL: assignment.FUNCTION sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer)

REVOKE ALL ON FUNCTION assignment.sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text)

REVOKE ALL ON FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_back_defaults(p_table regclass)

REVOKE ALL ON FUNCTION assignment.take_back_defaults(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_backfill_runs__guard_status()

REVOKE ALL ON FUNCTION assignment.tg_backfill_runs__guard_status() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_members__assign_trainer()

REVOKE ALL ON FUNCTION assignment.tg_members__assign_trainer() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_members__follow_id()

REVOKE ALL ON FUNCTION assignment.tg_members__follow_id() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_watched__mirror_members()

REVOKE ALL ON FUNCTION assignment.tg_watched__mirror_members() FROM PUBLIC;

-- ACL: assignment.FUNCTION throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text)

REVOKE ALL ON FUNCTION assignment.throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text) FROM PUBLIC;

-- ACL: assignment.FUNCTION unwatch(p_table text)

REVOKE ALL ON FUNCTION assignment.unwatch(p_table text) FROM PUBLIC;

-- ACL: assignment.FUNCTION watch(p_table regclass, p_column name)

REVOKE ALL ON FUNCTION assignment.watch(p_table regclass, p_column name) FROM PUBLIC;
