-- SCHEMA: assignment

CREATE SCHEMA assignment;

-- TYPE: assignment.choice_count

CREATE TYPE assignment.choice_count AS (
	rule smallint,
	trainer_id uuid,
	members integer
);

COMMENT ON TYPE assignment.choice_count IS 'A rule (0: the default trainer), a trainer, and the number of members whom the rule gave to the trainer.';

-- TYPE: assignment.member_failure

CREATE TYPE assignment.member_failure AS (
	member_id uuid,
	sqlstate text,
	message text,
	rule smallint
);

COMMENT ON TYPE assignment.member_failure IS 'A member who could not be assigned, with the error. rule: the rule without room (0: the default trainer); null: another
error.';

-- TYPE: assignment.batch_result

CREATE TYPE assignment.batch_result AS (
	successful integer,
	already_assigned integer,
	ended integer,
	is_trainer integer,
	member_gone integer,
	excluded integer,
	not_selected integer,
	failures assignment.member_failure[],
	choices assignment.choice_count[]
);

COMMENT ON TYPE assignment.batch_result IS 'Counts of a batch: newly assigned; already assigned; assigned once and ended since; the trainer; no longer existing;
left alone by a rule; not concerned by a transfer. Then the members that failed, and whom the policy gave the newly
assigned to (null: the trainer was named).';

-- TYPE: assignment.choice

CREATE TYPE assignment.choice AS (
	member_id uuid,
	trainer_id uuid,
	rule smallint,
	outcome text
);

COMMENT ON TYPE assignment.choice IS 'What the policy says of one member. rule null: the default trainer. outcome:
assign: trainer_id was chosen (a rule that chooses all gives one row for each trainer);
excluded: the rule chooses nobody;
already_assigned: the member has an active assignment that meets the policy;
ended: an assignment that met the rule was ended, and is not replaced;
is_trainer: the member is the default trainer;
no_room: the rule, or the default trainer, has no room;
kept: trainer_id is an active assignment that meets the policy (only when reassigning, one row for each).';

-- TYPE: assignment.clients

CREATE TYPE assignment.clients AS (
	member_ids uuid[],
	assignment_ids uuid[],
	notes text[]
);

COMMENT ON TYPE assignment.clients IS 'Clients of one trainer, each with the active assignment and its notes, in the order of the members.';

-- TYPE: assignment.pairs_result

CREATE TYPE assignment.pairs_result AS (
	assigned integer[],
	full_pairs integer[],
	gone_ids uuid[],
	failures assignment.member_failure[]
);

COMMENT ON TYPE assignment.pairs_result IS 'Of the given pairs of member and trainer, by position: those that were assigned, and those whose trainer has no room.
Then the members that no longer exist, and those that failed. All other pairs were assigned already.';

-- TYPE: assignment.request

CREATE TYPE assignment.request AS (
	purpose text,
	source text,
	actor text,
	trainer_id uuid,
	policy_version integer,
	from_trainer_id uuid,
	run_id uuid,
	notes text,
	by_force boolean
);

COMMENT ON TYPE assignment.request IS 'What is asked for when members are assigned. purpose:
first: the members are new, and have no assignments;
fill: they get what they lack; an assignment that they have, or had, stays as it is;
reassign: besides, what the policy chose and would no longer choose is replaced;
transfer: their assignments to from_trainer_id are replaced.
source, actor, run_id and notes go into the new rows. trainer_id null: the policy chooses, by policy_version (null: the one in
force). by_force: beyond the capacity.';

-- TYPE: assignment.trainer_count

CREATE TYPE assignment.trainer_count AS (
	trainer_id uuid,
	members integer
);

COMMENT ON TYPE assignment.trainer_count IS 'A trainer, and a number of members given to that trainer.';

-- FUNCTION: assignment.add_taken(assignment.trainer_count[], uuid[])

CREATE FUNCTION assignment.add_taken(p_taken assignment.trainer_count[], p_trainer_ids uuid[]) RETURNS assignment.trainer_count[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case when p_taken is not null then array(
    select row(t.trainer_id, sum(t.members))::assignment.trainer_count
    from (
      select taken.trainer_id, taken.members from unnest(p_taken) as taken
      union all
      select given.trainer_id, 1 from unnest(p_trainer_ids) as given (trainer_id)
    ) as t
    group by t.trainer_id
  ) end
$$;

COMMENT ON FUNCTION assignment.add_taken(p_taken assignment.trainer_count[], p_trainer_ids uuid[]) IS 'p_taken and one more for each item. Null remains null.';

-- FUNCTION: assignment.address_messages(integer)

CREATE FUNCTION assignment.address_messages(p_limit integer DEFAULT 1000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_ids uuid[];
begin
  v_ids := array(
    select m.id from assignment.outbox m where not m.is_addressed order by m.id limit p_limit for update skip locked
  );
  if v_ids = '{}' then
    return 0;
  end if;
  insert into assignment.deliveries (endpoint_id, message_id)
  select e.id, m.id
  from assignment.outbox m
  join assignment.webhook_endpoints e
    on e.url is not null
    and case
      when m.is_test_for is not null then e.id = m.is_test_for
      else e.enabled and m.type = any (e.types)
    end
  where m.id = any (v_ids)
  order by e.id, m.id
  on conflict (endpoint_id, message_id) do nothing;
  update assignment.outbox set is_addressed = true where id = any (v_ids);
  return cardinality(v_ids);
end;
$$;

COMMENT ON FUNCTION assignment.address_messages(p_limit integer) IS 'Makes the deliveries of up to p_limit new messages, and returns of how many. Several sessions may call it at once.';

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

-- FUNCTION: assignment.announce(text, uuid[], uuid[], uuid, integer)

CREATE FUNCTION assignment.announce(p_type text, p_assignment_ids uuid[] DEFAULT NULL::uuid[], p_member_ids uuid[] DEFAULT NULL::uuid[], p_run_id uuid DEFAULT NULL::uuid, p_policy_version integer DEFAULT NULL::integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
  if not assignment.is_wanted(p_type) then
    return true;
  end if;
  if p_assignment_ids is null and p_member_ids is null then
    insert into assignment.outbox (type, run_id, policy_version) values (p_type, p_run_id, p_policy_version);
    return true;
  end if;
  insert into assignment.outbox (type, assignment_ids, member_ids)
  select
    p_type,
    case when p_assignment_ids is not null then array_agg(i.id order by i.place) end,
    case when p_member_ids is not null then array_agg(i.id order by i.place) end
  from unnest(coalesce(p_assignment_ids, p_member_ids)) with ordinality as i (id, place)
  group by (i.place - 1) / 500;
  return true;
exception when others or assert_failure then
  begin
    insert into assignment.outbox_gaps (type, assignment_ids, member_ids, run_id, policy_version, message)
    values (p_type, p_assignment_ids, p_member_ids, p_run_id, p_policy_version, left(sqlerrm, 1000));
  exception when others or assert_failure then
    raise warning 'trainer assignment: no message tells of %: %', p_type, sqlerrm
      using hint = 'Consumers of webhooks do not hear of this change.';
  end;
  return false;
end;
$$;

COMMENT ON FUNCTION assignment.announce(p_type text, p_assignment_ids uuid[], p_member_ids uuid[], p_run_id uuid, p_policy_version integer) IS 'Writes messages of a type, of up to 500 ids each, if an enabled endpoint wants them. Never raises: false
where they could not be written, which is recorded in outbox_gaps.';

-- FUNCTION: assignment.as_jsonb(json)

CREATE FUNCTION assignment.as_jsonb(p_row json) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return p_row::jsonb;
exception when data_exception then
  return regexp_replace(
    p_row::text, '(?<!\\)((?:\\\\)*)\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g'
  )::jsonb;
end;
$$;

COMMENT ON FUNCTION assignment.as_jsonb(p_row json) IS 'A row as jsonb. Where it has characters that jsonb cannot hold, those become U+FFFD.';

-- FUNCTION: assignment.assign_batch(assignment.request, uuid[], jsonb[], integer)

CREATE FUNCTION assignment.assign_batch(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[] DEFAULT NULL::jsonb[], p_max_attempts integer DEFAULT NULL::integer) RETURNS assignment.batch_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_request assignment.request := p_request;
  v_settings assignment.settings;
  v_members record;
  v_result assignment.batch_result;
begin
  if v_request.trainer_id is null and v_request.policy_version is null then
    select * into v_settings from assignment.settings;
    if not found then
      perform assignment.default_trainer_id();  -- raises
    end if;
    v_request.policy_version := v_settings.policy_version;
    if not (v_settings.needs_choice or (v_request.purpose <> 'first' and v_settings.respects_other_trainers)) then
      v_request.trainer_id := v_settings.default_trainer_id;
    end if;
  end if;
  if v_request.trainer_id is not null then
    return assignment.assign_to_trainer(v_request, p_member_ids, p_max_attempts);
  end if;

  if p_rows is null then
    select * into v_members from assignment.read_members(p_member_ids);
  else
    select p_member_ids as member_ids, p_rows as member_rows into v_members;
  end if;
  v_result := assignment.choose_and_assign(v_request, v_members.member_ids, v_members.member_rows, p_max_attempts => p_max_attempts);
  v_result.member_gone := v_result.member_gone + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  return v_result;
end;
$$;

COMMENT ON FUNCTION assignment.assign_batch(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_max_attempts integer) IS 'Assigns members as a request says that is no transfer, and counts the results. p_rows: the members'' rows, in the same order; null: read
from members. Raises as choose_and_assign does.';

-- FUNCTION: assignment.assign_member(uuid, uuid, text, text, boolean, text, text)

CREATE FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid DEFAULT NULL::uuid, p_notes text DEFAULT NULL::text, p_source text DEFAULT 'manual'::text, p_by_force boolean DEFAULT false, p_actor text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_request assignment.request;
begin
  v_request.purpose := 'fill';
  v_request.source := p_source;
  v_request.actor := coalesce(p_actor, assignment.database_role());
  v_request.notes := p_notes;
  v_request.by_force := p_by_force;
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

  select one.assigned, one.id, one.assignment_date, one.source, one.notes
  into assign_member.assigned, assign_member.id, assign_member.assignment_date, assign_member.source, assign_member.notes
  from assignment.assign_one(v_request, p_member_id, assign_member.trainer_id) as one;

  if assigned and source = 'manual' then
    perform assignment.record_audit(
      p_actor,
      'assignment.made',
      'assignment:' || id,
      array[trainer_id],
      p_after => jsonb_build_object('trainerId', trainer_id, 'force', p_by_force),
      p_request_id => p_request_id
    );
  end if;

  perform assignment.forget_failure(p_member_id, assign_member.trainer_id);
end;
$$;

COMMENT ON FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, p_by_force boolean, p_actor text, p_request_id text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) IS 'Assigns one member to a trainer, by default the default trainer. assigned is false when the assignment already existed.
An ended assignment gets a new row. p_by_force: also beyond the capacity of the trainer. p_actor null: the
database role. Writes assignment.made to the audit log when the source is manual.
Raises TA001 trainer not found, TA002 member not found, TA003 member is the trainer, TA004 failed (SQLSTATE in detail),
TA011 the trainer has no room.';

-- FUNCTION: assignment.assign_members(assignment.request, uuid[], uuid[], smallint[], text[], uuid[], uuid[], integer)

CREATE FUNCTION assignment.assign_members(p_request assignment.request, p_member_ids uuid[], p_trainer_ids uuid[], p_rules smallint[] DEFAULT NULL::smallint[], p_notes text[] DEFAULT NULL::text[], p_replaced_ids uuid[] DEFAULT '{}'::uuid[], p_replaced_members uuid[] DEFAULT '{}'::uuid[], p_max_attempts integer DEFAULT NULL::integer) RETURNS assignment.pairs_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION assignment.assign_members(p_request assignment.request, p_member_ids uuid[], p_trainer_ids uuid[], p_rules smallint[], p_notes text[], p_replaced_ids uuid[], p_replaced_members uuid[], p_max_attempts integer) IS 'Assigns the given, different pairs of member and trainer, each independently of the others, with the rule that chose the
pair (0: the default trainer; null: the trainer was named). p_notes: for each pair. p_replaced_ids: assignments of
p_replaced_members that end when a pair of the member is assigned, and only then. p_max_attempts limits the sub-transactions.
Raises transient errors; where all pairs have the same trainer, also a missing trainer (23503), and TA009 when the foreign
key of the trainer references another table.';

-- FUNCTION: assignment.assign_one(assignment.request, uuid, uuid)

CREATE FUNCTION assignment.assign_one(p_request assignment.request, p_member_id uuid, p_trainer_id uuid, OUT assigned boolean, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_result assignment.pairs_result;
begin
  for v_try in 1..3 loop
    begin
      v_result := assignment.assign_members(p_request, array[p_member_id], array[p_trainer_id]);
    exception when sqlstate 'TA009' then
      raise exception 'member % could not be assigned: %', p_member_id, sqlerrm using errcode = 'TA004', detail = 'TA009';
    end;
    if cardinality(v_result.full_pairs) > 0 then
      raise exception 'trainer % has no room', p_trainer_id
        using errcode = 'TA011', hint = 'To assign the member all the same, force it.';
    elsif cardinality(v_result.gone_ids) > 0 then
      raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
    elsif cardinality(v_result.failures) > 0 then
      raise exception 'member % could not be assigned: %', p_member_id, v_result.failures[1].message
        using errcode = 'TA004', detail = v_result.failures[1].sqlstate;
    end if;
    assigned := cardinality(v_result.assigned) = 1;

    select a.id, a.assignment_date, a.source, a.notes
    into id, assignment_date, source, notes
    from public.trainer_client_assignments a
    where a.client_id = p_member_id
      and a.trainer_id = p_trainer_id
      and a.status = 'active';
    exit when found;  -- otherwise the existing assignment was ended meanwhile
  end loop;
  if id is null then
    raise exception 'member % could not be assigned: no active assignment remains', p_member_id
      using errcode = 'TA004', detail = 'TA008';
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.assign_one(p_request assignment.request, p_member_id uuid, p_trainer_id uuid, OUT assigned boolean, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) IS 'Assigns one member to one trainer, and returns the active assignment. assigned is false when it already existed.
Raises TA002 member not found, TA004 failed (SQLSTATE in detail), TA011 the trainer has no room.';

-- FUNCTION: assignment.assign_or_record(uuid[], text, uuid, jsonb[], text)

CREATE FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid DEFAULT NULL::uuid, p_rows jsonb[] DEFAULT NULL::jsonb[], p_actor text DEFAULT NULL::text) RETURNS assignment.member_failure[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_request assignment.request;
  v_trainer_id uuid := p_trainer_id;
  v_failures assignment.member_failure[];
  v_gone_ids uuid[];
  v_sqlstate text;
  v_message text;
begin
  begin
    v_trainer_id := coalesce(p_trainer_id, (select default_trainer_id from assignment.settings where not needs_choice));
    v_request.purpose := case p_source when 'trigger' then 'first' else 'fill' end;  -- saves a query
    v_request.source := p_source;
    v_request.actor := coalesce(p_actor, case p_source when 'trigger' then 'trigger' else assignment.database_role() end);
    v_request.trainer_id := p_trainer_id;
    v_failures := (assignment.assign_batch(v_request, p_member_ids, p_rows, p_max_attempts => 1000)).failures;
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    begin
      v_gone_ids := assignment.find_gone_members(p_member_ids);
    exception when others or assert_failure then
      null;  -- whoever is gone is recorded as well, and the retry finds out
    end;
    v_failures := array(
      select row(present.id, v_sqlstate, left(v_message, 1000), null)::assignment.member_failure
      from (select unnest(p_member_ids) except select unnest(v_gone_ids)) as present (id)
    );
  end;

  if cardinality(v_failures) > 0 then
    begin
      insert into assignment.failures as f (member_id, trainer_id, requested_trainer_id, rule, sqlstate, message, source)
      select member_id, v_trainer_id, p_trainer_id, rule, sqlstate, message, p_source
      from unnest(v_failures)
      order by member_id
      on conflict (member_id) do update set
        trainer_id = excluded.trainer_id,
        requested_trainer_id = excluded.requested_trainer_id,
        rule = excluded.rule,
        sqlstate = excluded.sqlstate,
        message = excluded.message,
        source = excluded.source,
        attempts = least(f.attempts, 2147483646) + 1,
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

COMMENT ON FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid, p_rows jsonb[], p_actor text) IS 'Assigns members as the policy says, or to p_trainer_id, and records in assignment.failures who could not be assigned.
Returns those. p_actor null: trigger, or the database role. p_rows: the members'' rows, in the same order; null: read from members.
Ended assignments stay ended. Waits at most 250 ms for a lock.
Never raises, except when the caller cancels the statement or its statement_timeout expires.';

-- FUNCTION: assignment.assign_to_trainer(assignment.request, uuid[], integer)

CREATE FUNCTION assignment.assign_to_trainer(p_request assignment.request, p_member_ids uuid[], p_max_attempts integer DEFAULT NULL::integer) RETURNS assignment.batch_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_result assignment.batch_result := (0, 0, 0, 0, 0, 0, 0, '{}', null);
  v_ids uuid[];
  v_pairs assignment.pairs_result;
begin
  if p_request.purpose <> 'first' then
    select unassigned, already_assigned, ended, is_trainer
    into v_ids, v_result.already_assigned, v_result.ended, v_result.is_trainer
    from assignment.sort_members(p_member_ids, p_request.trainer_id);
  else
    v_ids := array(select distinct id from unnest(p_member_ids) as asked (id) where id <> p_request.trainer_id);
    v_result.is_trainer := (p_request.trainer_id = any (p_member_ids))::integer;
  end if;

  v_pairs := assignment.assign_members(
    p_request,
    v_ids,
    array_fill(p_request.trainer_id, array[cardinality(v_ids)]),
    p_max_attempts => p_max_attempts
  );
  v_result.successful := cardinality(v_pairs.assigned);
  v_result.member_gone := cardinality(v_pairs.gone_ids);
  v_result.failures := v_pairs.failures || array(
    select row(v_ids[i], 'TA011', format('trainer %s has no room', p_request.trainer_id), 0)::assignment.member_failure
    from unnest(v_pairs.full_pairs) as i
  );
  v_result.already_assigned := v_result.already_assigned + cardinality(v_ids)
    - v_result.successful - v_result.member_gone - cardinality(v_result.failures);
  return v_result;
end;
$$;

COMMENT ON FUNCTION assignment.assign_to_trainer(p_request assignment.request, p_member_ids uuid[], p_max_attempts integer) IS 'Assigns members to the trainer of the request, as far as there is room, and counts the results. A policy_version says that
this is the default trainer of that version.
Raises as assign_members does.';

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
  select n.member_ids, n.next_id into v_ids, v_next_id from assignment.next_members(v_run, v_lane, v_rows) as n;
  members := cardinality(v_ids);

  v_result := assignment.run_batch(v_run, v_ids);
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

-- FUNCTION: assignment.carry_out_choices(assignment.request, assignment.choice[], assignment.clients, integer)

CREATE FUNCTION assignment.carry_out_choices(p_request assignment.request, p_choices assignment.choice[], p_clients assignment.clients DEFAULT NULL::assignment.clients, p_max_attempts integer DEFAULT NULL::integer, OUT done assignment.choice[], OUT full_members uuid[], OUT full_trainers uuid[], OUT gone_ids uuid[], OUT failures assignment.member_failure[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION assignment.carry_out_choices(p_request assignment.request, p_choices assignment.choice[], p_clients assignment.clients, p_max_attempts integer, OUT done assignment.choice[], OUT full_members uuid[], OUT full_trainers uuid[], OUT gone_ids uuid[], OUT failures assignment.member_failure[]) IS 'Carries out what choose returned. done: the choices, with outcome assigned for pairs that were inserted, and without the
pairs whose trainer has no room: full_members, full_trainers. p_clients: of a transfer, as select_clients found them.
A member keeps what would be replaced until a chosen trainer is assigned. Raises as assign_members does.';

-- FUNCTION: assignment.change_backfill_status(uuid, text, text, text, text, text)

CREATE FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text DEFAULT NULL::text, p_traceparent text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text) RETURNS void
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
    status_request_id = p_request_id,
    finished_at = case when p_to = 'cancelled' then clock_timestamp() end,
    throttled_because = null,
    tries = 0,
    resume_traceparent = case p_to when 'running' then p_traceparent else resume_traceparent end
  where id = p_run_id;
end;
$$;

COMMENT ON FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text, p_request_id text) IS 'Sets the status of a run to p_to: running, paused or cancelled.
Raises TA006 the current status does not allow it, TA007 run not found.';

-- FUNCTION: assignment.change_trainer(uuid, jsonb, text, text)

CREATE FUNCTION assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_before assignment.trainers;
  v_after assignment.trainers;
begin
  if not exists (select from public.members where id = p_trainer_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  insert into assignment.trainers (trainer_id) values (p_trainer_id) on conflict (trainer_id) do nothing;
  select * into v_before from assignment.trainers where trainer_id = p_trainer_id for update;
  update assignment.trainers
  set capacity = case when p_change ? 'capacity' then (p_change ->> 'capacity')::integer else capacity end,
    accepts_clients = case when p_change ? 'acceptsClients' then (p_change ->> 'acceptsClients')::boolean else accepts_clients end,
    note = case when p_change ? 'note' then p_change ->> 'note' else note end,
    updated_at = now(),
    updated_by = p_actor
  where trainer_id = p_trainer_id
  returning * into v_after;

  -- Signups that began before this and have not committed yet take no seat; the scheduled reconciliation counts them.
  perform assignment.settle_seats(p_trainer_id);
  perform assignment.refresh_settings();
  perform assignment.make_waiting_due(array_fill(p_trainer_id, array[least(coalesce(v_after.capacity, 1000), 1000)]));
  perform assignment.record_audit(
    p_actor,
    'trainer.changed',
    'trainer:' || p_trainer_id,
    array[p_trainer_id],
    jsonb_build_object('capacity', v_before.capacity, 'acceptsClients', v_before.accepts_clients),
    jsonb_build_object(
      'capacity', v_after.capacity,
      'acceptsClients', v_after.accepts_clients,
      'noteChanged', v_after.note is distinct from v_before.note  -- the note itself may be personal
    ),
    p_request_id
  );
end;
$$;

COMMENT ON FUNCTION assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text) IS 'Sets capacity, acceptsClients and note of a trainer, those that p_change has. Clients beyond a lowered capacity stay. Makes
up to 1,000 failures due that wait for the trainer. Raises TA001 p_trainer_id is not a member.';

-- FUNCTION: assignment.check_transfer(uuid, uuid, jsonb)

CREATE FUNCTION assignment.check_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_condition jsonb) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_policy_version integer;
  v_problem record;
begin
  perform assignment.require_visible_rows();
  if not exists (select from public.members where id = p_from_trainer_id) then
    raise exception 'trainer % is not a member', p_from_trainer_id using errcode = 'TA001';
  elsif p_trainer_id is not null and not exists (select from public.members where id = p_trainer_id) then
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  elsif p_trainer_id = p_from_trainer_id then
    raise exception 'trainer % cannot take over from themselves', p_from_trainer_id using errcode = 'TA017';
  end if;
  if p_trainer_id is null then
    select s.policy_version into v_policy_version
    from assignment.settings s
    where s.default_trainer_id <> p_from_trainer_id
      or exists (select from assignment.policy_rules r where r.version = s.policy_version);
    if not found then
      perform assignment.default_trainer_id();  -- raises where there are no settings
      raise exception 'the policy knows no trainer besides %', p_from_trainer_id
        using errcode = 'TA017', hint = 'Name the trainer who takes over, or change the policy first.';
    end if;
  end if;
  if p_condition is not null then
    select * into v_problem
    from assignment.find_policy_problems(jsonb_build_object(
      'defaultTrainerId', null,
      'respectsOtherTrainers', false,
      'rules', jsonb_build_array(assignment.selecting_rule(p_condition))
    )) as p
    where not p.is_warning
    order by p.pointer
    limit 1;
    if found then
      raise exception '%', v_problem.detail
        using errcode = 'TA012', detail = regexp_replace(v_problem.pointer, '^/rules/0/when', '/condition');
    end if;
  end if;
  return v_policy_version;
end;
$$;

COMMENT ON FUNCTION assignment.check_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_condition jsonb) IS 'The version of the policy that a transfer would follow; null if the trainer who takes over is named.
Raises TA001 a trainer is not a member, TA012 the condition is not valid (a pointer in detail), TA017 nobody can take over.';

-- TABLE: assignment.policy_rules

CREATE TABLE assignment.policy_rules (
    version integer NOT NULL,
    rule smallint NOT NULL,
    name text NOT NULL,
    predicate jsonpath,
    asks text[] NOT NULL,
    kinds text[] NOT NULL,
    choose text NOT NULL,
    field text[],
    trainer_ids uuid[] NOT NULL,
    weights integer[] NOT NULL,
    when_full text NOT NULL,
    CONSTRAINT choose_is_known CHECK ((choose = ANY (ARRAY['nobody'::text, 'field'::text, 'all'::text, 'spread'::text, 'most_room'::text]))),
    CONSTRAINT each_field_has_a_kind CHECK ((cardinality(asks) = cardinality(kinds))),
    CONSTRAINT each_trainer_has_a_weight CHECK ((cardinality(trainer_ids) = cardinality(weights))),
    CONSTRAINT field_belongs_to_choose CHECK (((field IS NOT NULL) = (choose = 'field'::text))),
    CONSTRAINT trainers_belong_to_choose CHECK (((cardinality(trainer_ids) > 0) = (choose = ANY (ARRAY['all'::text, 'spread'::text, 'most_room'::text])))),
    CONSTRAINT when_full_is_known CHECK ((when_full = ANY (ARRAY['next'::text, 'wait'::text])))
);

COMMENT ON TABLE assignment.policy_rules IS 'The rules of each version, as compile_rules compiled them.';

COMMENT ON COLUMN assignment.policy_rules.rule IS 'Position in the document, from 1. The first rule that matches a member and has a trainer to give decides.';

COMMENT ON COLUMN assignment.policy_rules.predicate IS 'Condition on the member''s row as jsonb. Null: every member.';

COMMENT ON COLUMN assignment.policy_rules.asks IS 'Fields that predicate and field read, each a path of keys as a text array literal. Members with equal values of all of
them match the same rules.';

COMMENT ON COLUMN assignment.policy_rules.kinds IS 'The kind that the column of each field had when the rule was compiled, as member_columns names it.';

COMMENT ON COLUMN assignment.policy_rules.field IS 'For choose = field: the path to the trainer''s id in the member''s row.';

COMMENT ON COLUMN assignment.policy_rules.trainer_ids IS 'No foreign keys: the application may delete a trainer, who is then not chosen.';

-- FUNCTION: assignment.choose(assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[])

CREATE FUNCTION assignment.choose(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[] DEFAULT '{}'::uuid[], p_taken assignment.trainer_count[] DEFAULT '{}'::assignment.trainer_count[]) RETURNS SETOF assignment.choice
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if p_request.purpose = 'transfer' then
    return query
    select * from assignment.choose_successors(p_request, p_document, p_rules, p_member_ids, p_rows, p_full, p_taken);
  else
    return query
    select * from assignment.choose_trainers(p_document, p_rules, p_member_ids, p_rows, p_request.purpose, p_full, p_taken);
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.choose(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[]) IS 'The choices of choose_successors for a transfer, else those of choose_trainers.';

-- FUNCTION: assignment.choose_and_assign(assignment.request, uuid[], jsonb[], assignment.clients, integer)

CREATE FUNCTION assignment.choose_and_assign(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_clients assignment.clients DEFAULT NULL::assignment.clients, p_max_attempts integer DEFAULT NULL::integer) RETURNS assignment.batch_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'auto'
    SET jit TO 'off'
    AS $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_ids uuid[] := p_member_ids;
  v_rows jsonb[] := p_rows;
  v_result record;
  v_full uuid[] := '{}';
  v_done assignment.choice[] := '{}';
  v_gone_ids uuid[] := '{}';
  v_failures assignment.member_failure[] := '{}';
begin
  -- For a few members, a session plans once: planning is half of what a signup takes.
  if cardinality(p_member_ids) <= 10 then
    perform set_config('plan_cache_mode', 'force_generic_plan', true);
  end if;

  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_request.policy_version;
  if not found and p_request.policy_version is not null then
    raise exception 'the policy has no version %', p_request.policy_version using errcode = 'TA014';
  end if;

  loop
    select * into v_result
    from assignment.carry_out_choices(
      p_request,
      array(select c from assignment.choose(p_request, v_document, v_rules, v_ids, v_rows, v_full) as c),
      p_clients,
      p_max_attempts
    );
    v_done := v_done || v_result.done;
    v_gone_ids := v_gone_ids || v_result.gone_ids;
    v_failures := v_failures || v_result.failures;

    -- Where another session took the last seat, these members choose again, without that trainer.
    exit when v_result.full_members = '{}';
    v_full := v_full || array(select distinct unnest(v_result.full_trainers));
    select array_agg(m.id order by m.place), array_agg(m.member_row order by m.place)
    into v_ids, v_rows
    from unnest(v_ids, v_rows) with ordinality as m (id, member_row, place)
    where m.id in (select unnest(v_result.full_members));
  end loop;
  return assignment.count_choices(p_request, v_done, v_rules, v_gone_ids, v_failures);
end;
$$;

COMMENT ON FUNCTION assignment.choose_and_assign(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_clients assignment.clients, p_max_attempts integer) IS 'Assigns members, given with their rows, as the policy_version of the request says, or in a transfer to the trainer of the
request. Counts the results. Members for whom no trainer has room are among the failures (TA011).
Raises as assign_members does, and TA014 no such version.';

-- FUNCTION: assignment.choose_successors(assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[])

CREATE FUNCTION assignment.choose_successors(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[] DEFAULT '{}'::uuid[], p_taken assignment.trainer_count[] DEFAULT '{}'::assignment.trainer_count[]) RETURNS SETOF assignment.choice
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
declare
  v_trainer_id uuid := p_request.trainer_id;
  v_group record;
  v_choices assignment.choice[];
  v_taken assignment.trainer_count[] := p_taken;
begin
  -- What was ended by hand is not made again; what a run ended may be.
  if v_trainer_id is not null then
    return query
    select
      k.id,
      case when answer.outcome = 'assign' then v_trainer_id end,
      null::smallint,
      answer.outcome
    from (
      select m.id, known.status, row_number() over (partition by known.status is null and m.id <> v_trainer_id order by m.place) as place
      from unnest(p_member_ids) with ordinality as m (id, place)
      left join lateral (
        select a.status
        from public.trainer_client_assignments a
        where a.client_id = m.id
          and a.trainer_id is not distinct from v_trainer_id  -- unlike =, keeps the planner from the index by trainer
          and (a.status = 'active' or coalesce(a.ended_because, 'direct') not in ('transfer', 'reassign'))
        order by a.status
        limit 1
      ) as known on true
    ) as k
    left join assignment.find_room(array[v_trainer_id], p_full, p_taken, cardinality(p_member_ids)) as r on true
    cross join lateral (
      select case
        when k.id = v_trainer_id then 'is_trainer'
        when k.status = 'active' then 'already_assigned'
        when k.status is not null then 'ended'
        when r.trainer_id is null or k.place > r.room then 'no_room'
        else 'assign'
      end as outcome
    ) as answer;
    return;
  end if;

  for v_group in
    select array_agg(m.id order by m.place) as ids, array_agg(m.member_row order by m.place) as rows, former.trainer_ids
    from unnest(p_member_ids, p_rows) with ordinality as m (id, member_row, place)
    cross join lateral (
      select coalesce(array_agg(distinct a.trainer_id), '{}') as trainer_ids
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.status = 'inactive'
        and a.trainer_id is not null
        and coalesce(a.ended_because, 'direct') not in ('transfer', 'reassign')
    ) as former
    group by former.trainer_ids
  loop
    v_choices := array(
      select c
      from assignment.choose_trainers(
        p_document,
        p_rules,
        v_group.ids,
        v_group.rows,
        'transfer',
        p_full || p_request.from_trainer_id || v_group.trainer_ids,
        v_taken,
        p_request.from_trainer_id
      ) as c
    );
    return query  -- who is left, or was ended by hand, is not without room
    select c.member_id, c.trainer_id, c.rule, case
      when c.outcome <> 'no_room' or r.choose = 'field' then c.outcome
      when asked.trainer_ids = '{}' then 'excluded'
      when asked.trainer_ids <@ v_group.trainer_ids then 'ended'
      else c.outcome
    end
    from unnest(v_choices) as c
    left join unnest(p_rules) as r on r.rule = c.rule
    cross join lateral (
      select array_remove(
        case when c.rule is null then array[(p_document ->> 'defaultTrainerId')::uuid] else r.trainer_ids end,
        p_request.from_trainer_id
      ) as trainer_ids
    ) as asked;
    v_taken := assignment.add_taken(v_taken, array(select c.trainer_id from unnest(v_choices) as c where c.outcome = 'assign'));
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.choose_successors(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[]) IS 'One choice for each client, or one for each trainer where a rule chooses all, as choose_trainers returns them. The trainer
who is left is never chosen, and neither is one whose assignment to the client was ended by hand.
p_rows, p_document and p_rules are needed when the policy chooses. p_full, p_taken: as for choose_trainers.';

-- FUNCTION: assignment.choose_trainers(jsonb, assignment.policy_rules[], uuid[], jsonb[], text, uuid[], assignment.trainer_count[], uuid)

CREATE FUNCTION assignment.choose_trainers(p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_purpose text DEFAULT 'fill'::text, p_full uuid[] DEFAULT '{}'::uuid[], p_taken assignment.trainer_count[] DEFAULT '{}'::assignment.trainer_count[], p_from_trainer_id uuid DEFAULT NULL::uuid) RETURNS SETOF assignment.choice
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET work_mem TO '32MB'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_default_id uuid := p_document ->> 'defaultTrainerId';
  v_keeps_met boolean := p_purpose <> 'first';
  v_pending integer[] := array(select generate_subscripts(p_member_ids, 1));
  v_rule assignment.policy_rules;
  v_match record;
  v_here integer[];
  v_met_members integer[];
  v_met_trainers uuid[];
  v_met_active boolean[];
  v_dealt_members integer[];
  v_dealt_trainers uuid[];
  v_decided integer[];
  v_taken assignment.trainer_count[] := p_taken;
begin
  if v_keeps_met and (p_document ->> 'respectsOtherTrainers')::boolean then
    v_decided := array(
      select i
      from unnest(v_pending) as i
      where exists (
        select
        from public.trainer_client_assignments a
        where a.client_id = p_member_ids[i]
          and a.status = 'active'
          and a.trainer_id is distinct from p_from_trainer_id
          and (p_purpose <> 'reassign' or a.policy_version is null)  -- what the policy chose, it may choose anew
      )
    );
    return query select p_member_ids[i], null::uuid, null::smallint, 'already_assigned' from unnest(v_decided) as i;
    v_pending := array(select unnest(v_pending) except select unnest(v_decided) order by 1);
  end if;

  for v_match in
    select r as rule, m.matched
    from assignment.match_rules(p_rules, p_rows) m
    join unnest(p_rules) as r on r.rule = m.rule
    order by m.rule
  loop
    v_rule := v_match.rule;
    v_here := array(select unnest(v_match.matched) intersect select unnest(v_pending) order by 1);
    continue when v_here = '{}';

    if v_rule.choose = 'nobody' then
      return query select p_member_ids[i], null::uuid, v_rule.rule, 'excluded' from unnest(v_here) as i;
      v_pending := array(select unnest(v_pending) except select unnest(v_here) order by 1);
      continue;
    end if;

    v_met_members := '{}';
    v_met_trainers := '{}';
    v_met_active := '{}';
    if v_keeps_met then
      select coalesce(array_agg(index), '{}'), coalesce(array_agg(trainer_id), '{}'), coalesce(array_agg(is_active), '{}')
      into v_met_members, v_met_trainers, v_met_active
      from assignment.find_met(v_rule, p_member_ids, p_rows, v_here, p_purpose, p_from_trainer_id);
    end if;

    select coalesce(array_agg(d.index), '{}'), coalesce(array_agg(d.trainer_id), '{}')
    into v_dealt_members, v_dealt_trainers
    from assignment.deal_out(
      v_rule, p_member_ids, p_rows, v_here, v_met_members, v_met_trainers, p_full, v_taken
    ) as d;
    return query
    select p_member_ids[d.index], d.trainer_id, v_rule.rule, 'assign'
    from unnest(v_dealt_members, v_dealt_trainers) as d (index, trainer_id);
    return query
    select
      p_member_ids[met.index],
      null::uuid,
      v_rule.rule,
      case when bool_or(met.is_active) then 'already_assigned' else 'ended' end
    from unnest(v_met_members, v_met_active) as met (index, is_active)
    where met.index not in (select unnest(v_dealt_members))
    group by met.index;
    if p_purpose = 'reassign' then
      return query
      select p_member_ids[met.index], met.trainer_id, v_rule.rule, 'kept'
      from unnest(v_met_members, v_met_trainers, v_met_active) as met (index, trainer_id, is_active)
      where met.is_active;
    end if;
    v_decided := v_dealt_members || v_met_members;
    v_taken := assignment.add_taken(v_taken, v_dealt_trainers);

    if v_rule.when_full = 'wait' then
      v_here := array(select unnest(v_here) except select unnest(v_decided));
      v_here := case v_rule.choose
        when 'field' then array(
          select n.index from assignment.find_named_trainers(v_rule, p_member_ids, p_rows, v_here) as n
        )
        else array(  -- nobody waits for themselves
          select i from unnest(v_here) as i where array_remove(v_rule.trainer_ids, p_member_ids[i]) <> '{}'
        )
      end;
      return query select p_member_ids[i], null::uuid, v_rule.rule, 'no_room' from unnest(v_here) as i;
      v_decided := v_decided || v_here;
    end if;
    v_pending := array(select unnest(v_pending) except select unnest(v_decided) order by 1);
  end loop;

  return query
  select p_member_ids[i.index], answer.trainer_id, null::smallint, answer.outcome
  from (
    select
      pending.index,
      known.status,
      row_number() over (partition by known.status is null and p_member_ids[pending.index] <> v_default_id order by pending.index) as place
    from unnest(v_pending) as pending (index)
    left join lateral (
      select a.status
      from public.trainer_client_assignments a
      where v_keeps_met
        and a.client_id = p_member_ids[pending.index]
        and a.trainer_id is not distinct from v_default_id
        and case a.status
          when 'active' then v_default_id is distinct from p_from_trainer_id
          else p_purpose = 'fill'
            or (p_purpose = 'reassign' and not assignment.is_ended_by_policy(a.ended_run_id))
        end
      order by a.status
      limit 1
    ) as known on true
  ) as i
  left join assignment.find_room(array[v_default_id], p_full, v_taken, cardinality(v_pending)) as r on true
  cross join lateral (
    select case
      when p_member_ids[i.index] = v_default_id then 'is_trainer'
      when i.status = 'active' then 'already_assigned'
      when i.status is not null then 'ended'
      when r.trainer_id is null or i.place > r.room then 'no_room'
      else 'assign'
    end as outcome
  ) as decided
  cross join lateral (
    select decided.outcome, case decided.outcome when 'assign' then v_default_id end as trainer_id
    union all
    select 'kept', v_default_id where p_purpose = 'reassign' and decided.outcome = 'already_assigned'
  ) as answer;
end;
$$;

COMMENT ON FUNCTION assignment.choose_trainers(p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_purpose text, p_full uuid[], p_taken assignment.trainer_count[], p_from_trainer_id uuid) IS 'What a policy, given as its document and compiled rules, says of members, given with their rows: one choice for each
member, or one for each trainer where a rule chooses all.
p_purpose: as in a request. A member who has a trainer of a rule keeps to that, and where it counts for the purpose (see
find_met) also one who had. p_from_trainer_id: assignments to this trainer do not count.
p_full: trainers not to choose. p_taken: seats to count as taken; null: as if nobody had a capacity.';

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
    kind text DEFAULT 'backfill'::text NOT NULL,
    from_trainer_id uuid,
    trainer_id uuid,
    policy_version integer,
    status text DEFAULT 'running'::text NOT NULL,
    status_changed_by text NOT NULL,
    status_reason text,
    status_request_id text,
    dry_run boolean DEFAULT false NOT NULL,
    reassigns boolean DEFAULT false NOT NULL,
    condition jsonb,
    only_selected boolean DEFAULT false NOT NULL,
    notes text,
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
    CONSTRAINT from_trainer_belongs_to_transfer CHECK (((from_trainer_id IS NOT NULL) = (kind = 'transfer'::text))),
    CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['backfill'::text, 'transfer'::text]))),
    CONSTRAINT only_failed_is_a_retry CHECK (((NOT only_failed) OR (retry_of IS NOT NULL))),
    CONSTRAINT reassigning_belongs_to_policy CHECK (((NOT reassigns) OR ((kind = 'backfill'::text) AND (trainer_id IS NULL)))),
    CONSTRAINT selection_belongs_to_transfer CHECK (((kind = 'transfer'::text) OR ((condition IS NULL) AND (NOT only_selected) AND (notes IS NULL)))),
    CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['running'::text, 'paused'::text, 'cancelled'::text, 'succeeded'::text, 'completed_with_errors'::text]))),
    CONSTRAINT trainer_or_policy_is_known CHECK (((trainer_id IS NOT NULL) OR (policy_version IS NOT NULL)))
);

COMMENT ON TABLE assignment.backfill_runs IS 'Runs. A backfill passes over all members and assigns those whom its trainer, or its policy, lacks. A transfer passes over the
clients of one trainer and gives them to others.';

COMMENT ON COLUMN assignment.backfill_runs.kind IS 'backfill or transfer.';

COMMENT ON COLUMN assignment.backfill_runs.from_trainer_id IS 'Of a transfer: the trainer whose clients it moves.';

COMMENT ON COLUMN assignment.backfill_runs.trainer_id IS 'The trainer of all assignments that the run makes. Null: the policy chooses.';

COMMENT ON COLUMN assignment.backfill_runs.policy_version IS 'The version of the policy that the run began with and keeps. Null: the caller named the trainer.';

COMMENT ON COLUMN assignment.backfill_runs.status IS 'running, paused, cancelled, succeeded, or completed_with_errors. The last three end the run.';

COMMENT ON COLUMN assignment.backfill_runs.status_changed_by IS 'Who set the current status. Set it with every change of status.';

COMMENT ON COLUMN assignment.backfill_runs.status_reason IS 'Why the status changed. Null: no reason was given.';

COMMENT ON COLUMN assignment.backfill_runs.status_request_id IS 'The HTTP request that set the current status. Null: none.';

COMMENT ON COLUMN assignment.backfill_runs.dry_run IS 'Only counts what a real run would do, and assigns nobody.';

COMMENT ON COLUMN assignment.backfill_runs.reassigns IS 'Also replaces what a policy chose and would no longer choose. What a person assigned stays.';

COMMENT ON COLUMN assignment.backfill_runs.condition IS 'Of a transfer: moves only clients who match it, as in a rule. Null: all.';

COMMENT ON COLUMN assignment.backfill_runs.only_selected IS 'Of a transfer: moves only the clients in backfill_selected.';

COMMENT ON COLUMN assignment.backfill_runs.notes IS 'Of a transfer: the notes of the new assignments. Null: those of the ended ones.';

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

-- FUNCTION: assignment.choose_transfer(assignment.backfill_runs, uuid[])

CREATE FUNCTION assignment.choose_transfer(p_run assignment.backfill_runs, p_member_ids uuid[], OUT selected integer, OUT choices assignment.choice[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
  v_selected record;
begin
  select (s.clients).member_ids, s.member_rows into v_selected from assignment.select_clients(p_run, p_member_ids) as s;
  selected := cardinality(v_selected.member_ids);
  choices := array(
    select c
    from assignment.choose(
      assignment.run_request(p_run),
      (select p.document from assignment.policies p where p.version = p_run.policy_version),
      array(select r from assignment.policy_rules r where r.version = p_run.policy_version order by r.rule),
      v_selected.member_ids,
      v_selected.member_rows
    ) as c
  );
end;
$$;

COMMENT ON FUNCTION assignment.choose_transfer(p_run assignment.backfill_runs, p_member_ids uuid[], OUT selected integer, OUT choices assignment.choice[]) IS 'How many of the clients the transfer selects, and what choose says of those.';

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

-- FUNCTION: assignment.claim_seats(uuid[])

CREATE FUNCTION assignment.claim_seats(p_trainer_ids uuid[]) RETURNS integer[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_without_seat integer[];
begin
  if not exists (
    select
    from assignment.trainers t
    where t.trainer_id = any (p_trainer_ids)
      and (t.capacity is not null or not t.accepts_clients)
  ) then
    return '{}';
  end if;

  with wanted as materialized (
    select
      p.position,
      t.trainer_id,
      t.accepts_clients,
      row_number() over (partition by t.trainer_id order by p.position) as place
    from unnest(p_trainer_ids) with ordinality as p (trainer_id, position)
    join assignment.trainers t on t.trainer_id = p.trainer_id
    where t.capacity is not null
      or not t.accepts_clients
  ),
  free as materialized (
    select found.trainer_id, found.seat
    from (
      select w.trainer_id, count(*) as places
      from wanted w
      where w.accepts_clients
      group by w.trainer_id
      order by w.trainer_id
    ) as asked
    cross join lateral (
      select s.trainer_id, s.seat
      from assignment.seats s
      where s.trainer_id = asked.trainer_id
        and not s.is_overbooked
        and not exists (select from assignment.seats o where o.trainer_id = asked.trainer_id and o.is_overbooked)
      order by s.seat
      limit asked.places
      for update skip locked
    ) as found
  ),
  taken as (
    delete from assignment.seats s
    using free f
    where s.trainer_id = f.trainer_id
      and not s.is_overbooked
      and s.seat = f.seat
    returning s.trainer_id
  ),
  counted as (
    select t.trainer_id, count(*) as seats from taken t group by t.trainer_id
  )
  select coalesce(array_agg(w.position::integer order by w.position), '{}')
  into v_without_seat
  from wanted w
  left join counted c on c.trainer_id = w.trainer_id
  where w.place > coalesce(c.seats, 0);
  return v_without_seat;
end;
$$;

COMMENT ON FUNCTION assignment.claim_seats(p_trainer_ids uuid[]) IS 'Takes one seat for each item whose trainer has a capacity. Returns the positions of the items that got none: the trainer
has no room, or accepts no clients.';

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

-- FUNCTION: assignment.compile_condition(jsonb)

CREATE FUNCTION assignment.compile_condition(p_condition jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_path text[];
  v_item text := '$';
  v_kind text;
  v_value_kind text;
  v_op text := p_condition ->> 'op';
  v_value jsonb := p_condition -> 'value';
  v_key text;
begin
  if p_condition ? 'all' then
    return (select '(' || string_agg(assignment.compile_condition(c), ' && ') || ')' from jsonb_array_elements(p_condition -> 'all') as c);
  elsif p_condition ? 'any' then
    return (select '(' || string_agg(assignment.compile_condition(c), ' || ') || ')' from jsonb_array_elements(p_condition -> 'any') as c);
  elsif p_condition ? 'not' then
    return '!(' || assignment.compile_condition(p_condition -> 'not') || ')';
  end if;

  v_path := assignment.field_path(p_condition ->> 'field');
  foreach v_key in array v_path loop
    v_item := v_item || '.' || to_json(v_key)::text;
  end loop;
  select
    case when cardinality(v_path) = 1 then kind else 'json' end,
    case when cardinality(v_path) = 1 then value_kind else 'json' end
  into v_kind, v_value_kind
  from assignment.member_columns
  where name = v_path[1];

  -- An absent field and a null one are the same, and match nothing but missing.
  case v_op
    when 'exists' then return format('(%s.type() != "null")', v_item);
    when 'missing' then return format('!(%s.type() != "null")', v_item);
    when 'ne' then
      return format('(%s.type() != "null" && !exists(%1$s ? (%s)))', v_item, assignment.compile_test('eq', v_kind, v_value));
    when 'in', 'not_in' then
      return (
        select format(
          case v_op when 'in' then 'exists(%s ? (%s))' else '(%s.type() != "null" && !exists(%1$s ? (%s)))' end,
          v_item,
          string_agg(assignment.compile_test('eq', v_kind, each), ' || ')
        )
        from jsonb_array_elements(v_value) as each
      );
    when 'contains' then
      if v_kind = 'array' then
        return format('exists(%s[*] ? (%s))', v_item, assignment.compile_test('eq', v_value_kind, v_value));
      elsif v_kind = 'json' then  -- an array that has the item, or a text that has the part
        return format(
          '((%s.type() == "array" && exists(%1$s[*] ? (%2$s))) || (%1$s.type() == "string" && exists(%1$s ? (%3$s))))',
          v_item,
          assignment.compile_test('eq', v_kind, v_value),
          case jsonb_typeof(v_value)
            when 'string' then assignment.compile_test('contains', v_kind, v_value)
            else '1 == 0'
          end
        );
      end if;
      return format('exists(%s ? (%s))', v_item, assignment.compile_test(v_op, v_kind, v_value));
    else
      return format('exists(%s ? (%s))', v_item, assignment.compile_test(v_op, v_kind, v_value));
  end case;
end;
$_$;

COMMENT ON FUNCTION assignment.compile_condition(p_condition jsonb) IS 'The text of a jsonpath predicate for a condition that find_policy_problems found nothing amiss with.';

-- FUNCTION: assignment.compile_rules(jsonb, integer)

CREATE FUNCTION assignment.compile_rules(p_document jsonb, p_version integer) RETURNS SETOF assignment.policy_rules
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select
    p_version,
    r.ordinality::smallint,
    r.body ->> 'name',
    case when r.body ? 'when' then assignment.compile_condition(r.body -> 'when')::jsonpath end,
    asked.paths,
    array(
      select case c.kind when 'array' then c.value_kind || '[]' else c.kind end
      from unnest(asked.paths) with ordinality as a (path, place)
      left join assignment.member_columns c on c.name = (a.path::text[])[1]
      order by a.place
    ),
    r.body #>> '{assign,choose}',
    assignment.field_path(r.body #>> '{assign,field}'),
    array(
      select (t.trainer ->> 'trainerId')::uuid
      from jsonb_array_elements(r.body #> '{assign,trainers}') with ordinality as t (trainer, place)
      order by t.place
    ),
    array(
      select coalesce((t.trainer ->> 'weight')::integer, 1)
      from jsonb_array_elements(r.body #> '{assign,trainers}') with ordinality as t (trainer, place)
      order by t.place
    ),
    coalesce(r.body #>> '{assign,whenFull}', 'next')
  from jsonb_array_elements(p_document -> 'rules') with ordinality as r (body, ordinality)
  cross join lateral (
    select array(
      select distinct assignment.field_path(f.name)::text
      from (
        select l.leaf ->> 'field' as name
        from assignment.condition_leaves(r.body -> 'when', '') as l
        union all
        select r.body #>> '{assign,field}'
      ) as f
      where f.name is not null
      order by 1
    ) as paths
  ) as asked
$$;

COMMENT ON FUNCTION assignment.compile_rules(p_document jsonb, p_version integer) IS 'The rules of a document in which find_policy_problems found no error, compiled for choose_trainers.';

-- FUNCTION: assignment.compile_test(text, text, jsonb)

CREATE FUNCTION assignment.compile_test(p_op text, p_kind text, p_value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    AS $$
  select case
    when p_op = 'starts_with' then '@ starts with ' || v.literal
    when p_op = 'contains' then '@ like_regex ' || v.literal || ' flag "q"'
    when p_kind in ('date', 'timestamp', 'timestamptz') then format(
      '@.datetime() %s %s.datetime()%s',
      v.comparison,
      v.literal,
      case  -- jsonpath reads no infinite time
        when p_op in ('gt', 'gte') then ' || @ == "infinity"'
        when p_op in ('lt', 'lte') then ' || @ == "-infinity"'
      end
    )
    else format('@ %s %s', v.comparison, v.literal)
  end
  from (
    select
      case p_kind  -- as to_jsonb writes a value of the column
        when 'date' then to_jsonb((p_value #>> '{}')::date)::text
        when 'timestamp' then to_jsonb((p_value #>> '{}')::timestamptz at time zone 'UTC')::text
        when 'timestamptz' then to_jsonb((p_value #>> '{}')::timestamptz)::text
        when 'uuid' then to_jsonb((p_value #>> '{}')::uuid)::text
        when 'citext' then lower(p_value::text)
        else p_value::text
      end as literal,
      case p_op when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>' when 'gte' then '>=' else '==' end as comparison
  ) as v
$$;

COMMENT ON FUNCTION assignment.compile_test(p_op text, p_kind text, p_value jsonb) IS 'A test of the jsonpath item @ against a value, for values of that kind. like_regex is the only operator that finds a part
of a text; its flag q makes it compare characters, not patterns.';

-- FUNCTION: assignment.condition_leaves(jsonb, text)

CREATE FUNCTION assignment.condition_leaves(p_condition jsonb, p_pointer text) RETURNS TABLE(leaf jsonb, pointer text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with recursive nodes (node, pointer) as (
    select p_condition, p_pointer
    union all
    select child.node, n.pointer || child.step
    from nodes n
    cross join lateral (
      select value as node, format('/%s/%s', key, ordinality - 1) as step
      from (values ('all'), ('any')) as k (key)
      cross join jsonb_array_elements(n.node -> key) with ordinality
      where jsonb_typeof(n.node -> key) = 'array'
      union all
      select n.node -> 'not', '/not'
      where n.node ? 'not'
    ) as child
  )
  select node, pointer from nodes where node ? 'field'
$$;

COMMENT ON FUNCTION assignment.condition_leaves(p_condition jsonb, p_pointer text) IS 'The leaves {field, op, value} of a condition, each with its JSON pointer. p_pointer: the pointer of the condition.';

-- FUNCTION: assignment.count_choices(assignment.request, assignment.choice[], assignment.policy_rules[], uuid[], assignment.member_failure[])

CREATE FUNCTION assignment.count_choices(p_request assignment.request, p_choices assignment.choice[], p_rules assignment.policy_rules[], p_gone_ids uuid[] DEFAULT '{}'::uuid[], p_failures assignment.member_failure[] DEFAULT '{}'::assignment.member_failure[]) RETURNS assignment.batch_result
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
  with choices as materialized (
    select * from unnest(p_choices)
  ),
  failures as materialized (  -- a member fails once, whatever became of other pairs
    select distinct on (f.member_id) f.*
    from (
      select * from unnest(p_failures)
      union all
      select c.member_id, 'TA011', case
        when p_request.trainer_id is not null then format('trainer %s has no room', p_request.trainer_id)
        when c.rule is null then coalesce(
          (select 'no rule takes the member, and there is no default trainer' from assignment.settings where default_trainer_id is null),
          'the default trainer has no room'
        )
        else format('no trainer of rule %s (%s) has room', c.rule, r.name)
      end, coalesce(c.rule, 0::smallint)
      from choices c
      left join unnest(p_rules) as r on r.rule = c.rule
      where c.outcome = 'no_room'
      union all
      -- A transfer leaves nobody behind without saying so.
      select c.member_id, t.sqlstate, t.message, null::smallint
      from choices c
      join (
        values
          ('is_trainer', 'TA003', 'the member is the new trainer'),
          ('ended', 'TA015', 'the assignment to the new trainer was ended before, and is not made again'),
          ('excluded', 'TA016', 'the policy gives this member no other trainer')
      ) as t (outcome, sqlstate, message) on t.outcome = c.outcome
      where p_request.purpose = 'transfer'
    ) as f
    order by f.member_id
  ),
  members as (
    select
      c.member_id,
      case
        when c.member_id in (select unnest(p_gone_ids)) then 'gone'
        when bool_or(c.outcome = 'assigned') then 'assigned'
        when bool_or(c.outcome = 'assign') then 'already_assigned'  -- another session was faster
        else min(c.outcome)
      end as outcome
    from choices c
    where c.member_id not in (select f.member_id from failures f)
      and c.outcome <> 'kept'
    group by c.member_id
  )
  select row(
    count(*) filter (where m.outcome = 'assigned'),
    count(*) filter (where m.outcome = 'already_assigned'),
    count(*) filter (where m.outcome = 'ended'),
    count(*) filter (where m.outcome = 'is_trainer'),
    count(*) filter (where m.outcome = 'gone'),
    count(*) filter (where m.outcome = 'excluded'),
    0,  -- whom a transfer does not concern is not among the choices
    (select coalesce(array_agg(row(f.*)::assignment.member_failure), '{}') from failures f),
    (
      select coalesce(array_agg(row(g.rule, g.trainer_id, g.members)::assignment.choice_count), '{}')
      from (
        select coalesce(c.rule, 0) as rule, c.trainer_id, count(*) as members
        from choices c
        where c.outcome = 'assigned'
        group by c.rule, c.trainer_id
      ) as g
    )
  )::assignment.batch_result
  from members m
$$;

COMMENT ON FUNCTION assignment.count_choices(p_request assignment.request, p_choices assignment.choice[], p_rules assignment.policy_rules[], p_gone_ids uuid[], p_failures assignment.member_failure[]) IS 'The counts of a batch. p_choices: as choose_trainers returned them, with outcome assigned for pairs that were inserted.
A member counts once: failed before gone before assigned.';

-- FUNCTION: assignment.count_turns(uuid, integer, integer)

CREATE FUNCTION assignment.count_turns(p_trainer_id uuid, p_room integer, p_members integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN LEAST(p_room, p_members);

COMMENT ON FUNCTION assignment.count_turns(p_trainer_id uuid, p_room integer, p_members integer) IS 'How many of p_members a trainer with so much room can be given. p_room null: no limit.';

-- FUNCTION: assignment.count_unsampled_seats(real)

CREATE FUNCTION assignment.count_unsampled_seats(p_percent real) RETURNS assignment.trainer_count[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select array(
    select row(s.trainer_id, floor(count(*) * (1 - p_percent / 100)))::assignment.trainer_count
    from assignment.seats s
    where not s.is_overbooked
    group by s.trainer_id
  )
$$;

COMMENT ON FUNCTION assignment.count_unsampled_seats(p_percent real) IS 'The free seats of each trainer that are not for a sample of p_percent of the members.';

-- FUNCTION: assignment.database_role()

CREATE FUNCTION assignment.database_role() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(nullif(current_setting('role'), 'none'), session_user)
$$;

COMMENT ON FUNCTION assignment.database_role() IS 'The role that the session chose with SET ROLE, else the one that it connected as. Unlike current_user, it is not changed by
a function that runs as its owner.';

-- FUNCTION: assignment.deal_by_room(uuid[], integer[], uuid[], integer[])

CREATE FUNCTION assignment.deal_by_room(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_rooms integer[]) RETURNS TABLE(index integer, trainer_id uuid)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  -- One row for each place. The trainer with the largest share of free room comes first, then the longest idle.
  with places as (
    select t.trainer_id, row_number() over (
      order by
        case
          when known.capacity is null then 1
          else (t.room - turn.number + 1)::double precision / greatest(known.capacity, 1)
        end desc,
        turn.number,
        latest.id nulls first,
        t.trainer_id
    ) as place
    from unnest(p_trainer_ids, p_rooms) as t (trainer_id, room)
    left join assignment.trainers known on known.trainer_id = t.trainer_id
    cross join lateral generate_series(
      1, assignment.count_turns(t.trainer_id, t.room, cardinality(p_members))
    ) as turn (number)
    left join lateral (
      select a.id
      from public.trainer_client_assignments a
      where a.trainer_id = t.trainer_id
        and a.status = 'active'
      order by a.id desc
      limit 1
    ) as latest on true
  ),
  members as (  -- whoever is one of the trainers comes last, and gets another one of them
    select
      m.index,
      p_member_ids[m.index] as member_id,
      row_number() over (order by p_member_ids[m.index] = any (p_trainer_ids), m.index) as place,
      p_member_ids[m.index] = any (p_trainer_ids) as is_trainer
    from unnest(p_members) as m (index)
  )
  select m.index, p.trainer_id
  from members m
  join places p on p.place = m.place
  where not m.is_trainer
  union all
  select m.index, found.trainer_id
  from members m
  cross join lateral (
    select p.trainer_id
    from places p
    where p.place >= m.place
      and p.trainer_id <> m.member_id
    order by p.place
    limit 1
  ) as found
  where m.is_trainer
$$;

COMMENT ON FUNCTION assignment.deal_by_room(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_rooms integer[]) IS 'Trainers for members, by their position in p_member_ids. p_rooms: the room of each trainer; null: no limit. A member who is
one of the trainers gets another one of them; two such members may get the same place, of which one then finds it taken.';

-- FUNCTION: assignment.deal_by_weight(uuid[], integer[], uuid[], integer[], integer[])

CREATE FUNCTION assignment.deal_by_weight(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_weights integer[], p_rooms integer[]) RETURNS TABLE(index integer, trainer_id uuid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
  v_left integer[] := p_members;
  v_trainer_ids uuid[] := p_trainer_ids;
  v_weights integer[] := p_weights;
  v_rooms integer[] := p_rooms;
  v_dealt integer[];
  v_chosen integer[];
begin
  -- In rounds: everybody asks the trainer with the lowest score among those with room.
  while cardinality(v_left) > 0 and cardinality(v_trainer_ids) > 0 loop
    with asked as (
      select best.member, best.trainer, row_number() over (partition by best.trainer order by best.member) as place
      from (
        select i.index as member, preferred.trainer
        from unnest(v_left) as i (index)
        cross join lateral (
          select t.number as trainer
          from unnest(v_trainer_ids, v_weights) with ordinality as t (id, weight, number)
          where t.id <> p_member_ids[i.index]
          order by assignment.rendezvous_score(p_member_ids[i.index], t.id, t.weight), t.number
          limit 1
        ) as preferred
      ) as best
    ),
    answered as (
      select a.member, a.trainer, a.place <= v_rooms[a.trainer] or v_rooms[a.trainer] is null as has_room
      from asked a
    )
    select
      array_agg(a.member order by a.member) filter (where a.has_room),
      array_agg(a.trainer order by a.member) filter (where a.has_room),
      coalesce(array_agg(a.member order by a.member) filter (where not a.has_room), '{}')
    into v_dealt, v_chosen, v_left
    from answered a;
    return query select d.member, v_trainer_ids[d.trainer] from unnest(v_dealt, v_chosen) as d (member, trainer);

    -- Trainers without room left drop out.
    select
      array_agg(t.id order by t.number),
      array_agg(t.weight order by t.number),
      array_agg(t.room - t.dealt order by t.number)
    into v_trainer_ids, v_weights, v_rooms
    from (
      select u.id, u.weight, u.room, u.number, coalesce(dealt.members, 0)::integer as dealt
      from unnest(v_trainer_ids, v_weights, v_rooms) with ordinality as u (id, weight, room, number)
      left join (
        select chosen.trainer, count(*) as members from unnest(v_chosen) as chosen (trainer) group by chosen.trainer
      ) as dealt on dealt.trainer = u.number
    ) as t
    where t.room is null or t.room > t.dealt;
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.deal_by_weight(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_weights integer[], p_rooms integer[]) IS 'Trainers for members, by their position in p_member_ids: each trainer a share proportional to the weight, as long as
there is room. p_rooms: the room of each trainer; null: no limit.';

-- FUNCTION: assignment.deal_out(assignment.policy_rules, uuid[], jsonb[], integer[], integer[], uuid[], uuid[], assignment.trainer_count[])

CREATE FUNCTION assignment.deal_out(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_met_members integer[], p_met_trainers uuid[], p_full uuid[], p_taken assignment.trainer_count[]) RETURNS TABLE(index integer, trainer_id uuid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
  v_left integer[] := case p_rule.choose
    when 'all' then p_members
    else array(select unnest(p_members) except select unnest(p_met_members) order by 1)
  end;
  v_trainer_ids uuid[];
  v_weights integer[];
  v_rooms integer[];
begin
  if p_rule.choose = 'field' then
    return query
    with named as materialized (
      select * from assignment.find_named_trainers(p_rule, p_member_ids, p_rows, v_left)
    ),
    known as (
      select r.*
      from (select coalesce(array_agg(distinct n.trainer_id), '{}') as ids from named n) as asked
      cross join lateral assignment.find_room(asked.ids, p_full, p_taken, cardinality(v_left)) as r
    )
    select ranked.index, ranked.trainer_id
    from (
      select n.index, n.trainer_id, k.room, row_number() over (partition by n.trainer_id order by n.index) as place
      from named n
      join known k on k.trainer_id = n.trainer_id
    ) as ranked
    where ranked.place <= ranked.room or ranked.room is null;
    return;
  end if;

  select array_agg(t.id order by t.id), array_agg(t.weight order by t.id), array_agg(r.room order by t.id)
  into v_trainer_ids, v_weights, v_rooms
  from unnest(p_rule.trainer_ids, p_rule.weights) as t (id, weight)
  join unnest(assignment.find_members(p_rule.trainer_ids)) as m (id) on m.id = t.id
  join assignment.find_room(
    p_rule.trainer_ids,
    p_full,
    p_taken,
    case p_rule.choose when 'most_room' then null else cardinality(p_members) end
  ) as r on r.trainer_id = t.id;

  case p_rule.choose
    when 'all' then
      return query
      select ranked.index, ranked.trainer_id
      from (
        select i.index, t.trainer_id, t.room, row_number() over (partition by t.trainer_id order by i.index) as place
        from unnest(v_left) as i (index)
        cross join unnest(v_trainer_ids, v_rooms) as t (trainer_id, room)
        where t.trainer_id <> p_member_ids[i.index]
          and (i.index, t.trainer_id) not in (
            select met.index, met.trainer_id from unnest(p_met_members, p_met_trainers) as met (index, trainer_id)
          )
      ) as ranked
      where ranked.place <= ranked.room or ranked.room is null;
    when 'most_room' then
      return query select * from assignment.deal_by_room(p_member_ids, v_left, v_trainer_ids, v_rooms);
    when 'spread' then
      return query select * from assignment.deal_by_weight(p_member_ids, v_left, v_trainer_ids, v_weights, v_rooms);
  end case;
end;
$$;

COMMENT ON FUNCTION assignment.deal_out(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_met_members integer[], p_met_trainers uuid[], p_full uuid[], p_taken assignment.trainer_count[]) IS 'The trainers that a rule gives to members, by their position in p_member_ids. p_members: the positions of the members
whom the rule takes; p_met_members, p_met_trainers: assignments that they have or had. Whoever is neither in the result nor
in p_met_members found no room.';

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
      using errcode = 'TA001', hint = 'Set one: PUT /v1/policy {"defaultTrainerId": "…"}';
  end if;
  return v_trainer_id;
end;
$$;

COMMENT ON FUNCTION assignment.default_trainer_id() IS 'The trainer of new members. Raises TA001 when none is set.';

-- FUNCTION: assignment.delete_endpoint(uuid, text, text)

CREATE FUNCTION assignment.delete_endpoint(p_id uuid, p_actor text, p_request_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_before assignment.webhook_endpoints;
begin
  delete from assignment.webhook_endpoints where id = p_id returning * into v_before;
  if not found then
    raise exception 'webhook % does not exist', p_id using errcode = 'TA021';
  end if;
  perform assignment.set_announcing();
  perform assignment.record_audit(
    p_actor,
    'webhook.deleted',
    'webhook:' || p_id,
    p_before => jsonb_build_object(
      'url', assignment.shorten_url(v_before.url), 'types', v_before.types, 'enabled', v_before.enabled
    ),
    p_request_id => p_request_id
  );
end;
$$;

COMMENT ON FUNCTION assignment.delete_endpoint(p_id uuid, p_actor text, p_request_id text) IS 'Deletes an endpoint with the record of its deliveries. Raises TA021 it does not exist.';

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

-- FUNCTION: assignment.describe_table(regclass, text)

CREATE FUNCTION assignment.describe_table(p_old regclass, p_new text) RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $$
  select statement
  from (
    select 1, i.indexrelid::bigint,
      regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?' || p_old || ' ', ' ON ' || p_new || ' ')
    from pg_index i
    where i.indrelid = p_old
      and not i.indisprimary
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('u', 'x'))
    union all
    select 2, c.oid::bigint, format('alter table %s add constraint %I %s', p_new, c.conname, pg_get_constraintdef(c.oid))
    from pg_constraint c
    where c.conrelid = p_old
      and c.contype in ('u', 'x')
    union all
    select 3, t.oid::bigint, replace(pg_get_triggerdef(t.oid), ' ON ' || p_old || ' ', ' ON ' || p_new || ' ')
    from pg_trigger t
    where t.tgrelid = p_old
      and not t.tgisinternal
    union all
    select 4, t.oid::bigint,
      format(
        'alter table %s %s trigger %I',
        p_new,
        case t.tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end,
        t.tgname
      )
    from pg_trigger t
    where t.tgrelid = p_old
      and not t.tgisinternal
      and t.tgenabled <> 'O'
    union all
    select 5, p.oid::bigint,
      format('create policy %I on %s as %s for %s to %s', p.polname, p_new,
        case when p.polpermissive then 'permissive' else 'restrictive' end,
        case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        (select string_agg(case when r.oid = 0 then 'public' else quote_ident(pg_get_userbyid(r.oid)) end, ', ')
          from unnest(p.polroles) as r (oid))
      )
      || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
      || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    from pg_policy p
    where p.polrelid = p_old
    union all
    select 6, each.place, each.statement
    from pg_class c
    cross join lateral (
      values
        (1, case when c.relrowsecurity then format('alter table %s enable row level security', p_new) end),
        (2, case when c.relforcerowsecurity then format('alter table %s force row level security', p_new) end),
        (3, format('comment on table %s is %L', p_new, obj_description(c.oid, 'pg_class')))
    ) as each (place, statement)
    where c.oid = p_old
      and each.statement is not null
    union all
    select 7, 0, format('select assignment.take_back_defaults(%L)', p_new)
    union all
    select 8, g.place,
      format('grant %s%s on %s to %s%s', g.privilege_type, ' (' || quote_ident(g.column_name) || ')', p_new,
        case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
        case when g.is_grantable then ' with grant option' end)
    from (
      select 0 as place, null::name as column_name, c.relowner, a.*
      from pg_class c
      cross join aclexplode(c.relacl) a
      where c.oid = p_old
      union all
      select t.attnum, t.attname, c.relowner, a.*
      from pg_class c
      join pg_attribute t on t.attrelid = c.oid and not t.attisdropped
      cross join aclexplode(t.attacl) a
      where c.oid = p_old
    ) as g
    where g.grantee <> g.relowner
    union all
    select 9, tree.level,
      format('alter table %s owner to %I', tree.relid, pg_get_userbyid(o.relowner))
    from pg_class o
    join pg_class n on n.oid = to_regclass(p_new) and n.relowner <> o.relowner
    cross join lateral (
      select n.oid::regclass as relid, 0 as level union select relid, level from pg_partition_tree(n.oid)
    ) as tree
    where o.oid = p_old
    union all
    -- Last, for they lock the tables that they reference.
    select 10, c.oid::bigint, format('alter table %s add constraint %I %s', p_new, c.conname, pg_get_constraintdef(c.oid))
    from pg_constraint c
    where c.conrelid = p_old
      and c.contype = 'f'
  ) as listed (part, place, statement)
  order by part, place
$$;

COMMENT ON FUNCTION assignment.describe_table(p_old regclass, p_new text) IS 'The statements that give the table p_new what p_old has beside columns, checks and primary key: indexes, constraints,
triggers, policies, rights, comment and owner.';

-- FUNCTION: assignment.end_assignment(uuid, uuid, text, text)

CREATE FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid, p_actor text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_id uuid;
begin
  v_id := assignment.end_one(p_member_id, p_trainer_id, coalesce(p_actor, assignment.database_role()));
  if v_id is null then
    return false;
  end if;
  perform assignment.record_audit(
    p_actor,
    'assignment.ended',
    'assignment:' || v_id,
    array[p_trainer_id],
    jsonb_build_object('trainerId', p_trainer_id),
    p_request_id => p_request_id
  );
  return true;
end;
$$;

COMMENT ON FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid, p_actor text, p_request_id text) IS 'Ends the active assignment of a member to a trainer: its status becomes inactive. False when there is none. p_actor null:
the database role. Writes assignment.ended to the audit log. Raises TA004 failed (SQLSTATE in detail).';

-- FUNCTION: assignment.end_assignments(uuid[], text, text, uuid)

CREATE FUNCTION assignment.end_assignments(p_ids uuid[], p_because text, p_actor text, p_run_id uuid DEFAULT NULL::uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
declare
  v_ended integer;
begin
  -- See trainer_client_assignments_tell_change_after_update. An error takes the setting back.
  perform set_config('assignment.by_service', 'on', true);
  update public.trainer_client_assignments a
  set status = 'inactive',
    ended_at = greatest(now(), a.assignment_date),  -- it may have been made since this transaction began
    ended_by = p_actor,
    ended_because = p_because,
    ended_run_id = p_run_id
  where a.id = any (p_ids)
    and a.status = 'active';
  get diagnostics v_ended = row_count;
  perform set_config('assignment.by_service', '', true);
  return v_ended;
end;
$$;

COMMENT ON FUNCTION assignment.end_assignments(p_ids uuid[], p_because text, p_actor text, p_run_id uuid) IS 'Ends the given assignments, those that are active, and returns how many. The rows stay as history.';

-- FUNCTION: assignment.end_one(uuid, uuid, text)

CREATE FUNCTION assignment.end_one(p_member_id uuid, p_trainer_id uuid, p_actor text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_id uuid;
  v_is_ended boolean;
begin
  for v_try in 1..3 loop
    select id into v_id
    from public.trainer_client_assignments
    where client_id = p_member_id
      and trainer_id = p_trainer_id
      and status = 'active';
    if not found then
      return null;
    end if;
    begin
      v_is_ended := assignment.end_assignments(array[v_id], 'manual', p_actor) = 1;
    exception when others or assert_failure then
      if assignment.is_transient(sqlstate) then
        raise;
      end if;
      raise exception 'assignment % could not be ended: %', v_id, sqlerrm using errcode = 'TA004', detail = sqlstate;
    end;
    exit when v_is_ended;  -- otherwise another session has just ended it, and may have assigned anew
  end loop;
  if not v_is_ended then
    raise exception 'assignment % could not be ended: a trigger or rule on trainer_client_assignments kept it', v_id
      using errcode = 'TA004', detail = 'TA008';
  end if;
  return v_id;
end;
$$;

COMMENT ON FUNCTION assignment.end_one(p_member_id uuid, p_trainer_id uuid, p_actor text) IS 'Ends the active assignment of a member to a trainer, and returns its id: null when there is none.
Raises TA004 failed (SQLSTATE in detail).';

-- FUNCTION: assignment.end_session(uuid, timestamp with time zone, text, text)

CREATE FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone, p_actor text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
begin
  insert into assignment.ended_sessions (id, expires_at) values (p_id, p_expires_at) on conflict (id) do nothing;
  if found then
    perform assignment.record_audit(p_actor, 'session.ended', p_request_id => p_request_id);
  end if;

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

COMMENT ON FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone, p_actor text, p_request_id text) IS 'Records that a session has ended, also in the audit log, and deletes up to 100 expired ones.';

-- FUNCTION: assignment.explain_decision(uuid)

CREATE FUNCTION assignment.explain_decision(p_member_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
  v_policy assignment.policies;
  v_rules assignment.policy_rules[];
  v_members record;
begin
  perform assignment.require_visible_rows();
  select * into v_members from assignment.read_members(array[p_member_id]);
  if v_members.member_ids = '{}' then
    raise exception 'member % does not exist', p_member_id using errcode = 'TA002';
  end if;
  select * into v_policy from assignment.policies order by version desc limit 1;
  v_rules := array(select r from assignment.policy_rules r where r.version = v_policy.version order by r.rule);

  return jsonb_build_object(
    'policy_version', v_policy.version,
    'choices', (
      select jsonb_agg(
        jsonb_build_object('outcome', c.outcome, 'rule', c.rule, 'trainer_id', c.trainer_id) order by c.trainer_id
      )
      from assignment.choose_trainers(v_policy.document, v_rules, v_members.member_ids, v_members.member_rows) as c
    ),
    'rules', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'rule', r.rule,
          'name', r.name,
          'matches', matches.rule is not null,
          'trainers', (
            select coalesce(
              jsonb_agg(
                jsonb_build_object(
                  'trainer_id', t.id,
                  'is_member', t.id = any (assignment.find_members(array[t.id])),
                  'accepts_clients', found.trainer_id is not null,
                  'room', found.room
                )
                order by t.id
              ),
              '[]'
            )
            from unnest(
              case r.choose
                when 'field' then array_remove(array[assignment.read_uuid(v_members.member_rows[1] #>> r.field)], null)
                else r.trainer_ids
              end
            ) as t (id)
            left join assignment.find_room(array[t.id], '{}', '{}', null) as found on true
          )
        )
        order by r.rule
      ), '[]')
      from unnest(v_rules) as r
      -- Each rule by itself: match_rules leaves out rules behind one that always decides.
      left join lateral assignment.match_rules(array[r], v_members.member_rows) as matches on true
    )
  );
end;
$$;

COMMENT ON FUNCTION assignment.explain_decision(p_member_id uuid) IS 'What the policy in force says of a member. choices: as of choose_trainers. rules: each rule with whether it matches the
member, and its trainers with their room (null: no limit). Raises TA002 the member does not exist.';

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
    and has_any_column_privilege(p_role, name, 'select')  -- what a role cannot read is not hidden from it
  having count(*) > 0
$$;

COMMENT ON FUNCTION assignment.explain_hidden_rows(p_role name) IS 'Names the tables that hide rows from the role, and how to change that. Null: none does.';

-- FUNCTION: assignment.explain_member_refusal(text, regclass, name, name, name[], name)

CREATE FUNCTION assignment.explain_member_refusal(p_sqlstate text, p_table regclass, p_column name, p_constraint name, p_filled name[], p_email_column name, OUT reason text, OUT detail text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_is_of_members boolean := p_table in (
    select 'public.members'::regclass union all select relid from pg_partition_tree('public.members')
  );
  v_column name := p_column;
begin
  if p_table is null and p_sqlstate = '23502' then  -- the error of a shard names neither
    select a.attname into v_column
    from pg_attribute a
    where a.attrelid = 'public.members'::regclass
      and a.attnotnull
      and not a.atthasdef
      and a.attidentity = ''
      and a.attname <> 'id'
      and a.attnum > 0
      and not a.attisdropped
    order by a.attname = any (p_filled), a.attnum
    limit 1;
    v_is_of_members := found;
  end if;

  if p_sqlstate in ('42501', 'TA010') then
    reason := 'not_granted';
    select problem into detail from assignment.find_member_hook_problems(p_filled) as problem limit 1;
    detail := coalesce(
      detail,
      format('a trigger of members lacks a right of the role %I, as whom it runs; see the log of the database', current_user)
    );
  elsif p_sqlstate = '23502' and v_is_of_members and v_column = any (p_filled) then
    reason := 'value_missing';
    detail := format('the event has no value for the column %I, which must have one', v_column);
  elsif p_sqlstate = '23502' and v_is_of_members then
    reason := 'column_missing';
    detail := format('the hook does not fill the column %I, which must have a value: give it a default', v_column);
  elsif p_sqlstate = '23505' and v_is_of_members and exists (
    select
    from pg_class index
    join pg_index i on i.indexrelid = index.oid
    join pg_attribute a on a.attrelid = i.indrelid and a.attname = p_email_column
    where i.indrelid = p_table
      and index.relname = p_constraint
      and (
        a.attnum = any (i.indkey)
        or exists (
          select
          from pg_depend d
          where d.classid = 'pg_class'::regclass
            and d.objid = i.indexrelid
            and d.refobjid = i.indrelid
            and d.refobjsubid = a.attnum
        )
      )
  ) then
    reason := 'email_taken';
    detail := 'another member has this e-mail address';
  elsif p_sqlstate ~ '^42' then
    reason := 'table_unfit';
    detail := format(
      'members, or a trigger of it, does not fit (SQLSTATE %s); see the log of the database, and try: insert into public.members',
      p_sqlstate
    );
  elsif p_sqlstate = 'TA008' then
    reason := 'refused';
    detail := 'a trigger or rule of the application kept the member out';
  else
    reason := 'refused';
    detail := format('members refused the row (SQLSTATE %s%s)', p_sqlstate, ', constraint ' || quote_ident(nullif(p_constraint, '')));
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.explain_member_refusal(p_sqlstate text, p_table regclass, p_column name, p_constraint name, p_filled name[], p_email_column name, OUT reason text, OUT detail text) IS 'The reason and the detail of a failure of the member hook, from the diagnostics of an error. Quotes no value of a row.';

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
    left(coalesce(v_misplaced_key, left(p_message, 500) || '. ' || v_search_path, p_message), 1000),
    null::smallint
  );
end;
$$;

COMMENT ON FUNCTION assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text) IS 'The failure to record for an error: TA009 when a foreign key references another table, else the error itself,
with advice where there is some.';

-- FUNCTION: assignment.field_path(text)

CREATE FUNCTION assignment.field_path(p_field text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(
    (
      select array[c.name] || (string_to_array(substr(p_field, length(c.name) + 1), '.'))[2:]
      from assignment.member_columns c
      where c.name = p_field
        or starts_with(p_field, c.name || '.')
      order by length(c.name) desc
      limit 1
    ),
    string_to_array(p_field, '.')
  )
$$;

COMMENT ON FUNCTION assignment.field_path(p_field text) IS 'A policy''s field as a path of keys: the longest column name that it begins with, then what dots part.';

-- FUNCTION: assignment.find_assigned_pairs(uuid[], uuid[])

CREATE FUNCTION assignment.find_assigned_pairs(p_member_ids uuid[], p_trainer_ids uuid[]) RETURNS integer[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  select coalesce(array_agg(p.position::integer order by p.position), '{}')
  from unnest(p_member_ids, p_trainer_ids) with ordinality as p (member_id, trainer_id, position)
  where exists (
    select
    from public.trainer_client_assignments a
    where a.client_id = p.member_id
      and a.trainer_id is not distinct from p.trainer_id  -- unlike =, keeps the planner from the index by trainer
      and a.status = 'active'
  )
$$;

COMMENT ON FUNCTION assignment.find_assigned_pairs(p_member_ids uuid[], p_trainer_ids uuid[]) IS 'The positions of the pairs that have an active assignment.';

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

-- FUNCTION: assignment.find_due_endpoints()

CREATE FUNCTION assignment.find_due_endpoints() RETURNS TABLE(id uuid, url text, secret text, former_secret text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  select e.id, e.url, e.secret, case when e.former_secret_until > now() then e.former_secret end
  from assignment.webhook_endpoints e
  where e.url is not null
    and case
      when e.enabled then exists (
        select
        from assignment.deliveries d
        where d.endpoint_id = e.id
          and d.status = 'pending'
          and d.next_attempt_at <= now()
      )
      else exists (
        select
        from assignment.outbox m
        join assignment.deliveries d on d.endpoint_id = e.id and d.message_id = m.id
        where m.is_test_for = e.id
          and d.status = 'pending'
          and d.next_attempt_at <= now()
      )
    end
  order by e.id
$$;

COMMENT ON FUNCTION assignment.find_due_endpoints() IS 'Endpoints with deliveries that are due, with their sealed secrets; the former one as long as it is valid. A disabled endpoint
gets tests only.';

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

-- FUNCTION: assignment.find_leaf_problem(jsonb)

CREATE FUNCTION assignment.find_leaf_problem(p_leaf jsonb, OUT step text, OUT detail text) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_path text[] := assignment.field_path(p_leaf ->> 'field');
  v_op text := p_leaf ->> 'op';
  v_column assignment.member_columns;
  v_kind text;
  v_value_kind text;
  v_wanted text;
  v_values jsonb;
  v_value jsonb;
  v_text text;
begin
  select * into v_column from assignment.member_columns where name = v_path[1];
  step := '/field';
  if not found then
    detail := format('members has no column %s', v_path[1]);
    return;
  elsif cardinality(v_path) > 1 and v_column.kind <> 'json' then
    detail := format('the column %s is of type %s: only a json column has fields inside', v_path[1], v_column.type);
    return;
  end if;
  v_kind := case when cardinality(v_path) > 1 then 'json' else v_column.kind end;
  v_value_kind := case when cardinality(v_path) > 1 then 'json' else v_column.value_kind end;

  step := '/op';
  if v_op in ('exists', 'missing') then
    step := null;
    return;
  elsif v_kind = 'other'
    or v_value_kind = 'other'
    or (v_kind = 'array' and v_op <> 'contains')
    or (v_kind not in ('text', 'char', 'citext', 'array', 'json') and v_op = 'contains')
    or (v_kind not in ('text', 'char', 'citext', 'json') and v_op = 'starts_with')
    or (v_kind in ('boolean', 'enum', 'uuid') and v_op in ('lt', 'lte', 'gt', 'gte'))
  then
    detail := format('%s does not apply to the column %s of type %s', v_op, v_path[1], v_column.type);
    return;
  end if;

  step := '/value';
  v_wanted := case
    when v_value_kind in ('number', 'boolean') then v_value_kind
    when v_value_kind <> 'json' or v_op = 'starts_with' then 'string'
  end;
  v_values := case when v_op in ('in', 'not_in') then p_leaf -> 'value' else jsonb_build_array(p_leaf -> 'value') end;
  for v_value in select value from jsonb_array_elements(v_values) loop
    v_text := v_value #>> '{}';
    if jsonb_typeof(v_value) <> v_wanted then
      detail := case v_value_kind
        when 'json' then format('must be a %s with %s', v_wanted, v_op)
        else format('must be a %s: the column %s is of type %s', v_wanted, v_path[1], v_column.type)
      end;
    elsif v_value_kind = 'date' and not assignment.is_iso_time(v_text, false) then
      detail := 'must be a date such as 2026-11-28';
    elsif v_value_kind in ('timestamp', 'timestamptz') and not assignment.is_iso_time(v_text, true) then
      detail := 'must be a time such as 2026-11-28T09:30:00Z';
    elsif v_value_kind = 'uuid' and assignment.read_uuid(v_text) is null then
      detail := 'must be a UUID';
    elsif v_value_kind = 'enum'
      and not exists (select from pg_enum e where e.enumtypid = v_column.value_type and e.enumlabel = v_text)
    then
      detail := format('is not a value of the type %s', v_column.type);
    end if;
    if detail is not null then
      return;
    end if;
  end loop;
  step := null;
end;
$$;

COMMENT ON FUNCTION assignment.find_leaf_problem(p_leaf jsonb, OUT step text, OUT detail text) IS 'Why a leaf {field, op, value} cannot be asked of members: the part of the leaf, and what is wrong. Null: it can.';

-- FUNCTION: assignment.find_left_members(uuid[], uuid[], uuid[], uuid[])

CREATE FUNCTION assignment.find_left_members(p_member_ids uuid[], p_ending uuid[], p_replaced_ids uuid[], p_replaced_members uuid[]) RETURNS integer[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  select coalesce(array_agg(m.position::integer), '{}')
  from unnest(p_member_ids) with ordinality as m (id, position)
  where m.id in (
    select r.member_id
    from unnest(p_replaced_ids, p_replaced_members) as r (id, member_id)
    where r.id in (select unnest(p_ending))
      and not exists (
        select
        from public.trainer_client_assignments a
        where a.id = r.id
          and a.status = 'active'
      )
  )
$$;

COMMENT ON FUNCTION assignment.find_left_members(p_member_ids uuid[], p_ending uuid[], p_replaced_ids uuid[], p_replaced_members uuid[]) IS 'The positions of the members of whom an assignment in p_ending is no longer active.';

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

-- FUNCTION: assignment.find_member_hook_problems(name[])

CREATE FUNCTION assignment.find_member_hook_problems(p_filled name[]) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_table regclass := to_regclass('public.members');
  v_columns text;
begin
  -- Columns that the hook fills, whether or not every event has a value for them.
  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = v_table
    and attnum > 0
    and not attisdropped
    and (attname = 'id' or (attname = any (p_filled) and has_column_privilege(session_user, attrelid, attnum, 'select')))
    and not has_column_privilege(attrelid, attnum, 'insert');
  if v_columns is not null then
    return next format('the owner of the functions may not insert members: run as the owner of public.members: '
      'grant insert (%s) on public.members to %I', v_columns, current_user);
  end if;

  if row_security_active(v_table) and not exists (
    select
    from pg_policy p
    cross join unnest(p.polroles) as admitted (oid)
    where p.polrelid = v_table
      and p.polpermissive
      and p.polcmd in ('a', '*')
      and (admitted.oid = 0 or pg_has_role(admitted.oid, 'usage'))
  ) then
    return next format('row-level security refuses members of the hook: run as the owner of public.members: '
      'create policy member_hook on public.members for insert to %I with check (true)', current_user);
  end if;

  -- A trigger of the application may fill what the hook does not.
  if not exists (
    select
    from pg_trigger t
    join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = v_table
      and t.tgenabled <> 'D'
      and (t.tgtype & 7) = 7  -- for each row, before, insert
      and p.pronamespace <> 'assignment'::regnamespace
  ) then
    return query
    select format('the hook does not fill the column %I of members, which must have a value: give it a default', a.attname)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    where a.attrelid = v_table
      and a.attnum > 0
      and not a.attisdropped
      and (a.attnotnull or t.typnotnull)
      and not a.atthasdef
      and a.attidentity = ''
      and t.typdefault is null
      and a.attname <> 'id'
      and (a.attname = any (p_filled) and has_column_privilege(session_user, a.attrelid, a.attnum, 'select')) is not true
    order by a.attnum;
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.find_member_hook_problems(p_filled name[]) IS 'What an event of the member hook would fail at, whatever its member, and what to do. p_filled: the columns that the hook
fills. Empty: nothing.';

-- FUNCTION: assignment.find_members(uuid[])

CREATE FUNCTION assignment.find_members(p_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  return array(select m.id from public.members m where m.id = any (p_ids));
exception when insufficient_privilege then
  return p_ids;
end;
$$;

COMMENT ON FUNCTION assignment.find_members(p_ids uuid[]) IS 'Those of the ids that are members. All of them where the owner of the functions may not read members: the foreign key
then refuses the others.';

-- FUNCTION: assignment.find_met(assignment.policy_rules, uuid[], jsonb[], integer[], text, uuid)

CREATE FUNCTION assignment.find_met(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_purpose text, p_from_trainer_id uuid) RETURNS TABLE(index integer, trainer_id uuid, is_active boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  with wanted as (
    select i.index, t.trainer_id
    from unnest(p_members) as i (index)
    cross join unnest(p_rule.trainer_ids) as t (trainer_id)
    union all
    select n.index, n.trainer_id
    from assignment.find_named_trainers(p_rule, p_member_ids, p_rows, p_members) as n
    where p_rule.choose = 'field'
  )
  select w.index, w.trainer_id, bool_or(a.status = 'active')
  from wanted w
  join public.trainer_client_assignments a
    on a.client_id = p_member_ids[w.index]
    and a.trainer_id is not distinct from w.trainer_id  -- unlike =, keeps the planner from the index by trainer
    and case a.status
      when 'active' then w.trainer_id is distinct from p_from_trainer_id
      else p_purpose = 'fill'
        or (p_purpose = 'reassign' and not assignment.is_ended_by_policy(a.ended_run_id))
    end
  group by w.index, w.trainer_id
$$;

COMMENT ON FUNCTION assignment.find_met(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_purpose text, p_from_trainer_id uuid) IS 'Assignments of members to trainers of the rule, that count for the purpose. Members by their position in p_member_ids.
Active ones count, except those to p_from_trainer_id. Ended ones count when filling; when reassigning, unless a run by the
policy ended them; in a transfer, none.';

-- FUNCTION: assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[])

CREATE FUNCTION assignment.find_named_trainers(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[]) RETURNS TABLE(index integer, trainer_id uuid)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
  with named as materialized (
    select r.index::integer, assignment.read_uuid(r.row #>> p_rule.field) as trainer_id
    from unnest(p_rows) with ordinality as r (row, index)
    join unnest(p_members) as i (index) on i.index = r.index
  )
  select n.index, n.trainer_id
  from named n
  where n.trainer_id <> p_member_ids[n.index]
    and n.trainer_id in (
      select unnest(assignment.find_members(array(select distinct d.trainer_id from named d where d.trainer_id is not null)))
    )
$$;

COMMENT ON FUNCTION assignment.find_named_trainers(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[]) IS 'The trainer whom each member''s row names, by the member''s position in p_member_ids. Without members whose field is
empty or names nobody, or themselves.';

-- FUNCTION: assignment.find_partition_obstacles(regclass)

CREATE FUNCTION assignment.find_partition_obstacles(p_table regclass) RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select what
  from (
    select format('foreign key %I of %s', conname, conrelid::regclass)
    from pg_constraint
    where confrelid = p_table
      and contype = 'f'
      and conparentid = 0
    union
    select case w.ev_class when p_table then format('rule %I', w.rulename) else format('view %s', w.ev_class::regclass) end
    from pg_depend d
    join pg_rewrite w on w.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass
      and d.refclassid = 'pg_class'::regclass
      and d.refobjid = p_table
    union
    select format('publication %I', p.pubname)
    from pg_publication_rel r
    join pg_publication p on p.oid = r.prpubid
    where r.prrelid = p_table
    union
    select format('identity column %I', attname)
    from pg_attribute
    where attrelid = p_table
      and attidentity <> ''
    union
    select unnest(array_remove(array[
      case when relreplident <> 'd' then 'replica identity' end,
      case when reltablespace <> 0 then 'tablespace' end
    ], null))
    from pg_class
    where oid = p_table
  ) as obstacle (what)
  order by what
$$;

COMMENT ON FUNCTION assignment.find_partition_obstacles(p_table regclass) IS 'What depends on the table itself, or belongs to it and is not among what describe_table copies.';

-- FUNCTION: assignment.find_policy_problems(jsonb)

CREATE FUNCTION assignment.find_policy_problems(p_document jsonb) RETURNS TABLE(pointer text, detail text, is_warning boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    AS $$
#variable_conflict use_column
begin
  perform assignment.require_visible_rows();
  return query
  with rules as (
    select r.rule, r.ordinality - 1 as index, r.rule -> 'assign' as assign, '/rules/' || r.ordinality - 1 as pointer
    from jsonb_array_elements(p_document -> 'rules') with ordinality as r (rule, ordinality)
  ),
  named as (
    select '/defaultTrainerId' as pointer, p_document ->> 'defaultTrainerId' as trainer_id
    union all
    select format('%s/assign/trainers/%s/trainerId', r.pointer, t.ordinality - 1), t.trainer ->> 'trainerId'
    from rules r
    cross join jsonb_array_elements(r.assign -> 'trainers') with ordinality as t (trainer, ordinality)
  ),
  takers as (  -- rules behind which nobody is left
    select r.index
    from rules r
    where not r.rule ? 'when'
      and (
        r.assign ->> 'choose' = 'nobody'
        or (r.assign ->> 'whenFull' = 'wait' and r.assign ->> 'choose' <> 'field')  -- the field may name nobody
        or (
          r.assign ->> 'choose' in ('all', 'spread', 'most_room')
          and exists (
            select
            from jsonb_array_elements(r.assign -> 'trainers') as t
            left join assignment.trainers a on a.trainer_id = (t ->> 'trainerId')::uuid
            where a.capacity is null
              and coalesce(a.accepts_clients, true)
          )
        )
      )
    order by r.index
    limit 1
  )
  select n.pointer, 'is not a member', false
  from named n
  where n.trainer_id is not null
    and n.trainer_id::uuid <> all (
      assignment.find_members(array(select k.trainer_id::uuid from named k where k.trainer_id is not null))
    )
  union all
  select l.pointer || p.step, p.detail, false
  from rules r
  cross join lateral assignment.condition_leaves(r.rule -> 'when', r.pointer || '/when') as l
  cross join lateral assignment.find_leaf_problem(l.leaf) as p
  where p.detail is not null
  union all
  select r.pointer || '/assign/field', p.detail, false
  from rules r
  cross join lateral assignment.find_leaf_problem(jsonb_build_object('field', r.assign ->> 'field', 'op', 'exists')) as p
  where r.assign ->> 'choose' = 'field'
    and p.detail is not null
  union all
  select r.pointer, format('never matches: rule %s takes every member before', t.index + 1), true
  from rules r
  join takers t on r.index > t.index
  union all
  select r.pointer, format('never matches: rule %s has the same condition', e.index + 1), true
  from rules r
  join rules e on e.index < r.index and e.rule -> 'when' = r.rule -> 'when'
  where e.assign ->> 'choose' = 'nobody';
end;
$$;

COMMENT ON FUNCTION assignment.find_policy_problems(p_document jsonb) IS 'What is amiss with a policy whose form is right: each with a JSON pointer into the document. Warnings do not keep it from being put.';

-- FUNCTION: assignment.find_policy_stragglers(assignment.backfill_runs, uuid)

CREATE FUNCTION assignment.find_policy_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_ids uuid[];
  v_request assignment.request := assignment.run_request(p_run);
  v_choices assignment.choice[];
  -- Room that came after the run had looked at a member shows nothing missed.
  v_limited uuid[] := array(select trainer_id from assignment.trainers where capacity is not null);
begin
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_run.policy_version;

  for v_ids in
    select array_agg(u.id)
    from (
      select m.id, (row_number() over (order by m.id) - 1) / 20000 as batch
      from assignment.find_undecided_members(p_run.policy_version, p_upper_id, p_run.reassigns) as m (id)
    ) as u
    group by u.batch
    order by u.batch
  loop
    v_choices := array(
      select c
      from assignment.read_members(v_ids) as m
      cross join lateral assignment.choose(v_request, v_document, v_rules, m.member_ids, m.member_rows, v_limited) as c
    );
    return query
    select distinct c.member_id
    from unnest(v_choices) as c
    where (
        c.outcome in ('assign', 'no_room')
        or (
          p_run.reassigns
          and not p_run.dry_run  -- replaces nothing
          and c.member_id in (select unnest(r.member_ids) from assignment.find_replaced(v_choices) as r)
        )
      )
      and not exists (select from assignment.backfill_errors e where e.run_id = p_run.id and e.member_id = c.member_id)
      and (
        not p_run.only_failed
        or exists (select from assignment.backfill_errors e where e.run_id = p_run.retry_of and e.member_id = c.member_id)
      );
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.find_policy_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) IS 'The proof of a run by the policy as a query: members up to p_upper_id that it should have assigned and did not.';

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

-- FUNCTION: assignment.find_replaced(assignment.choice[])

CREATE FUNCTION assignment.find_replaced(p_choices assignment.choice[], OUT ids uuid[], OUT member_ids uuid[], OUT notes text[]) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(a.client_id), '{}'), coalesce(array_agg(a.notes), '{}')
  from (
    select c.member_id, array_agg(c.trainer_id) as trainer_ids
    from unnest(p_choices) as c
    where c.outcome in ('assign', 'kept')
    group by c.member_id
  ) as chosen
  join public.trainer_client_assignments a
    on a.client_id = chosen.member_id
    and a.status = 'active'
    and a.policy_version is not null
    and a.trainer_id <> all (chosen.trainer_ids)
$$;

COMMENT ON FUNCTION assignment.find_replaced(p_choices assignment.choice[], OUT ids uuid[], OUT member_ids uuid[], OUT notes text[]) IS 'The active assignments that a policy chose and that are none of the choices, with their members and notes.';

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

-- FUNCTION: assignment.find_room(uuid[], uuid[], assignment.trainer_count[], integer)

CREATE FUNCTION assignment.find_room(p_trainer_ids uuid[], p_full uuid[], p_taken assignment.trainer_count[], p_most integer) RETURNS TABLE(trainer_id uuid, capacity integer, room integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  select asked.id, t.capacity, case
    when t.capacity is not null and p_taken is not null
    then greatest(0, least(p_most, seats.free - coalesce(taken.members, 0)))
  end
  from unnest(p_trainer_ids) as asked (id)
  left join assignment.trainers t on t.trainer_id = asked.id
  left join unnest(p_taken) as taken on taken.trainer_id = asked.id
  left join lateral (
    select count(*)::integer as free
    from (
      select
      from assignment.seats s
      where s.trainer_id = asked.id
        and not s.is_overbooked
        and not exists (select from assignment.seats o where o.trainer_id = asked.id and o.is_overbooked)
      limit p_most + coalesce(taken.members, 0)
    ) as found
    where t.capacity is not null
  ) as seats on true
  where coalesce(t.accepts_clients, true)
    and asked.id <> all (p_full)
$$;

COMMENT ON FUNCTION assignment.find_room(p_trainer_ids uuid[], p_full uuid[], p_taken assignment.trainer_count[], p_most integer) IS 'The trainers among those given that accept clients, each with its free seats, counted up to p_most. room null: no limit.
p_full: trainers to leave out. p_taken: seats to count as taken; null: ignores capacities.';

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
  if p_run.kind = 'transfer' then
    return query select assignment.find_transfer_stragglers(p_run, v_upper_id);
    return;
  elsif p_run.trainer_id is null then
    return query select assignment.find_policy_stragglers(p_run, v_upper_id);
    return;
  end if;
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

-- FUNCTION: assignment.find_transfer_stragglers(assignment.backfill_runs, uuid)

CREATE FUNCTION assignment.find_transfer_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
  v_ids uuid[];
begin
  for v_ids in
    select array_agg(c.client_id)
    from (
      select a.client_id, (row_number() over (order by a.id) - 1) / 20000 as batch
      from public.trainer_client_assignments a
      where a.trainer_id = p_run.from_trainer_id
        and a.status = 'active'
        and a.id <= p_upper_id
        and not exists (select from assignment.backfill_errors e where e.run_id = p_run.id and e.member_id = a.client_id)
        and (
          not p_run.only_failed
          or exists (select from assignment.backfill_errors e where e.run_id = p_run.retry_of and e.member_id = a.client_id)
        )
        and (
          not p_run.only_selected
          or exists (select from assignment.backfill_selected s where s.run_id = p_run.id and s.member_id = a.client_id)
        )
    ) as c
    group by c.batch
    order by c.batch
  loop
    return query select unnest((s.clients).member_ids) from assignment.select_clients(p_run, v_ids) as s;
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.find_transfer_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) IS 'The proof of a transfer as a query: selected clients whom the trainer had when it started (by assignments up to p_upper_id),
still has, and who are not among its errors.';

-- FUNCTION: assignment.find_undecided_members(integer, uuid, boolean)

CREATE FUNCTION assignment.find_undecided_members(p_version integer, p_upper_id uuid, p_reassigns boolean DEFAULT false) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
begin
  if p_reassigns then
    return query select m.id from public.members m where m.id <= p_upper_id;
    return;
  end if;
  return query
  select m.id
  from public.members m
  where m.id <= p_upper_id
    and not exists (  -- or-ed with p_reassigns, it would be no anti-join
      select
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.policy_version = p_version
    );
end;
$$;

COMMENT ON FUNCTION assignment.find_undecided_members(p_version integer, p_upper_id uuid, p_reassigns boolean) IS 'Members up to p_upper_id without an assignment, active or ended, that this version of the policy made. p_reassigns: all.';

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

  select p.processed, p.successful, p.failed, p.already_assigned
  into v_counts
  from assignment.backfill_progress p
  where p.id = p_run_id;

  v_ids := array(select id from assignment.find_stragglers(v_run) as s (id) order by id limit 10000);
  -- If more failed than are recorded, a straggler may have failed before and would be counted twice.
  v_sweeps := cardinality(v_ids) > 0 and not v_run.dry_run and v_run.sweeps < 5 and v_counts.failed <= 10000;
  if cardinality(v_ids) = 0 then
    v_remaining := 0;
  elsif not v_sweeps then
    -- After a dry run, members that a real run would assign, or take from the trainer, do not count as remaining.
    select greatest(0, count(*) - case
      when not v_run.dry_run then 0
      when v_run.kind = 'transfer' then v_counts.successful + v_counts.already_assigned
      else v_counts.successful
    end)
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
    values (p_run_id, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000')
    on conflict (run_id, lane) do nothing;
    select * into v_lane from assignment.backfill_lanes where run_id = p_run_id and lane = 0 for update;

    v_result := assignment.run_batch(v_run, v_ids);
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
    status_request_id = null,
    started_at = coalesce(started_at, v_began),
    finished_at = clock_timestamp(),
    total = v_counts.processed,
    total_is_estimate = false,
    remaining = v_remaining,
    throttled_because = null,
    tries = 0
  where id = p_run_id;

  -- Failed auto-assignments of members that the run has assigned need no retry.
  if v_run.kind = 'backfill' and not v_run.dry_run then
    begin
      delete from assignment.failures f
      where case
          when v_run.policy_version is null
          then v_run.trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings))
          else f.requested_trainer_id is null
        end
        and exists (
          select
          from public.trainer_client_assignments a
          where a.client_id = f.member_id
            and a.trainer_id = coalesce(v_run.trainer_id, a.trainer_id)
            and a.status = 'active'
        )
        and not exists (select from assignment.backfill_errors e where e.run_id = p_run_id and e.member_id = f.member_id);
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

-- FUNCTION: assignment.first_errors(uuid)

CREATE FUNCTION assignment.first_errors(p_run_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(
      jsonb_agg(jsonb_build_object('memberId', e.member_id, 'code', e.sqlstate, 'message', e.message) order by e.member_id),
      '[]'
    )
    from (
      select f.member_id, f.sqlstate, f.message
      from assignment.backfill_errors f
      where f.run_id = p_run_id
      order by f.member_id
      limit 20
    ) as e
  );
end;
$$;

COMMENT ON FUNCTION assignment.first_errors(p_run_id uuid) IS 'The first 20 members that a run could not assign, by id, each with the code and the message.';

-- FUNCTION: assignment.forget_before(timestamp with time zone)

CREATE FUNCTION assignment.forget_before(p_before timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_forgotten bigint;
begin
  if p_before is null or p_before > now() then
    raise exception 'the time must lie in the past, not be %', coalesce(p_before::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  perform set_config('assignment.forgets', 'on', true);
  delete from assignment.audit_log where at < p_before;
  get diagnostics v_forgotten = row_count;
  delete from assignment.audit_subjects where at < p_before;
  perform set_config('assignment.forgets', '', true);
  perform assignment.record_audit(
    null, 'audit.forgotten', p_after => jsonb_build_object('before', p_before, 'lines', v_forgotten)
  );
  return v_forgotten;
end;
$$;

COMMENT ON FUNCTION assignment.forget_before(p_before timestamp with time zone) IS 'Deletes the lines of the audit log from before a time, and returns how many. It leaves a line that says so.';

-- FUNCTION: assignment.forget_failure(uuid, uuid)

CREATE FUNCTION assignment.forget_failure(p_member_id uuid, p_trainer_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Skips a locked failure: the retry that holds it finds the member assigned, and may be waiting for this transaction.
  delete from assignment.failures f
  where f.member_id = (select member_id from assignment.failures where member_id = p_member_id for update skip locked)
    and p_trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings));
end;
$$;

COMMENT ON FUNCTION assignment.forget_failure(p_member_id uuid, p_trainer_id uuid) IS 'Deletes the failure of a member who now has the trainer that the failed attempt was for.';

-- FUNCTION: assignment.forget_gone_members()

CREATE FUNCTION assignment.forget_gone_members() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  perform assignment.forget_members(array(
    select known.id
    from (
      select member_id from assignment.failures
      union
      select member_id from assignment.backfill_errors
      union
      select member_id from assignment.backfill_selected
      union
      select trainer_id from assignment.trainers
      union
      select l.next_id
      from assignment.backfill_lanes l
      join assignment.backfill_runs r on r.id = l.run_id
      where not l.done
        and (r.kind = 'backfill' or r.only_selected or r.only_failed)  -- other cursors are ids of assignments
      union
      select unnest(member_ids) from assignment.outbox where member_ids is not null
      union
      select unnest(member_ids) from assignment.outbox_gaps
    ) as known (id)
    where not exists (select from public.members m where m.id = known.id)
  ));
  -- Its members are yet to come. One who came by another way needs it no more, and might go unseen.
  delete from assignment.member_hook_failures f where exists (select from public.members m where m.id = f.member_id);
end;
$$;

COMMENT ON FUNCTION assignment.forget_gone_members() IS 'Forgets members of whom something is kept although they no longer exist, and the failures of
the member hook of members who exist by now. Raises where rows of members are hidden.';

-- FUNCTION: assignment.forget_in_runs(uuid[])

CREATE FUNCTION assignment.forget_in_runs(p_member_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  delete from assignment.failures
  where member_id in (
    select member_id
    from assignment.failures
    where member_id = any (p_member_ids)
    for update skip locked  -- a retry under way finds out itself
  );
  delete from assignment.backfill_errors where member_id = any (p_member_ids);
  delete from assignment.backfill_selected where member_id = any (p_member_ids);
  update assignment.backfill_lanes l
  set next_id = least(
    (select m.id from public.members m where m.id > l.next_id order by m.id limit 1),
    l.upper_id
  )
  where (l.run_id, l.lane) in (
    select run_id, lane
    from assignment.backfill_lanes
    where next_id = any (p_member_ids)
      and not done
    for update skip locked  -- a step under way moves it on itself
  );
end;
$$;

COMMENT ON FUNCTION assignment.forget_in_runs(p_member_ids uuid[]) IS 'Deletes the failures, the errors of runs and the selections of transfers of deleted members, and moves cursors of backfills
on that stand at them.';

-- FUNCTION: assignment.forget_member_events(integer)

CREATE FUNCTION assignment.forget_member_events(p_limit integer) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  delete from assignment.member_hook_events
  where id in (
    select id
    from assignment.member_hook_events
    where received_at < now() - interval '30 days'
    order by received_at, id
    limit p_limit
    for update skip locked
  );
  delete from assignment.member_hook_failures
  where id in (
    select id
    from assignment.member_hook_failures
    where last_failed_at < now() - interval '30 days'
    order by last_failed_at, id
    limit p_limit
    for update skip locked
  );
$$;

COMMENT ON FUNCTION assignment.forget_member_events(p_limit integer) IS 'Deletes up to p_limit events of the member hook, and as many of its failures, that are older than 30 days.';

-- FUNCTION: assignment.forget_members(uuid[])

CREATE FUNCTION assignment.forget_members(p_member_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  perform assignment.forget_in_runs(p_member_ids);
  delete from assignment.member_hook_failures where member_id = any (p_member_ids);
  delete from assignment.seats where trainer_id = any (p_member_ids);
  delete from assignment.trainers where trainer_id = any (p_member_ids);
  begin
    update assignment.outbox
    set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
    where member_ids && p_member_ids;
    update assignment.outbox_gaps
    set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
    where member_ids && p_member_ids;
  exception when others or assert_failure then  -- a broken outbox keeps nothing else
    raise warning 'trainer assignment: messages still tell of % deleted members: %', cardinality(p_member_ids), sqlerrm
      using hint = 'The scheduled reconciliation removes them there.';
  end;
end;
$$;

COMMENT ON FUNCTION assignment.forget_members(p_member_ids uuid[]) IS 'Deletes the failures, also those of the member hook, the errors of runs, the selections of transfers and the settings as a
trainer of deleted members, takes them out of messages, and moves cursors of backfills on that stand at them.';

-- FUNCTION: assignment.give_back_seats(uuid[])

CREATE FUNCTION assignment.give_back_seats(p_trainer_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
  with given as (
    select t.trainer_id, count(*) as seats
    from unnest(p_trainer_ids) as p (trainer_id)
    join assignment.trainers t on t.trainer_id = p.trainer_id
    where t.capacity is not null
    group by t.trainer_id
  ),
  surplus as materialized (  -- looked up once: whoever looks again locks as many again
    select found.trainer_id, found.seat
    from given g
    cross join lateral (
      select o.trainer_id, o.seat
      from assignment.seats o
      where o.trainer_id = g.trainer_id
        and o.is_overbooked
      order by o.seat
      limit g.seats
      for update skip locked
    ) as found
  ),
  cancelled as (  -- clients beyond the capacity leave no free seat
    delete from assignment.seats s
    using surplus x
    where s.trainer_id = x.trainer_id
      and s.is_overbooked
      and s.seat = x.seat
    returning s.trainer_id
  )
  insert into assignment.seats (trainer_id)
  select g.trainer_id
  from given g
  cross join lateral generate_series(1, g.seats - (select count(*) from cancelled c where c.trainer_id = g.trainer_id))
$$;

COMMENT ON FUNCTION assignment.give_back_seats(p_trainer_ids uuid[]) IS 'Gives back one seat for each item. Ignores trainers without a capacity.';

-- FUNCTION: assignment.grant_service(name, name[])

CREATE FUNCTION assignment.grant_service(p_role name, p_columns name[] DEFAULT NULL::name[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_asked name[] := p_columns;
  v_missing text;
  v_columns text;
  v_function regprocedure;
begin
  select string_agg(quote_ident(asked.name), ', ') into v_missing
  from unnest(p_columns) as asked (name)
  where not exists (
    select from pg_attribute a
    where a.attrelid = 'public.members'::regclass and a.attname = asked.name and a.attnum > 0 and not a.attisdropped
  );
  if v_missing is not null then
    raise exception 'public.members has no column %', v_missing using errcode = 'undefined_column';
  end if;

  execute format('grant usage on schema assignment to %I', p_role);
  execute format(
    'grant select on assignment.settings, assignment.failures, assignment.backfill_runs, assignment.backfill_events,
       assignment.backfill_lanes, assignment.backfill_errors, assignment.backfill_samples, assignment.backfill_progress,
       assignment.reconciliations, assignment.ended_sessions, assignment.schema_migrations, assignment.members_trigger,
       assignment.watched_tables, assignment.policies, assignment.policy_rules, assignment.trainers, assignment.seats,
       assignment.member_columns, assignment.backfill_choices, assignment.backfill_selected, assignment.audit_log,
       assignment.webhook_endpoints, assignment.outbox, assignment.deliveries, assignment.outbox_gaps,
       assignment.webhook_states, assignment.audit_subjects, assignment.member_hook_failures,
       public.trainer_client_assignments to %I',
    p_role
  );

  perform assignment.admit(own, pg_get_userbyid(c.relowner), 'owner_does_all', 'all')
  from assignment.own_tables() as own
  join pg_class c on c.oid = own;
  perform assignment.admit(own, p_role, 'service_reads', 'select')
  from assignment.own_tables() as own
  where has_table_privilege(p_role, own, 'select');

  foreach v_function in array array[
    'assignment.explain_hidden_rows(name)',
    'assignment.type_kind(oid)',  -- which the view member_columns calls
    'assignment.require_visible_rows()',
    'assignment.default_trainer_id()',
    'assignment.set_default_trainer(uuid, text, text)',
    'assignment.put_policy(jsonb, text, text, integer, text)',
    'assignment.find_policy_problems(jsonb)',
    'assignment.preview_policy(jsonb, real)',
    'assignment.explain_decision(uuid)',
    'assignment.member_tables()',
    'assignment.list_member_fields()',
    'assignment.change_trainer(uuid, jsonb, text, text)',
    'assignment.assign_or_record(uuid[], text, uuid, jsonb[], text)',
    'assignment.assign_member(uuid, uuid, text, text, boolean, text, text)',
    'assignment.end_assignment(uuid, uuid, text, text)',
    'assignment.retry_failures(integer)',
    'assignment.make_failures_due(integer, text, text)',
    'assignment.claim_new_failures(integer)',
    'assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text, boolean, text)',
    'assignment.start_transfer(text, uuid, uuid, uuid[], jsonb, text, boolean, integer, text, text, uuid, boolean)',
    'assignment.preview_transfer(uuid, uuid, uuid[], jsonb, integer, integer)',
    'assignment.retry_backfill(uuid, text, text, text)',
    'assignment.backfill_step(uuid)',
    'assignment.preview_step(uuid)',
    'assignment.record_preview(uuid, jsonb)',
    'assignment.change_backfill_status(uuid, text, text, text, text, text)',
    'assignment.await_lanes(uuid)',
    'assignment.record_step_failure(uuid, text, text, integer, integer)',
    'assignment.throttle_backfill(uuid, text, text, text)',
    'assignment.find_backfill_pressure(integer)',
    'assignment.reconcile(timestamptz, text)',
    'assignment.end_session(uuid, timestamptz, text, text)',
    'assignment.put_endpoint(uuid, jsonb, text, text)',
    'assignment.delete_endpoint(uuid, text, text)',
    'assignment.reseal_secret(uuid, text, text)',
    'assignment.find_due_endpoints()',
    'assignment.address_messages(integer)',
    'assignment.take_deliveries(uuid, integer)',
    'assignment.record_deliveries(uuid, jsonb)',
    'assignment.redeliver(uuid, text, uuid, timestamptz, text)',
    'assignment.send_test(uuid, text, text)',
    'assignment.read_message(uuid)',
    'assignment.read_events(xid8, uuid, text[], integer)',
    'assignment.tend_outbox()',
    'assignment.record_access(text, text, jsonb, text)',
    'assignment.first_errors(uuid)',
    'assignment.find_members(uuid[])',
    'assignment.take_member_event(text, text, uuid, name, text, name, text)',
    'assignment.find_member_hook_problems(name[])'
  ]::regprocedure[]
  loop
    execute format('grant execute on function %s to %I', v_function, p_role);
  end loop;

  -- The id, and the columns to show and search. Another role may own the table and must then allow this.
  if v_asked is null and not exists (
    select from pg_attribute
    where attrelid = 'public.members'::regclass
      and attname <> 'id'
      and attnum > 0
      and not attisdropped
      and has_column_privilege(p_role, attrelid, attnum, 'select')
  ) then
    v_asked := '{email,display_name}';  -- a later call without columns widens nothing
  end if;
  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = 'public.members'::regclass
    and (attname = 'id' or attname = any (v_asked))
    and attnum > 0
    and not attisdropped
    and (attname = 'id' or p_columns is not null or has_column_privilege(attrelid, attnum, 'select with grant option'))
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

COMMENT ON FUNCTION assignment.grant_service(p_role name, p_columns name[]) IS 'Grants a role what the service needs: EXECUTE on the functions that it calls, SELECT on the tables that it reads.
Call it as the owner of the schema, and again after each migration. p_columns: which columns of members it may read beside
the id; by default those that it may read already, at first email and display_name if there are such. Rights stay.
Undo: migrate down --all, then drop owned by …role….';

-- FUNCTION: assignment.halve_batches(uuid)

CREATE FUNCTION assignment.halve_batches(p_run_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update assignment.backfill_lanes l
  set batch_rows = greatest(100, l.batch_rows / 2)
  from (
    select lane from assignment.backfill_lanes where run_id = p_run_id and not done order by lane for update skip locked
  ) as free
  where l.run_id = p_run_id
    and l.lane = free.lane;
end;
$$;

COMMENT ON FUNCTION assignment.halve_batches(p_run_id uuid) IS 'Halves the batches of the lanes that no step holds, to 100 rows at least.';

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

-- FUNCTION: assignment.insert_member(uuid, name[], text[])

CREATE FUNCTION assignment.insert_member(p_member_id uuid, p_columns name[], p_values text[]) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_columns text;
  v_values text;
  v_id uuid;
begin
  -- The service may set only what it may read: its rights would else be those of the owner.
  select
    coalesce(string_agg(format(', %I', a.attname), '' order by a.attnum), ''),
    coalesce(string_agg(format(', $2[%s]', given.place), '' order by a.attnum), '')
  into v_columns, v_values
  from unnest(p_columns, p_values) with ordinality as given (name, value, place)
  join pg_attribute a on a.attname = given.name
  where given.value is not null
    and a.attrelid = 'public.members'::regclass
    and a.attnum > 0
    and not a.attisdropped
    and a.attname <> 'id'
    and a.attgenerated = ''
    and has_column_privilege(session_user, a.attrelid, a.attnum, 'select');

  perform set_config(
    'search_path',
    (select concat_ws(', ', nullif(reset_val, ''), 'pg_temp') from pg_settings where name = 'search_path'),
    true
  );
  execute format(
    'insert into public.members (id%s) values ($1%s) on conflict (id) do nothing returning id', v_columns, v_values
  )
  into v_id
  using p_member_id, p_values;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

  if v_id is null then
    perform assignment.require_visible_rows();
    if not exists (select from public.members where id = p_member_id) then
      raise exception 'a trigger or rule of the application kept the member out' using errcode = 'TA008';
    end if;
  end if;
  return v_id;
end;
$_$;

COMMENT ON FUNCTION assignment.insert_member(p_member_id uuid, p_columns name[], p_values text[]) IS 'Inserts a member with those of the columns that exist, that have a value and that the calling role may read. Returns the
id, or null if the member exists.';

-- FUNCTION: assignment.is_ended_by_policy(uuid)

CREATE FUNCTION assignment.is_ended_by_policy(p_ended_run_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return p_ended_run_id is not null and exists (
    select
    from assignment.backfill_runs r
    where r.id = p_ended_run_id
      and r.policy_version is not null
  );
end;
$$;

COMMENT ON FUNCTION assignment.is_ended_by_policy(p_ended_run_id uuid) IS 'Whether the run that ended an assignment (null: none did) followed the policy. What a person ended, or moved to a trainer
by name, stays ended.';

-- FUNCTION: assignment.is_iso_time(text, boolean)

CREATE FUNCTION assignment.is_iso_time(p_text text, p_with_time boolean) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    AS $_$
begin
  if p_with_time then
    return p_text ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$'
      and isfinite(p_text::timestamptz);
  end if;
  return p_text ~ '^\d{4}-\d\d-\d\d$' and isfinite(p_text::date);
exception when data_exception then  -- no such day
  return false;
end;
$_$;

COMMENT ON FUNCTION assignment.is_iso_time(p_text text, p_with_time boolean) IS 'Whether a text is a date such as 2026-11-28 or, with p_with_time, a time such as 2026-11-28T09:30:00Z, which may lack the
offset (UTC) or the time of day (midnight).';

-- FUNCTION: assignment.is_transient(text)

CREATE FUNCTION assignment.is_transient(p_sqlstate text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p_sqlstate in ('25006', '55P03', 'TA023') or left(p_sqlstate, 2) in ('08', '40', '53', '57', '58')
$$;

COMMENT ON FUNCTION assignment.is_transient(p_sqlstate text) IS 'Whether an error says nothing about the row and a later attempt may succeed: locks, serialization, resources,
shutdown, I/O, read-only server, what a shard waits for from others.';

-- FUNCTION: assignment.is_wanted(text)

CREATE FUNCTION assignment.is_wanted(p_type text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select exists (select from assignment.webhook_endpoints e where e.enabled and p_type = any (e.types))
$$;

COMMENT ON FUNCTION assignment.is_wanted(p_type text) IS 'Whether an enabled endpoint wants messages of the type.';

-- FUNCTION: assignment.judge_refusal(uuid[], uuid[], text, text, text)

CREATE FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_trainer_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone_ids uuid[], OUT failures assignment.member_failure[], OUT undecided integer[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_failure assignment.member_failure := assignment.explain_refusal(null, p_sqlstate, p_message, p_constraint);
  v_is_trainer_key boolean := p_constraint = 'trainer_client_assignments_trainer_id_fkey';
  v_refused_ids uuid[] := '{}';
begin
  gone_ids := '{}';
  if p_sqlstate = '23503' or cardinality(p_member_ids) = 1 then
    gone_ids := assignment.find_gone_members(p_member_ids);
    v_refused_ids := case
      when not v_is_trainer_key then assignment.find_refused_members(p_member_ids, p_constraint)
      when v_failure.sqlstate = 'TA009' then assignment.find_refused_members(p_trainer_ids, p_constraint)
      else assignment.find_gone_members(p_trainer_ids)
    end;
  end if;
  if cardinality(p_member_ids) = 1 then
    if gone_ids is null  -- who may not look believes the key, where it points at members
      and p_constraint = 'trainer_client_assignments_client_id_fkey'
      and v_failure.sqlstate = '23503'
    then
      gone_ids := p_member_ids;
    end if;
    v_refused_ids := case when v_is_trainer_key then p_trainer_ids else p_member_ids end;
  end if;
  gone_ids := coalesce(gone_ids, '{}');
  v_refused_ids := coalesce(v_refused_ids, '{}');

  select
    coalesce(array_agg(row(p.member_id, v_failure.sqlstate, v_failure.message, null)::assignment.member_failure)
      filter (where p.is_refused and not p.is_gone), '{}'),
    coalesce(array_agg(p.position::integer order by p.position) filter (where not p.is_refused and not p.is_gone), '{}')
  into failures, undecided
  from (
    select
      pair.member_id,
      pair.position,
      pair.member_id in (select unnest(gone_ids)) as is_gone,
      case when v_is_trainer_key then pair.trainer_id else pair.member_id end in (select unnest(v_refused_ids)) as is_refused
    from unnest(p_member_ids, p_trainer_ids) with ordinality as pair (member_id, trainer_id, position)
  ) as p;
end;
$$;

COMMENT ON FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_trainer_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone_ids uuid[], OUT failures assignment.member_failure[], OUT undecided integer[]) IS 'What an error means for the pairs of one statement: which members are gone, which pairs failed and why, and which, by
position, are still undecided. Only a member whose id is not in public.members counts as gone.';

-- FUNCTION: assignment.lay_out_backfill(assignment.backfill_runs, boolean)

CREATE FUNCTION assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_upper_id uuid;
  v_total bigint;
  v_is_estimate boolean := false;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors where run_id = p_run.retry_of;
    select member_id into v_upper_id from assignment.backfill_errors where run_id = p_run.retry_of order by member_id desc limit 1;
  else
    -- id is unique, but not always a primary key, and a null would sort above all ids.
    select id into v_upper_id from public.members where id is not null order by id desc limit 1;
    select count(*) into v_total from (select from public.members where id <= v_upper_id limit 1000001) as counted;
    if v_total > 1000000 then
      v_is_estimate := true;
      select greatest(v_total, sum(members)::bigint) into v_total from assignment.member_tables();
    end if;
  end if;

  update assignment.backfill_runs set total = v_total, total_is_estimate = v_is_estimate where id = p_run.id;
  if v_total > 0 then
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
    select p_run.id, lane, next_id, upper_id, includes_upper
    from assignment.plan_lanes(v_upper_id, case when p_run.only_failed or p_in_one_lane then 1 else v_total end);
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean) IS 'Sets the total of a new run, and inserts its lanes: none without members, else as plan_lanes says. p_in_one_lane: one.';

-- FUNCTION: assignment.lay_out_transfer(assignment.backfill_runs)

CREATE FUNCTION assignment.lay_out_transfer(p_run assignment.backfill_runs) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_total bigint;
begin
  if p_run.only_failed or p_run.only_selected then
    insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
    select p_run.id, 1, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', true;
    select count(*) into v_total
    from (
      select member_id from assignment.backfill_errors where p_run.only_failed and run_id = p_run.retry_of
      union all
      select member_id from assignment.backfill_selected where not p_run.only_failed and run_id = p_run.id
    ) as listed;
  else
    with planned as (
      -- A dry run that shares out seats has one lane, because each batch must know what earlier ones gave away.
      select * from assignment.plan_transfer_lanes(p_run.from_trainer_id, case when p_run.dry_run then 1 else 16 end)
    ),
    inserted as (
      insert into assignment.backfill_lanes (run_id, lane, next_id, upper_id, includes_upper)
      select p_run.id, p.lane, p.next_id, p.upper_id, p.includes_upper
      from planned p
    )
    select coalesce(max(p.clients), 0) into v_total from planned p;
  end if;
  update assignment.backfill_runs set total = v_total where id = p_run.id;
end;
$$;

COMMENT ON FUNCTION assignment.lay_out_transfer(p_run assignment.backfill_runs) IS 'Sets the total of a new transfer, and inserts its lanes: one for those listed, else as plan_transfer_lanes says.';

-- FUNCTION: assignment.list_member_fields()

CREATE FUNCTION assignment.list_member_fields() RETURNS TABLE(field text, type text, kind text, value_kind text, frequent_values jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO'
    SET jit TO 'off'
    AS $$
declare
  v_percent real;
begin
  select case when sum(t.members) <= 2000 then 100 else greatest(0.0001, 100 * 2000 / sum(t.members)) end
  into v_percent
  from assignment.member_tables() as t;

  return query
  with recursive columns as materialized (  -- once, not once a value: the view asks the catalog for each type's kind
    select c.name, c.type, c.kind, c.value_type, c.value_kind
    from assignment.member_columns c
  ),
  looked as materialized (
    select s.member_row from assignment.sample_members(v_percent) as s (member_row)
  ),
  found as (
    select c.name as field, c.name as column_name, e.value, 1 as level
    from looked l
    cross join lateral jsonb_each(l.member_row) as e
    join columns c on c.name = e.key
    union all
    select f.field || '.' || e.key, f.column_name, e.value, f.level + 1
    from found f
    join columns c on c.name = f.column_name and c.kind = 'json'
    cross join lateral jsonb_each(case jsonb_typeof(f.value) when 'object' then f.value else '{}' end) as e
    where f.level < 3
      and e.key not like '%.%'
  ),
  asked as (
    select c.name as field, c.name as column_name, 0 as place
    from columns c
    union all
    (
      select f.field, f.column_name, 1
      from found f
      where f.level > 1
        and jsonb_typeof(f.value) not in ('object', 'null')
      group by f.field, f.column_name
      order by count(*) desc, f.field
      limit 100
    )
  ),
  items as (
    select f.field, i.value
    from found f
    cross join lateral jsonb_array_elements(
      case jsonb_typeof(f.value) when 'array' then f.value else jsonb_build_array(f.value) end
    ) as i (value)
    where jsonb_typeof(i.value) in ('string', 'number', 'boolean')
      and length(i.value::text) <= 100
  ),
  ranked as materialized (  -- once for all fields
    select i.field, i.value, row_number() over (partition by i.field order by count(*) desc, i.value) as place
    from items i
    group by i.field, i.value
    having count(*) > 1  -- what only one member has, such as a password's hash, is nobody's business
  )
  select
    a.field,
    c.type,
    c.kind,
    case a.place when 0 then c.value_kind else 'json' end,
    coalesce(
      (
        select jsonb_agg(l.enumlabel order by l.enumsortorder)
        from pg_enum l
        where l.enumtypid = c.value_type
      ),
      (select jsonb_agg(r.value order by r.place) from ranked r where r.field = a.field and r.place <= 20),
      '[]'
    )
  from asked a
  join columns c on c.name = a.column_name
  order by a.column_name, a.place, a.field;
end;
$$;

COMMENT ON FUNCTION assignment.list_member_fields() IS 'The columns of members and the fields inside json columns, three levels deep. frequent_values: the labels of an enum;
else up to 20 values that at least two of 2,000 members have, the most frequent first. It never reads the whole table.';

-- TABLE: assignment.outbox

CREATE TABLE assignment.outbox (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    type text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    assignment_ids uuid[],
    member_ids uuid[],
    run_id uuid,
    policy_version integer,
    is_test_for uuid,
    is_addressed boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE assignment.outbox IS 'Messages, with the ids of what they tell of: the text is made from the rows when it is sent, so that a member who is deleted
is in none.';

COMMENT ON COLUMN assignment.outbox.id IS 'The webhook-id, the same at every attempt.';

COMMENT ON COLUMN assignment.outbox.xid IS 'The transaction that wrote it. In the order of (xid, id), no message appears behind one that read_events has given out.';

COMMENT ON COLUMN assignment.outbox.assignment_ids IS 'Of assignments.created and assignments.ended: at most 500.';

COMMENT ON COLUMN assignment.outbox.member_ids IS 'Of assignment.failed: at most 500.';

COMMENT ON COLUMN assignment.outbox.is_test_for IS 'A test message, for this endpoint alone.';

COMMENT ON COLUMN assignment.outbox.is_addressed IS 'Whether there is a delivery for each endpoint that wants it.';

-- FUNCTION: assignment.list_told_assignments(assignment.outbox)

CREATE FUNCTION assignment.list_told_assignments(p_message assignment.outbox) RETURNS TABLE(id uuid, client_id uuid, trainer_id uuid, assignment_date timestamp with time zone, source text, assigned_by text, backfill_run_id uuid, policy_version integer, rule smallint, ended_at timestamp with time zone, ended_by text, ended_because text, ended_run_id uuid)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  return query
  select
    a.id,
    a.client_id,
    a.trainer_id,
    a.assignment_date,
    a.source,
    a.assigned_by,
    a.backfill_run_id,
    a.policy_version,
    a.rule,
    a.ended_at,
    a.ended_by,
    a.ended_because,
    a.ended_run_id
  from public.trainer_client_assignments a
  where a.id = any (p_message.assignment_ids);
end;
$$;

COMMENT ON FUNCTION assignment.list_told_assignments(p_message assignment.outbox) IS 'The assignments of a message that still exist.';

-- FUNCTION: assignment.list_told_failures(assignment.outbox)

CREATE FUNCTION assignment.list_told_failures(p_message assignment.outbox) RETURNS TABLE(member_id uuid, sqlstate text, attempts integer)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
begin
  return query
  select f.member_id, f.sqlstate, f.attempts from assignment.failures f where f.member_id = any (p_message.member_ids);
end;
$$;

COMMENT ON FUNCTION assignment.list_told_failures(p_message assignment.outbox) IS 'The failures of a message that are not over.';

-- FUNCTION: assignment.lock_assigned(uuid[], uuid[], uuid)

CREATE FUNCTION assignment.lock_assigned(p_member_ids uuid[], p_trainer_ids uuid[], p_from_trainer_id uuid DEFAULT NULL::uuid) RETURNS uuid[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
  select array(
    select a.client_id
    from unnest(p_member_ids, p_trainer_ids) as p (member_id, trainer_id)
    join public.trainer_client_assignments a
      on a.client_id = p.member_id
      and a.trainer_id is not distinct from coalesce(p.trainer_id, a.trainer_id)  -- keeps the planner from the index by trainer
      and a.trainer_id is distinct from p_from_trainer_id
      and a.status = 'active'
    order by a.client_id, a.id
    for share of a
  )
$$;

COMMENT ON FUNCTION assignment.lock_assigned(p_member_ids uuid[], p_trainer_ids uuid[], p_from_trainer_id uuid) IS 'Of pairs of member and trainer, the members of those that have an active assignment, which is locked. Trainer null: anyone
but p_from_trainer_id. Waits up to lock_timeout.';

-- FUNCTION: assignment.lock_members(uuid[])

CREATE FUNCTION assignment.lock_members(p_member_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
begin
  perform from public.members m where m.id = any (p_member_ids) order by m.id for key share;
exception when insufficient_privilege then
  null;  -- locking rows needs the right to update; without it, a deadlock is possible, and the step is tried again
end;
$$;

COMMENT ON FUNCTION assignment.lock_members(p_member_ids uuid[]) IS 'Locks the given members'' rows as a foreign key does, in key order, where the owner of this function may. Waits up to
lock_timeout.';

-- FUNCTION: assignment.make_all_waiting_due()

CREATE FUNCTION assignment.make_all_waiting_due() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  update assignment.failures
  set next_attempt_at = now()
  where member_id in (
    select member_id
    from assignment.failures
    where sqlstate = 'TA011'
      and requested_trainer_id is null
    order by first_failed_at, member_id
    limit 100000
    for update skip locked
  )
$$;

COMMENT ON FUNCTION assignment.make_all_waiting_due() IS 'Makes up to 100,000 failures due that wait for room of a trainer whom the policy chose.';

-- FUNCTION: assignment.make_failures_due(integer, text, text)

CREATE FUNCTION assignment.make_failures_due(p_limit integer DEFAULT 20000, p_actor text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text) RETURNS integer
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
  if p_actor is not null and v_made_due > 0 then
    perform assignment.record_audit(
      p_actor, 'failures.retried', p_after => jsonb_build_object('failures', v_made_due), p_request_id => p_request_id
    );
  end if;
  return v_made_due;
end;
$$;

COMMENT ON FUNCTION assignment.make_failures_due(p_limit integer, p_actor text, p_request_id text) IS 'Makes up to p_limit failures due now, except those that a retry has locked. Returns how many: fewer than p_limit when
no more are waiting. p_actor: who asks for it; adds failures.retried to the audit log.';

-- FUNCTION: assignment.make_waiting_due(uuid[])

CREATE FUNCTION assignment.make_waiting_due(p_trainer_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Rules that may give one of these trainers; the default trainer comes after all rules.
  with given as materialized (
    select r.rule, r.choose = 'field' as is_named
    from assignment.policy_rules r
    join assignment.settings s on s.policy_version = r.version
    where r.trainer_ids && p_trainer_ids
      or r.choose = 'field'
    union all
    select 32767, false
    from assignment.settings s
    where s.default_trainer_id = any (p_trainer_ids)
  )
  update assignment.failures f
  set next_attempt_at = now()
  where f.member_id = any (
    -- Who waits for one of these trainers: one for each seat.
    array(
      select w.member_id
      from assignment.failures w
      where w.sqlstate = 'TA011'
        and (
          w.requested_trainer_id = any (p_trainer_ids)
          or w.requested_trainer_id is null
            and coalesce(nullif(w.rule, 0), 32767) in (select g.rule from given g where not g.is_named)
        )
      order by w.first_failed_at, w.member_id
      limit cardinality(p_trainer_ids)
      for update skip locked
    )
    -- Who may have named one of them, or may match an earlier rule.
    || array(
      select w.member_id
      from assignment.failures w
      where w.sqlstate = 'TA011'
        and w.requested_trainer_id is null
        and exists (
          select
          from given g
          where g.rule < coalesce(nullif(w.rule, 0), 32767)
            or (g.is_named and g.rule = w.rule)
        )
      order by w.first_failed_at, w.member_id
      limit 100
      for update skip locked
    )
  )
$$;

COMMENT ON FUNCTION assignment.make_waiting_due(p_trainer_ids uuid[]) IS 'Makes one failure due for each item, those that wait longest for room of these trainers, and up to 100 that may wait for
it: those at a rule that chooses a field, or behind an earlier rule that has room now.';

-- FUNCTION: assignment.match_rules(assignment.policy_rules[], jsonb[])

CREATE FUNCTION assignment.match_rules(p_rules assignment.policy_rules[], p_rows jsonb[]) RETURNS TABLE(rule smallint, matched integer[])
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET work_mem TO '32MB'
    SET jit TO 'off'
    AS $_$
declare
  v_rule assignment.policy_rules;
  v_rules assignment.policy_rules[] := array(  -- a rule that reads a dropped or renamed column matches nobody
    select r
    from unnest(p_rules) as r
    where not exists (select from unnest(r.asks) as asked (path) where not p_rows[1] ? (asked.path::text[])[1])
  );
  v_asked text[] := array(select distinct unnest(r.asks) from unnest(v_rules) as r);
  v_nested jsonpath[] := array(  -- jsonpath itself, because it looks into the items of arrays, unlike #>
    select ('$.' || (
      select string_agg(to_json(key)::text, '.' order by place) from unnest(path::text[]) with ordinality as k (key, place)
    ))::jsonpath
    from unnest(v_asked) as path
    where cardinality(path::text[]) > 1
  );
  v_unasked text[] := array(
    select jsonb_object_keys(p_rows[1])
    except
    select (path::text[])[1] from unnest(v_asked) as path where cardinality(path::text[]) = 1
  );
  v_texts jsonb := (  -- columns whose values compare by another form than to_jsonb gives
    select jsonb_object_agg((asked.path::text[])[1], asked.kind)
    from unnest(v_rules) as r
    cross join unnest(r.asks, r.kinds) as asked (path, kind)
    where asked.kind in ('char', 'citext', 'citext[]')
  );
begin
  return query
  with keyed as materialized (
    select
      r.index::integer,
      r.row,
      r.row - v_unasked as key,
      case
        when cardinality(v_nested) > 0
        then (select jsonb_agg(jsonb_path_query_array(r.row, path) order by place) from unnest(v_nested) with ordinality as n (path, place))
      end as nested_key
    from unnest(p_rows) with ordinality as r (row, index)
  ),
  groups as materialized (
    select array_agg(k.index) as members, min(k.index) as sample
    from keyed k
    group by k.key, k.nested_key
  ),
  samples as materialized (
    select g.members, g.sample, k.row || coalesce(
      (
        select jsonb_object_agg(c.name, case c.kind when 'char' then to_jsonb(rtrim(k.row ->> c.name)) else lower(text)::jsonb end)
        from jsonb_each_text(v_texts) as c (name, kind)
        cross join lateral (select (k.row -> c.name)::text as text) as t
        where k.row ->> c.name is not null
      ),
      '{}'
    ) as row
    from groups g
    join keyed k on k.index = g.sample
  ),
  matches as (
    select s.members, s.sample, r.rule, r.choose = 'nobody' or (r.when_full = 'wait' and cardinality(r.trainer_ids) > 1) as is_final
    from samples s
    join unnest(v_rules) as r
      on r.predicate is null or jsonb_path_match_tz(s.row, r.predicate, silent => true)
  ),
  needed as (  -- rules after one that always decides are not needed
    select m.members, m.rule
    from (
      select m.members, m.rule, bool_or(m.is_final) over (
        partition by m.sample order by m.rule rows between unbounded preceding and 1 preceding
      ) as is_decided
      from matches m
    ) as m
    where m.is_decided is not true
  )
  select n.rule, array_agg(member.index order by member.index)
  from needed n
  cross join lateral unnest(n.members) as member (index)
  group by n.rule
  order by n.rule;
exception when others then
  if assignment.is_transient(sqlstate) then
    raise;
  elsif cardinality(p_rules) = 1 then
    raise warning 'trainer assignment: rule % (%) matches nobody: %', p_rules[1].rule, p_rules[1].name, sqlerrm;
    return;
  end if;
  foreach v_rule in array p_rules loop  -- each by itself: a rule that raises must not hide the others
    return query select * from assignment.match_rules(array[v_rule], p_rows);
  end loop;
end;
$_$;

COMMENT ON FUNCTION assignment.match_rules(p_rules assignment.policy_rules[], p_rows jsonb[]) IS 'For each rule, the members that it matches, by their position in p_rows. A rule that raises matches nobody,
with a warning.';

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
      perform assignment.mirror_missed(v_watched.relid, v_watched.column_name, v_watched.attributes);
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

-- FUNCTION: assignment.mirror_missed(regclass, name, name[])

CREATE FUNCTION assignment.mirror_missed(p_table regclass, p_column name, p_attributes name[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    AS $$
declare
  v_statements record := assignment.mirror_statements(p_table::text, p_column, p_attributes);
  v_mirrored bigint;
begin
  execute v_statements.inserts;
  get diagnostics v_mirrored = row_count;
  if v_statements.updates is not null then
    execute v_statements.updates;
  end if;
  return v_mirrored;
end;
$$;

COMMENT ON FUNCTION assignment.mirror_missed(p_table regclass, p_column name, p_attributes name[]) IS 'Inserts the members that a table has in column p_column and public.members lacks, and brings the attributes of all of them
up to date. Returns how many it inserted.';

-- FUNCTION: assignment.mirror_statements(text, name, name[])

CREATE FUNCTION assignment.mirror_statements(p_source text, p_column name, p_attributes name[], OUT inserts text, OUT updates text) RETURNS record
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET quote_all_identifiers TO 'off'
    AS $_$
  select
    format(
      'insert into public.members (id%3$s)
       select distinct on (w.%2$I) w.%2$I%4$s
       from %1$s w
       where w.%2$I is not null
         and not exists (select from public.members m where m.id = w.%2$I)
       order by w.%2$I
       on conflict do nothing',
      p_source, p_column, case when a.value is not null then ', attributes' end, ', ' || a.value
    ),
    case when a.value is not null then format(
      'update public.members m
       set attributes = %3$s || latest.attributes
       from (
         select distinct on (w.%2$I) w.%2$I as id, %4$s as attributes
         from %1$s w
         where w.%2$I is not null
         order by w.%2$I
       ) as latest
       where m.id = latest.id
         and m.attributes is distinct from %3$s || latest.attributes',
      p_source,
      p_column,
      'case jsonb_typeof(m.attributes) when ''object'' then m.attributes else ''{}'' end',  -- other keys stay
      a.value
    ) end
  from (
    select 'assignment.as_jsonb(json_build_object('
      || string_agg(format('%L, w.%I', named.name, named.name), ', ' order by named.place)
      || '))' as value
    from unnest(p_attributes) with ordinality as named (name, place)
  ) as a
$_$;

COMMENT ON FUNCTION assignment.mirror_statements(p_source text, p_column name, p_attributes name[], OUT inserts text, OUT updates text) IS 'inserts: the statement that makes members of the rows of p_source which have none. updates: the statement that sets their
attributes where those differ; null without attributes.';

-- FUNCTION: assignment.name_partition_indexes(regclass)

CREATE FUNCTION assignment.name_partition_indexes(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_index record;
begin
  for v_index in
    select i.indexrelid::regclass as now, w.relname || substring(c.relname from '_\d+$') as name
    from pg_inherits p
    join pg_class c on c.oid = p.inhrelid
    join pg_index i on i.indrelid = c.oid
    join pg_inherits part on part.inhrelid = i.indexrelid
    join pg_class w on w.oid = part.inhparent
    where p.inhparent = p_table
    order by i.indexrelid
  loop
    if octet_length(v_index.name) < 64 and to_regclass('public.' || quote_ident(v_index.name)) is null then
      execute format('alter index %s rename to %I', v_index.now, v_index.name);
    end if;
  end loop;
end;
$_$;

COMMENT ON FUNCTION assignment.name_partition_indexes(p_table regclass) IS 'Renames the indexes of partition 7 as those of the whole table with _7 behind, unless such a name is taken or too long.';

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
    excluded bigint DEFAULT 0 NOT NULL,
    not_selected bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE assignment.backfill_lanes IS 'Parts of a run: each lane is a separate range of ids: of members, or of the assignments that a transfer ends.
A step locks one lane, so lanes can run in parallel.';

COMMENT ON COLUMN assignment.backfill_lanes.lane IS 'Numbered from 1. Lane 0 counts members that the run missed and its proof found.';

COMMENT ON COLUMN assignment.backfill_lanes.next_id IS 'The cursor: where the next batch begins.';

COMMENT ON COLUMN assignment.backfill_lanes.upper_id IS 'Where the lane ends: of a backfill a round id, which need not be a member''s.
Fixed at the start, so that the run ends although members are inserted meanwhile.';

COMMENT ON COLUMN assignment.backfill_lanes.includes_upper IS 'Whether upper_id belongs to the lane: only in the last one. The others end before it, where the next lane begins.';

COMMENT ON COLUMN assignment.backfill_lanes.batch_rows IS 'Rows of the next batch, unless the run has a fixed number.';

COMMENT ON COLUMN assignment.backfill_lanes.recent_row_us IS 'Microseconds for each row in the last 20 batches, newest last.';

COMMENT ON COLUMN assignment.backfill_lanes.already_assigned IS 'Skipped: had an active assignment to the trainer.';

COMMENT ON COLUMN assignment.backfill_lanes.ended IS 'Skipped: an assignment to the trainer was ended.';

COMMENT ON COLUMN assignment.backfill_lanes.is_trainer IS 'Skipped: the trainer.';

COMMENT ON COLUMN assignment.backfill_lanes.member_gone IS 'Skipped: no longer a member.';

COMMENT ON COLUMN assignment.backfill_lanes.excluded IS 'Skipped: a rule chooses nobody.';

COMMENT ON COLUMN assignment.backfill_lanes.not_selected IS 'Skipped by a transfer: does not match its condition, or is not a client of the trainer (any more).';

-- FUNCTION: assignment.next_members(assignment.backfill_runs, assignment.backfill_lanes, integer)

CREATE FUNCTION assignment.next_members(p_run assignment.backfill_runs, p_lane assignment.backfill_lanes, p_limit integer, OUT member_ids uuid[], OUT next_id uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_keys uuid[];
begin
  perform assignment.require_visible_rows();
  if p_run.only_failed then
    member_ids := array(
      select e.member_id
      from assignment.backfill_errors e
      where e.run_id = p_run.retry_of
        and e.member_id >= p_lane.next_id
      order by e.member_id
      limit p_limit + 1
    );
  elsif p_run.only_selected then
    member_ids := array(
      select s.member_id
      from assignment.backfill_selected s
      where s.run_id = p_run.id
        and s.member_id >= p_lane.next_id
      order by s.member_id
      limit p_limit + 1
    );
  elsif p_run.kind = 'transfer' then
    select coalesce(array_agg(a.id), '{}'), coalesce(array_agg(a.client_id), '{}')
    into v_keys, member_ids
    from (
      select a.id, a.client_id
      from public.trainer_client_assignments a
      where a.trainer_id = p_run.from_trainer_id
        and a.status = 'active'
        and a.id >= p_lane.next_id
        and a.id <= p_lane.upper_id
        and (p_lane.includes_upper or a.id <> p_lane.upper_id)
      order by a.id
      limit p_limit + 1
    ) as a;
  else
    member_ids := array(
      select m.id
      from public.members m
      where m.id >= p_lane.next_id
        and m.id <= p_lane.upper_id
        and (p_lane.includes_upper or m.id <> p_lane.upper_id)
      order by m.id
      limit p_limit + 1
    );
  end if;
  next_id := (coalesce(v_keys, member_ids))[p_limit + 1];
  member_ids := member_ids[:p_limit];
end;
$$;

COMMENT ON FUNCTION assignment.next_members(p_run assignment.backfill_runs, p_lane assignment.backfill_lanes, p_limit integer, OUT member_ids uuid[], OUT next_id uuid) IS 'The next p_limit members of a lane, and where the lane goes on after them (null: it ends). In key order: of the members, or
of the assignments that a transfer ends.';

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

-- FUNCTION: assignment.partition_assignments(integer)

CREATE FUNCTION assignment.partition_assignments(p_partitions integer) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    SET quote_all_identifiers TO 'off'
    AS $_$
declare
  v_old regclass := 'public.trainer_client_assignments';
  v_obstacles text[];
  v_columns text;
  v_options text;
  v_statement text;
  v_rows bigint;
begin
  if p_partitions is null or p_partitions not between 1 and 1024 then
    raise exception 'the number of partitions must be from 1 (none) to 1024' using errcode = 'invalid_parameter_value';
  end if;
  lock table public.trainer_client_assignments in access exclusive mode;
  if (select relkind = 'p' from pg_class where oid = v_old) = (p_partitions > 1)
    and (select greatest(count(*), 1) from pg_inherits where inhparent = v_old) = p_partitions
  then
    return null;
  end if;

  v_obstacles := array(select assignment.find_partition_obstacles(v_old));
  if v_obstacles <> '{}' then
    raise exception 'trainer_client_assignments cannot be partitioned with what hangs on it: %', array_to_string(v_obstacles, ', ')
      using errcode = 'dependent_objects_still_exist', hint = 'Drop it, run this again, then create it anew.';
  end if;

  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = v_old
    and attnum > 0
    and not attisdropped
    and attgenerated = '';
  select coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '') into v_options
  from pg_class
  where oid in (select v_old union all select relid from pg_partition_tree(v_old) where isleaf)
    and relkind = 'r'
  order by oid
  limit 1;

  -- The names become free: indexes move with their table.
  for v_statement in
    select format('alter table %s set schema assignment', tree.relid)
    from (select v_old as relid, 0 as level union select relid, level from pg_partition_tree(v_old)) as tree
    order by tree.level
  loop
    execute v_statement;
  end loop;
  alter table assignment.trainer_client_assignments rename to assignments_before;

  execute format(
    'create table public.trainer_client_assignments (like assignment.assignments_before including all excluding indexes)%s',
    case when p_partitions > 1 then ' partition by hash (client_id)' else v_options end
  );
  if p_partitions > 1 then
    for remainder in 0 .. p_partitions - 1 loop
      execute format(
        'create table public.trainer_client_assignments_%1$s partition of public.trainer_client_assignments
           for values with (modulus %2$s, remainder %1$s)%3$s',
        remainder, p_partitions, v_options
      );
      perform assignment.take_back_defaults(format('public.trainer_client_assignments_%s', remainder)::regclass);
    end loop;
  end if;
  execute format(
    'insert into public.trainer_client_assignments (%1$s) overriding system value select %1$s from assignment.assignments_before',
    v_columns
  );
  get diagnostics v_rows = row_count;

  -- By id first, for assignments are looked up by it alone.
  execute format(
    'alter table public.trainer_client_assignments add constraint trainer_client_assignments_pkey primary key (%s)',
    case when p_partitions > 1 then 'id, client_id' else 'id' end
  );
  for v_statement in select assignment.describe_table('assignment.assignments_before', 'public.trainer_client_assignments') loop
    execute v_statement;
  end loop;
  drop table assignment.assignments_before;
  perform assignment.name_partition_indexes('public.trainer_client_assignments');
  if v_rows > 0 then
    analyze public.trainer_client_assignments;
  end if;
  return v_rows;
end;
$_$;

COMMENT ON FUNCTION assignment.partition_assignments(p_partitions integer) IS 'Makes trainer_client_assignments anew with this many hash partitions of client_id; 1: one table. Keeps rows, indexes,
constraints, triggers, rights and policies. Returns how many rows moved; null: there was nothing to do. Signups that come
meanwhile commit, and are assigned by the next retry.';

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

COMMENT ON FUNCTION assignment.plan_lanes(p_upper_id uuid, p_members bigint) IS 'Up to 16 lanes, cut at pg_stats.histogram_bounds of members.id, across all partitions.
One lane without statistics or with fewer than 20,000 members.';

-- FUNCTION: assignment.plan_transfer_lanes(uuid, integer)

CREATE FUNCTION assignment.plan_transfer_lanes(p_from_trainer_id uuid, p_max_lanes integer DEFAULT 16) RETURNS TABLE(lane smallint, next_id uuid, upper_id uuid, includes_upper boolean, clients bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
  with total as materialized (
    select count(*) as clients
    from public.trainer_client_assignments a
    where a.trainer_id = p_from_trainer_id
      and a.status = 'active'
  ),
  starts as (  -- at least 10,000 clients for each lane
    select n.id
    from (
      select a.id, row_number() over (order by a.id) - 1 as place
      from public.trainer_client_assignments a
      where a.trainer_id = p_from_trainer_id
        and a.status = 'active'
    ) as n
    cross join total t
    where n.place % ceil(t.clients::numeric / greatest(1, least(p_max_lanes, t.clients / 10000))) = 0
  ),
  latest as (
    select a.id
    from public.trainer_client_assignments a
    where a.trainer_id = p_from_trainer_id
      and a.status = 'active'
    order by a.id desc
    limit 1
  )
  select
    (row_number() over by_id)::smallint,
    s.id,
    coalesce(lead(s.id) over by_id, l.id),
    lead(s.id) over by_id is null,
    t.clients
  from starts s
  cross join latest l
  cross join total t
  window by_id as (order by s.id)
$$;

COMMENT ON FUNCTION assignment.plan_transfer_lanes(p_from_trainer_id uuid, p_max_lanes integer) IS 'Up to p_max_lanes ranges of the ids of a trainer''s active assignments, each with the number of all clients. None without
clients.';

-- FUNCTION: assignment.preview_assign_to_trainer(uuid[], uuid, integer)

CREATE FUNCTION assignment.preview_assign_to_trainer(p_member_ids uuid[], p_trainer_id uuid, p_taken integer) RETURNS assignment.batch_result
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_sorted record;
  v_room integer;
  v_result assignment.batch_result;
begin
  select * into v_sorted from assignment.sort_members(p_member_ids, p_trainer_id);

  if cardinality(assignment.find_refused_members(array[p_trainer_id], 'trainer_client_assignments_trainer_id_fkey')) > 0 then
    raise exception '%', assignment.describe_misplaced_key('trainer_client_assignments_trainer_id_fkey') using errcode = 'TA009';
  end if;
  v_result.failures := array(
    select row(id, 'TA009', assignment.describe_misplaced_key('trainer_client_assignments_client_id_fkey'), null)::assignment.member_failure
    from unnest(assignment.find_refused_members(v_sorted.unassigned, 'trainer_client_assignments_client_id_fkey')) as refused (id)
  );
  select case when r.trainer_id is null then 0 else coalesce(r.room, cardinality(v_sorted.unassigned)) end into v_room
  from (values (p_trainer_id)) as asked (id)
  left join assignment.find_room(
    array[p_trainer_id],
    '{}',
    array[row(p_trainer_id, p_taken)::assignment.trainer_count],
    cardinality(v_sorted.unassigned)
  ) as r on true;
  v_result.failures := v_result.failures || array(
    select row(id, 'TA011', format('trainer %s has no room', p_trainer_id), 0)::assignment.member_failure
    from unnest(v_sorted.unassigned[v_room + 1:]) as waiting (id)
    where id not in (select member_id from unnest(v_result.failures))
  );
  v_result.successful := cardinality(v_sorted.unassigned) - cardinality(v_result.failures);
  v_result.already_assigned := v_sorted.already_assigned;
  v_result.ended := v_sorted.ended;
  v_result.is_trainer := v_sorted.is_trainer;
  v_result.member_gone := 0;
  v_result.excluded := 0;
  v_result.not_selected := 0;
  return v_result;
end;
$$;

COMMENT ON FUNCTION assignment.preview_assign_to_trainer(p_member_ids uuid[], p_trainer_id uuid, p_taken integer) IS 'The result that assign_to_trainer would have, with p_taken more seats taken.
Raises TA009 when the foreign key of the trainer references another table.';

-- FUNCTION: assignment.preview_batch(assignment.backfill_runs, uuid[])

CREATE FUNCTION assignment.preview_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) RETURNS assignment.batch_result
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_request assignment.request := assignment.run_request(p_run);
  v_members record;
  v_choices assignment.choice[];
  v_result assignment.batch_result;
begin
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_run.policy_version;
  if p_run.kind = 'transfer' then
    select (s.clients).member_ids, s.member_rows into v_members from assignment.select_clients(p_run, p_member_ids) as s;
  else
    select * into v_members from assignment.read_members(p_member_ids);
  end if;

  v_choices := array(
    select row(
      c.member_id, c.trainer_id, c.rule, case c.outcome when 'assign' then 'assigned' else c.outcome end
    )::assignment.choice
    from assignment.choose(
      v_request,
      v_document,
      v_rules,
      v_members.member_ids,
      v_members.member_rows,
      p_taken => array(
        select row(b.trainer_id, sum(b.members))::assignment.trainer_count
        from assignment.backfill_choices b
        where b.run_id = p_run.id
        group by b.trainer_id
      )
    ) as c
  );
  v_result := assignment.count_choices(v_request, v_choices, v_rules);
  if p_run.kind = 'transfer' then
    v_result.not_selected := v_result.not_selected + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  else
    v_result.member_gone := v_result.member_gone + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  end if;
  return v_result;
end;
$$;

COMMENT ON FUNCTION assignment.preview_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) IS 'The result that run_batch would have for a transfer or a run by the policy, with the seats that the run has given away so far.';

-- FUNCTION: assignment.preview_policy(jsonb, real)

CREATE FUNCTION assignment.preview_policy(p_document jsonb, p_percent real DEFAULT 100) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET jit TO 'off'
    SET work_mem TO '32MB'
    AS $$
declare
  v_rules assignment.policy_rules[] := array(select r from assignment.compile_rules(p_document, 0) as r);
  v_has_json boolean := exists (select from assignment.member_columns where type = 'json');
  v_document_now jsonb;
  v_rules_now assignment.policy_rules[];
  v_taken assignment.trainer_count[];
  v_batch record;
  v_members bigint := 0;
  v_changed bigint := 0;
  v_outcomes jsonb := '[]';
  v_shares jsonb := '[]';
begin
  perform assignment.require_visible_rows();
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document_now, v_rules_now
  from assignment.policies p
  order by p.version desc
  limit 1;

  v_taken := assignment.count_unsampled_seats(p_percent);

  for v_batch in
    select array_agg(m.id order by m.id) as ids, array_agg(m.member_row order by m.id) as rows
    from (
      select
        m.id,
        case when v_has_json then assignment.as_jsonb(to_json(m)) else to_jsonb(m) end as member_row,
        (row_number() over (order by m.id) - 1) / 20000 as batch
      from public.members m tablesample bernoulli (p_percent) repeatable (1)
      where m.id is not null
    ) as m
    group by m.batch
    order by m.batch
  loop
    v_members := v_members + cardinality(v_batch.ids);

    -- What a run would do now.
    with chosen as materialized (
      select *
      from assignment.choose_trainers(p_document, v_rules, v_batch.ids, v_batch.rows, p_taken => v_taken)
    )
    select
      (
        select jsonb_agg(to_jsonb(t))
        from (
          select o.rule, o.trainer_id, o.outcome, sum(o.members)::bigint as members
          from (
            select c.rule, c.trainer_id, c.outcome, count(*) as members
            from chosen c
            group by c.rule, c.trainer_id, c.outcome
            union all
            select * from jsonb_to_recordset(v_outcomes) as o (rule smallint, trainer_id uuid, outcome text, members bigint)
          ) as o
          group by o.rule, o.trainer_id, o.outcome
        ) as t
      ),
      array(
        select row(t.trainer_id, sum(t.members))::assignment.trainer_count
        from (
          select taken.trainer_id, taken.members from unnest(v_taken) as taken
          union all
          select c.trainer_id, 1 from chosen c where c.outcome = 'assign'
        ) as t
        group by t.trainer_id
      )
    into v_outcomes, v_taken;

    -- Who would train each of them, had they signed up with this policy, or with the one in force, and were there room.
    with draft as materialized (
      select c.member_id, array_agg(c.trainer_id order by c.trainer_id) as trainer_ids
      from assignment.choose_trainers(p_document, v_rules, v_batch.ids, v_batch.rows, 'first', '{}', null) as c
      group by c.member_id
    ),
    in_force as materialized (
      select c.member_id, array_agg(c.trainer_id order by c.trainer_id) as trainer_ids
      from assignment.choose_trainers(v_document_now, v_rules_now, v_batch.ids, v_batch.rows, 'first', '{}', null) as c
      group by c.member_id
    )
    select
      v_changed + (
        select count(*) from draft d join in_force f on f.member_id = d.member_id where f.trainer_ids <> d.trainer_ids
      ),
      (
        select jsonb_agg(to_jsonb(t))
        from (
          select s.trainer_id, sum(s.before)::bigint as before, sum(s.after)::bigint as after
          from (
            select unnest(f.trainer_ids) as trainer_id, 1 as before, 0 as after from in_force f
            union all
            select unnest(d.trainer_ids), 0, 1 from draft d
            union all
            select * from jsonb_to_recordset(v_shares) as s (trainer_id uuid, before bigint, after bigint)
          ) as s
          group by s.trainer_id
        ) as t
      )
    into v_changed, v_shares;
  end loop;

  return jsonb_build_object('members', v_members, 'changed', v_changed, 'outcomes', v_outcomes, 'shares', v_shares);
end;
$$;

COMMENT ON FUNCTION assignment.preview_policy(p_document jsonb, p_percent real) IS 'What a draft of the policy would do, over p_percent of the members; all counts are of those.
outcomes: what a run would do now, as members by rule, trainer and outcome of choose_trainers.
changed: members who, signing up now, would get other trainers than by the policy in force. shares: such signups by trainer
(null: none), by the policy in force (before) and by the draft (after), ignoring capacities.';

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
  v_members record;
  v_result assignment.batch_result;
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
  select * into v_members from assignment.next_members(v_run, v_lane, v_rows);
  v_result := case
    when v_run.trainer_id is null or v_run.kind = 'transfer' then assignment.preview_batch(v_run, v_members.member_ids)
    else assignment.preview_assign_to_trainer(
      v_members.member_ids,
      v_run.trainer_id,
      (select sum(l.successful)::integer from assignment.backfill_lanes l where l.run_id = p_run_id)
    )
  end;
  return jsonb_build_object(
    'lane', v_lane.lane,
    'from_id', v_lane.next_id,
    'next_id', v_members.next_id,
    'members', cardinality(v_members.member_ids),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', to_jsonb(v_result)
  );
end;
$$;

COMMENT ON FUNCTION assignment.preview_step(p_run_id uuid) IS 'What a step of a dry run would do, as JSON for record_preview. Null when no lane is left or the run is not running.
Writes nothing: call it in a READ ONLY transaction.';

-- FUNCTION: assignment.preview_transfer(uuid, uuid, uuid[], jsonb, integer, integer)

CREATE FUNCTION assignment.preview_transfer(p_from_trainer_id uuid, p_trainer_id uuid DEFAULT NULL::uuid, p_member_ids uuid[] DEFAULT NULL::uuid[], p_condition jsonb DEFAULT NULL::jsonb, p_max_clients integer DEFAULT 10000, p_listed integer DEFAULT 50) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION assignment.preview_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_max_clients integer, p_listed integer) IS 'What a transfer would do with the first p_max_clients clients of p_from_trainer_id, or with p_member_ids: clients (all), looked_at,
selected, moved, shares (members by trainer and outcome), and the first p_listed who would move and who would stay.
Raises as check_transfer does.';

-- FUNCTION: assignment.put_endpoint(uuid, jsonb, text, text)

CREATE FUNCTION assignment.put_endpoint(p_id uuid, p_change jsonb, p_actor text, p_request_id text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_before assignment.webhook_endpoints;
  v_after assignment.webhook_endpoints;
begin
  if p_id is null then
    insert into assignment.webhook_endpoints (id, url, description, types, secret, created_by, updated_by)
    values (
      coalesce((p_change ->> 'id')::uuid, assignment.uuid_v7()),
      p_change ->> 'url',
      p_change ->> 'description',
      array(select jsonb_array_elements_text(p_change -> 'types')),
      p_change ->> 'secret',
      p_actor,
      p_actor
    )
    returning * into v_after;
  else
    select * into v_before from assignment.webhook_endpoints where id = p_id for update;
    if not found then
      raise exception 'webhook % does not exist', p_id using errcode = 'TA021';
    end if;
    update assignment.webhook_endpoints e
    set url = case when p_change ? 'url' then p_change ->> 'url' else e.url end,
      description = case when p_change ? 'description' then p_change ->> 'description' else e.description end,
      types = case when p_change ? 'types' then array(select jsonb_array_elements_text(p_change -> 'types')) else e.types end,
      secret = case when p_change ? 'secret' then p_change ->> 'secret' else e.secret end,
      former_secret = case when p_change ? 'secret' then e.secret else e.former_secret end,
      former_secret_until = case
        when not p_change ? 'secret' then e.former_secret_until
        when e.secret is not null then now() + interval '24 hours'
      end,
      enabled = coalesce((p_change ->> 'enabled')::boolean, e.enabled),
      disabled_because = case when p_change ? 'enabled' then null else e.disabled_because end,
      failing_since = case when (p_change ->> 'enabled')::boolean and not e.enabled then null else e.failing_since end,
      updated_at = now(),
      updated_by = p_actor
    where e.id = p_id
    returning * into v_after;
  end if;

  perform assignment.set_announcing();
  perform assignment.record_audit(
    p_actor,
    case when v_before.id is null then 'webhook.created' else 'webhook.changed' end,
    'webhook:' || v_after.id,
    p_before => case
      when v_before.id is not null then jsonb_build_object(
        'url', assignment.shorten_url(v_before.url), 'types', v_before.types, 'enabled', v_before.enabled, 'description', v_before.description
      )
    end,
    p_after => jsonb_build_object(
      'url', assignment.shorten_url(v_after.url),
      'types', v_after.types,
      'enabled', v_after.enabled,
      'description', v_after.description,
      'newUrl', v_after.url is distinct from v_before.url,
      'newSecret', p_change ? 'secret'
    ),
    p_request_id => p_request_id
  );
  return v_after.id;
end;
$$;

COMMENT ON FUNCTION assignment.put_endpoint(p_id uuid, p_change jsonb, p_actor text, p_request_id text) IS 'Creates an endpoint (p_id null), or changes what p_change has of url, description, types, secret (sealed) and enabled. A new
secret leaves the former one valid for 24 hours. A new endpoint gets what is committed from now on, and perhaps what was
committed a moment ago. Raises TA021 the endpoint does not exist, 55P03 when transactions that write
assignments leave no moment for it.';

-- FUNCTION: assignment.put_policy(jsonb, text, text, integer, text)

CREATE FUNCTION assignment.put_policy(p_document jsonb, p_actor text, p_comment text DEFAULT NULL::text, p_expected_version integer DEFAULT NULL::integer, p_request_id text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_version integer;
  v_problem record;
begin
  select max(version) into v_version from assignment.policies;
  if v_version <> p_expected_version then
    raise exception 'the policy has version %, not %', v_version, p_expected_version using errcode = 'TA013';
  end if;
  select * into v_problem from assignment.find_policy_problems(p_document) as p where not p.is_warning order by p.pointer limit 1;
  if found then
    raise exception '%: %', v_problem.pointer, v_problem.detail using errcode = 'TA012', detail = v_problem.pointer;
  end if;

  v_version := coalesce(v_version, 0) + 1;
  begin
    insert into assignment.policies (version, document, comment, created_by)
    values (v_version, p_document, p_comment, p_actor);
  exception when unique_violation then
    raise exception 'someone else has just written version %', v_version using errcode = 'TA013';
  end;
  insert into assignment.policy_rules select * from assignment.compile_rules(p_document, v_version);
  perform assignment.refresh_settings();

  perform assignment.record_audit(
    p_actor,
    'policy.changed',
    'policy:' || v_version,
    p_before => jsonb_build_object('version', v_version - 1),
    p_after => jsonb_strip_nulls(jsonb_build_object('version', v_version, 'comment', p_comment)),
    p_request_id => p_request_id
  );

  perform assignment.announce('policy.changed', p_policy_version => v_version);

  perform assignment.make_all_waiting_due();
  return v_version;
end;
$$;

COMMENT ON FUNCTION assignment.put_policy(p_document jsonb, p_actor text, p_comment text, p_expected_version integer, p_request_id text) IS 'Writes the next version of the policy, in force at once for whoever is inserted from then on, and returns its number.
Raises TA012 the document does not fit the database (the JSON pointer in detail), TA013 p_expected_version is not the
version in force.';

-- FUNCTION: assignment.read_events(xid8, uuid, text[], integer)

CREATE FUNCTION assignment.read_events(p_after_xid xid8, p_after_id uuid, p_types text[] DEFAULT NULL::text[], p_limit integer DEFAULT 100) RETURNS TABLE(xid xid8, id uuid, body text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_after_xid xid8 := coalesce(p_after_xid, '0');
  v_after_id uuid := coalesce(p_after_id, '00000000-0000-0000-0000-000000000000');
  -- Transactions below the oldest one still running have all ended: what they wrote is here, and nothing can be added.
  v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
  if p_after_xid is not null and (
    v_after_xid >= pg_snapshot_xmax(pg_current_snapshot())
    or exists (
      select
      from assignment.outbox_forgotten f
      where (f.xid, f.id) > (v_after_xid, v_after_id)
        and (p_types is null or f.type = any (p_types))
    )
  ) then
    raise exception 'messages after the cursor are no longer kept' using errcode = 'TA022';
  end if;

  return query
  with found as (
    select m as message, coalesce(cardinality(m.assignment_ids), cardinality(m.member_ids), 1) as weight
    from assignment.outbox m
    where (m.xid, m.id) > (v_after_xid, v_after_id)
      and m.xid < v_horizon
      and m.is_test_for is null
      and (p_types is null or m.type = any (p_types))
    order by m.xid, m.id
    limit p_limit
  ),
  weighed as (
    select f.message, sum(f.weight) over (order by (f.message).xid, (f.message).id) - f.weight as weight_before
    from found f
  )
  select (w.message).xid, (w.message).id, assignment.render_message(w.message)::text
  from weighed w
  where w.weight_before < 5000
  union all
  select newest.xid, newest.id, null
  from (
    (select m.xid, m.id from assignment.outbox m where m.xid < v_horizon order by m.xid desc, m.id desc limit 1)
    union all
    (select f.xid, f.id from assignment.outbox_forgotten f order by f.xid desc, f.id desc limit 1)
    order by 1 desc, 2 desc
    limit 1
  ) as newest
  where (newest.xid, newest.id) > (v_after_xid, v_after_id)
    and (select count(*) < p_limit and count(*) filter (where w.weight_before >= 5000) = 0 from weighed w)
  order by 1, 2;
end;
$$;

COMMENT ON FUNCTION assignment.read_events(p_after_xid xid8, p_after_id uuid, p_types text[], p_limit integer) IS 'Messages after a place (xid, id), or from the first one kept: up to p_limit, fewer if they tell of more than 5,000 members. If
there are no more for now, a last row has the place of the newest message of any type. body null: nothing to tell at this place,
for example because the members are deleted. A transaction that has been writing for long holds back what was written after it
began. Raises TA022 messages after the place are no longer kept, or this database was restored from before it.';

-- FUNCTION: assignment.read_members(uuid[])

CREATE FUNCTION assignment.read_members(p_member_ids uuid[], OUT member_ids uuid[], OUT member_rows jsonb[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  select coalesce(array_agg(m.id order by m.id), '{}'), coalesce(array_agg(to_jsonb(m) order by m.id), '{}')
  into member_ids, member_rows
  from public.members m
  where m.id = any (p_member_ids);
exception when data_exception then
  select coalesce(array_agg(m.id order by m.id), '{}'), coalesce(array_agg(assignment.as_jsonb(to_json(m)) order by m.id), '{}')
  into member_ids, member_rows
  from public.members m
  where m.id = any (p_member_ids);
end;
$$;

COMMENT ON FUNCTION assignment.read_members(p_member_ids uuid[], OUT member_ids uuid[], OUT member_rows jsonb[]) IS 'The given members who exist, in key order, each with its row as jsonb. Times are in UTC.';

-- FUNCTION: assignment.read_message(uuid)

CREATE FUNCTION assignment.read_message(p_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select assignment.render_message(m) from assignment.outbox m where m.id = p_id
$$;

COMMENT ON FUNCTION assignment.read_message(p_id uuid) IS 'The body of a message as it would be sent now.';

-- FUNCTION: assignment.read_uuid(text)

CREATE FUNCTION assignment.read_uuid(p_text text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  select case when p_text ~ '^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$' then p_text::uuid end
$_$;

COMMENT ON FUNCTION assignment.read_uuid(p_text text) IS 'The UUID that a text spells. Null: it spells none.';

-- FUNCTION: assignment.reconcile(timestamp with time zone, text)

CREATE FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text DEFAULT NULL::text, OUT run_id uuid, OUT repaired_seats integer, OUT waits_for uuid, OUT problems text[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_active_id uuid;
  v_task text;
begin
  insert into assignment.reconciliations (slot) values (p_slot) on conflict (slot) do nothing;
  if not found then
    return;
  end if;
  perform assignment.mirror_all_missed();
  problems := '{}';
  foreach v_task in array array['forget_gone_members', 'forget_member_events', 'settle_all_seats'] loop
    begin  -- what is broken here must not keep the missed members from their trainers
      case v_task
        when 'forget_gone_members' then
          perform assignment.forget_gone_members();
        when 'forget_member_events' then
          perform assignment.forget_member_events(10000);
        else
          select coalesce(sum(abs(missing)), 0) into repaired_seats from assignment.settle_all_seats();
      end case;
    exception when others or assert_failure then
      problems := problems || format('%s: %s', v_task, sqlerrm);
    end;
  end loop;
  begin
    run_id := assignment.start_backfill('schedule', p_traceparent => p_traceparent);
  exception when sqlstate 'TA005' then
    get stacked diagnostics v_active_id = pg_exception_detail;
    if not exists (
      select
      from assignment.backfill_runs
      where id = v_active_id
        and status = 'running'
        and not (dry_run or only_failed)
    ) then
      -- A paused run, a dry run or a retry does not find the missed members: the slot stays unclaimed.
      waits_for := v_active_id;
      delete from assignment.reconciliations where slot = p_slot;
    end if;
  end;
  update assignment.reconciliations r
  set run_id = reconcile.run_id, repaired_seats = reconcile.repaired_seats
  where r.slot = p_slot;
end;
$$;

COMMENT ON FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text, OUT run_id uuid, OUT repaired_seats integer, OUT waits_for uuid, OUT problems text[]) IS 'Claims a slot of the schedule, mirrors missed rows of watched tables, forgets deleted members, repairs seats, and
starts a run. run_id is null when a run is running; all is null when the slot is already claimed. waits_for: a run that has
not ended and is paused, a dry run or a retry of failed members. Everything but the start is done then; call again later.
problems: which of the tasks before the start failed, and why; the next slot tries them again.';

-- FUNCTION: assignment.record_access(text, text, jsonb, text)

CREATE FUNCTION assignment.record_access(p_actor text, p_action text, p_after jsonb DEFAULT NULL::jsonb, p_request_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
begin
  if p_action not in ('session.started', 'access.refused') then
    raise exception '% is no kind of access', p_action using errcode = 'invalid_parameter_value';
  end if;
  perform assignment.record_audit(p_actor, p_action, p_after => p_after, p_request_id => p_request_id);
end;
$$;

COMMENT ON FUNCTION assignment.record_access(p_actor text, p_action text, p_after jsonb, p_request_id text) IS 'Adds session.started or access.refused to the audit log.';

-- FUNCTION: assignment.record_audit(text, text, text, uuid[], jsonb, jsonb, text)

CREATE FUNCTION assignment.record_audit(p_actor text, p_action text, p_subject text DEFAULT NULL::text, p_trainer_ids uuid[] DEFAULT '{}'::uuid[], p_before jsonb DEFAULT NULL::jsonb, p_after jsonb DEFAULT NULL::jsonb, p_request_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with line as (
    insert into assignment.audit_log (actor, database_role, action, subject, trainer_ids, before, after, request_id)
    values (
      coalesce(p_actor, assignment.database_role()),
      assignment.database_role(),
      p_action,
      p_subject,
      array_remove(p_trainer_ids, null),
      p_before,
      p_after,
      p_request_id
    )
    returning id, at
  ),
  concerned as (
    select p_subject as subject
    union
    select 'trainer:' || trainer_id from unnest(p_trainer_ids) as trainer_id
    union
    select 'assignment:' || id from jsonb_array_elements_text(p_after -> 'assignmentIds') as id
  )
  insert into assignment.audit_subjects (subject, at, line_id)
  select concerned.subject, line.at, line.id
  from line
  cross join concerned
  where concerned.subject is not null
$$;

COMMENT ON FUNCTION assignment.record_audit(p_actor text, p_action text, p_subject text, p_trainer_ids uuid[], p_before jsonb, p_after jsonb, p_request_id text) IS 'Adds a line to the audit log, in the transaction of the change. p_actor null: the database role. The assignments that
p_after lists as assignmentIds are found by their ids, like p_subject and the trainers.';

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

    perform assignment.record_sample(p_lane, p_rows);
  end if;

  update assignment.backfill_lanes
  set next_id = coalesce(p_next_id, upper_id),
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
    excluded = excluded + p_result.excluded,
    not_selected = not_selected + p_result.not_selected,
    failed = failed + cardinality(p_result.failures)
  where run_id = p_lane.run_id
    and lane = p_lane.lane;

  perform assignment.record_choices(p_lane, p_result.choices);
end;
$$;

COMMENT ON FUNCTION assignment.record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result) IS 'Adds a result to the counters of a locked lane, sets its cursor and its next batch size, and adds to the throughput.
p_next_id null: the lane is done.';

-- FUNCTION: assignment.record_choices(assignment.backfill_lanes, assignment.choice_count[])

CREATE FUNCTION assignment.record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into assignment.backfill_choices (run_id, lane, rule, trainer_id, members)
  select p_lane.run_id, p_lane.lane, c.rule, c.trainer_id, c.members
  from unnest(p_choices) as c
  on conflict (run_id, lane, rule, trainer_id) do update set members = backfill_choices.members + excluded.members;
end;
$$;

COMMENT ON FUNCTION assignment.record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[]) IS 'Adds the choices of a batch to those of the lane.';

-- FUNCTION: assignment.record_deliveries(uuid, jsonb)

CREATE FUNCTION assignment.record_deliveries(p_endpoint_id uuid, p_results jsonb, OUT disabled_because text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    SET jit TO 'off'
    AS $$
declare
  v_counts record;
begin
  with results as materialized (
    select *
    from jsonb_to_recordset(p_results) as r (
      message_id uuid, outcome text, status integer, error text, answer text, took_ms integer, retry_in_ms bigint
    )
  ),
  updated as (
    update assignment.deliveries d
    set status = case
        when r.outcome in ('delivered', 'dropped') then r.outcome
        when r.retry_in_ms is null then 'failed'
        else 'pending'
      end,
      next_attempt_at = case
        when r.outcome = 'failed' and r.retry_in_ms is not null then now() + r.retry_in_ms * interval '1 millisecond'
      end,
      ended_at = case when r.outcome <> 'failed' or r.retry_in_ms is null then now() end,
      last_status = r.status,
      last_error = r.error,
      last_answer = left(r.answer, 2000),
      last_took_ms = r.took_ms
    from results r
    where d.endpoint_id = p_endpoint_id
      and d.message_id = r.message_id
      and d.status = 'pending'
    returning r.outcome, r.status
  )
  select
    count(*) filter (where u.outcome = 'delivered') as delivered,
    count(*) filter (where u.outcome = 'failed') as failed,
    count(*) filter (where u.outcome = 'failed' and u.status = 410) as gone
  into v_counts
  from updated u;

  update assignment.webhook_endpoints e
  set failing_since = case
    when v_counts.delivered > 0 then null
    when v_counts.failed > 0 then coalesce(e.failing_since, now())
    else e.failing_since
  end
  where e.id = p_endpoint_id
    and (e.failing_since is null) = (v_counts.failed > 0 and v_counts.delivered = 0);  -- spares a row that all write

  select case
    when v_counts.gone > 0 then 'gone'
    when e.failing_since < now() - interval '5 days' then 'failing'
  end
  into disabled_because
  from assignment.webhook_endpoints e
  where e.id = p_endpoint_id
    and e.enabled;
  if disabled_because is not null then
    begin
      update assignment.webhook_endpoints e
      set enabled = false, disabled_because = record_deliveries.disabled_because, updated_at = now(), updated_by = 'service'
      where e.id = p_endpoint_id
        and e.enabled;
      if found then
        perform assignment.record_audit(
          'service',
          'webhook.disabled',
          'webhook:' || p_endpoint_id,
          p_after => jsonb_build_object('enabled', false, 'because', disabled_because)
        );
      end if;
    exception when others or assert_failure then  -- the results stay: without them, all would be sent again
      raise warning 'trainer assignment: endpoint % is not disabled, although it is %: %',
        p_endpoint_id, disabled_because, sqlerrm
        using hint = 'The next result of a delivery disables it.';
      disabled_because := null;
    end;
  end if;
end;
$$;

COMMENT ON FUNCTION assignment.record_deliveries(p_endpoint_id uuid, p_results jsonb, OUT disabled_because text) IS 'Records results: message_id, outcome (delivered, failed, dropped), status, error, answer, took_ms, and for a failure
retry_in_ms (null: given up). disabled_because: gone or failing when this disabled the endpoint. Waits for nobody who
writes assignments: tend_outbox stops what nobody wants any more from being announced.';

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

-- FUNCTION: assignment.record_sample(assignment.backfill_lanes, integer)

CREATE FUNCTION assignment.record_sample(p_lane assignment.backfill_lanes, p_rows integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into assignment.backfill_samples (run_id, lane, at, processed)
  values (p_lane.run_id, p_lane.lane, date_trunc('second', clock_timestamp()), p_rows)
  on conflict (run_id, at, lane) do update set processed = backfill_samples.processed + excluded.processed;
end;
$$;

COMMENT ON FUNCTION assignment.record_sample(p_lane assignment.backfill_lanes, p_rows integer) IS 'Adds the rows of a batch of this lane to the present second.';

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
    perform assignment.halve_batches(p_run_id);
  end if;

  if tries >= p_max_tries then
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
consecutive failures; null: never, for what passes by itself.';

-- FUNCTION: assignment.redeliver(uuid, text, uuid, timestamp with time zone, text)

CREATE FUNCTION assignment.redeliver(p_endpoint_id uuid, p_actor text, p_message_id uuid DEFAULT NULL::uuid, p_failed_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_request_id text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    SET jit TO 'off'
    AS $$
declare
  v_count integer;
begin
  if not exists (select from assignment.webhook_endpoints where id = p_endpoint_id) then
    raise exception 'webhook % does not exist', p_endpoint_id using errcode = 'TA021';
  end if;
  update assignment.deliveries d
  set status = 'pending', next_attempt_at = now(), ended_at = null, attempts = 0
  where d.endpoint_id = p_endpoint_id
    and case
      when p_message_id is not null then d.message_id = p_message_id
      else d.status = 'failed' and d.ended_at >= p_failed_since
    end;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform assignment.record_audit(
      p_actor,
      'webhook.redelivered',
      'webhook:' || p_endpoint_id,
      p_after => jsonb_build_object('messages', v_count),
      p_request_id => p_request_id
    );
  end if;
  return v_count;
end;
$$;

COMMENT ON FUNCTION assignment.redeliver(p_endpoint_id uuid, p_actor text, p_message_id uuid, p_failed_since timestamp with time zone, p_request_id text) IS 'Makes one message of an endpoint due again, or all that failed since a time, and returns how many. Raises TA021 the endpoint
does not exist.';

-- FUNCTION: assignment.refresh_settings()

CREATE FUNCTION assignment.refresh_settings() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into assignment.settings (default_trainer_id, policy_version, needs_choice, respects_other_trainers)
  select
    d.default_trainer_id,
    p.version,
    d.default_trainer_id is null
      or exists (select from assignment.policy_rules r where r.version = p.version)
      or exists (
        select
        from assignment.trainers t
        where t.trainer_id = d.default_trainer_id
          and (t.capacity is not null or not t.accepts_clients)
      ),
    (p.document ->> 'respectsOtherTrainers')::boolean
  from assignment.policies p
  cross join lateral (select (p.document ->> 'defaultTrainerId')::uuid as default_trainer_id) as d
  order by p.version desc
  limit 1
  on conflict (only_row) do update set
    default_trainer_id = excluded.default_trainer_id,
    policy_version = excluded.policy_version,
    needs_choice = excluded.needs_choice,
    respects_other_trainers = excluded.respects_other_trainers
  where row(settings.*) is distinct from row(excluded.*)
$$;

COMMENT ON FUNCTION assignment.refresh_settings() IS 'Makes the settings match the policy in force and the trainers'' capacities.';

-- FUNCTION: assignment.render_message(assignment.outbox)

CREATE FUNCTION assignment.render_message(p_message assignment.outbox) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_data jsonb;
begin
  case
    when p_message.is_test_for is not null then
      v_data := jsonb_build_object('test', true);
    when p_message.type in ('assignments.created', 'assignments.ended') then
      select jsonb_build_object('assignments', jsonb_agg(
        jsonb_build_object(
          'id', a.id,
          'memberId', a.client_id,
          'trainerId', a.trainer_id,
          'assignmentDate', to_char(a.assignment_date, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'source', a.source,
          'assignedBy', a.assigned_by,
          'runId', a.backfill_run_id,
          'policyVersion', a.policy_version,
          'rule', a.rule
        ) || case
          when p_message.type = 'assignments.ended' then jsonb_build_object(
            'endedAt', to_char(a.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'endedBy', a.ended_by,
            'endedBecause', a.ended_because,
            'endedRunId', a.ended_run_id
          )
          else '{}'
        end
        order by a.id
      ))
      into v_data
      from assignment.list_told_assignments(p_message) a
      having count(*) > 0;
    when p_message.type = 'assignment.failed' then
      select jsonb_build_object('members', jsonb_agg(
        jsonb_build_object('memberId', m.id, 'code', f.sqlstate, 'attempts', f.attempts) order by m.id
      ))
      into v_data
      from unnest(p_message.member_ids) as m (id)
      left join assignment.list_told_failures(p_message) f on f.member_id = m.id
      having count(*) > 0;
    when p_message.type = 'run.ended' then
      select jsonb_build_object(
        'runId', p.id,
        'kind', p.kind,
        'status', p.status,
        'dryRun', p.dry_run,
        'fromTrainerId', p.from_trainer_id,
        'trainerId', p.trainer_id,
        'policyVersion', p.policy_version,
        'requestedBy', p.requested_by,
        'total', p.total,
        'successful', p.successful,
        'skipped', p.skipped,
        'failed', p.failed,
        'remaining', p.remaining
      )
      into v_data
      from assignment.backfill_progress p
      where p.id = p_message.run_id;
    when p_message.type = 'policy.changed' then
      select jsonb_build_object('version', p.version, 'changedBy', p.created_by)
      into v_data
      from assignment.policies p
      where p.version = p_message.policy_version;
  end case;
  if v_data is null then
    return null;
  end if;
  return jsonb_build_object(
    'type', p_message.type,
    'timestamp', to_char(p_message.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', v_data
  );
end;
$$;

COMMENT ON FUNCTION assignment.render_message(p_message assignment.outbox) IS 'The body of a message: type, timestamp, data; of members their ids alone, and no free text. Null when all members that it told of are deleted. Assignments that ended
since are told as they were made.';

-- FUNCTION: assignment.rendezvous_score(uuid, uuid, integer)

CREATE FUNCTION assignment.rendezvous_score(p_member_id uuid, p_trainer_id uuid, p_weight integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  -- 53 bits of the hash, as a number between 0 and 1, both exclusive
  select -ln(
    (((hashtextextended(p_member_id::text || p_trainer_id::text, 0) >> 11) & 9007199254740991) + 1)::double precision
      / 9007199254740993
  ) / p_weight
$$;

COMMENT ON FUNCTION assignment.rendezvous_score(p_member_id uuid, p_trainer_id uuid, p_weight integer) IS 'The score of a trainer for a member, above 0. The lowest wins.';

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

-- FUNCTION: assignment.reseal_secret(uuid, text, text)

CREATE FUNCTION assignment.reseal_secret(p_endpoint_id uuid, p_from text, p_to text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
  update assignment.webhook_endpoints
  set secret = case secret when p_from then p_to else secret end,
    former_secret = case former_secret when p_from then p_to else former_secret end
  where id = p_endpoint_id
    and p_from in (secret, former_secret)
$$;

COMMENT ON FUNCTION assignment.reseal_secret(p_endpoint_id uuid, p_from text, p_to text) IS 'Replaces a sealed secret by the same one, sealed under another key.';

-- FUNCTION: assignment.retry_after(integer)

CREATE FUNCTION assignment.retry_after(p_attempts integer) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN LEAST(('00:00:15'::interval * ((2)::double precision ^ (LEAST((p_attempts - 1), 10))::double precision)), '01:00:00'::interval);

COMMENT ON FUNCTION assignment.retry_after(p_attempts integer) IS 'The wait after the given number of failed attempts: 15 s, doubled each time, at most one hour.';

-- FUNCTION: assignment.retry_backfill(uuid, text, text, text)

CREATE FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_run assignment.backfill_runs;
  v_failed bigint;
  v_only_failed boolean;
begin
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  end if;
  select p.failed into v_failed from assignment.backfill_progress p where p.id = p_run_id;
  if v_run.status in ('running', 'paused') then
    raise exception 'run % is % and can be retried once it has ended', p_run_id, v_run.status using errcode = 'TA006';
  elsif v_failed = 0 then
    raise exception 'run % has no failed members to retry', p_run_id using errcode = 'TA006';
  end if;

  -- If more failed than are recorded, only a run over all members is sure to include them. Of fewer, those who are no longer
  -- recorded were deleted.
  v_only_failed := v_failed <= 10000;
  if v_run.kind = 'transfer' then
    return assignment.start_transfer(
      p_requested_by,
      v_run.from_trainer_id,
      case when v_run.policy_version is null then v_run.trainer_id end,
      p_condition => v_run.condition,
      p_notes => v_run.notes,
      p_dry_run => v_run.dry_run,
      p_traceparent => p_traceparent,
      p_request_id => p_request_id,
      p_retry_of => p_run_id,
      p_only_failed => v_only_failed
    );
  end if;
  return assignment.start_backfill(
    p_requested_by,
    case when v_run.policy_version is null then v_run.trainer_id end,
    p_dry_run => v_run.dry_run,
    p_retry_of => p_run_id,
    p_only_failed => v_only_failed,
    p_traceparent => p_traceparent,
    p_reassigns => v_run.reassigns,
    p_request_id => p_request_id
  );
end;
$$;

COMMENT ON FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text, p_request_id text) IS 'Starts a run for the failed members of an ended run, and returns its id.
Raises TA007 run not found, TA006 it has not ended or nothing failed, and as start_backfill and start_transfer do.';

-- FUNCTION: assignment.retry_failures(integer)

CREATE FUNCTION assignment.retry_failures(p_limit integer DEFAULT 500, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[]) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_request assignment.request;
  v_member_ids uuid[];
  v_locked_ids uuid[];
  v_trainer_id uuid;
  v_failures assignment.member_failure[] := '{}';
  v_sqlstate text;
  v_message text;
begin
  failed_ids := '{}';
  select requested_trainer_id, member_ids into v_request.trainer_id, v_member_ids
  from assignment.take_due_failures(p_limit);
  retried := cardinality(v_member_ids);
  if retried = 0 then
    succeeded := 0;
    failed := 0;
    return;
  end if;

  begin
    v_request.purpose := 'fill';
    v_request.source := 'retry';
    v_request.actor := 'retry';
    -- A member that another session has locked would make the whole batch time out.
    v_locked_ids := assignment.find_locked_members(v_member_ids);
    v_trainer_id := coalesce(v_request.trainer_id, (select default_trainer_id from assignment.settings where not needs_choice));
    v_failures := (assignment.assign_batch(
      v_request, array(select unnest(v_member_ids) except select unnest(v_locked_ids))
    )).failures;
    v_failures := v_failures || array(
      select row(member_id, '55P03', 'the member is locked by another session', null)::assignment.member_failure
      from unnest(v_locked_ids) as locked (member_id)
    );
  exception when others or assert_failure then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text;
    v_failures := array(
      select row(member_id, v_sqlstate, left(v_message, 1000), null)::assignment.member_failure
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
    rule = again.rule,
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

-- FUNCTION: assignment.run_batch(assignment.backfill_runs, uuid[])

CREATE FUNCTION assignment.run_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) RETURNS assignment.batch_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_selected record;
  v_result assignment.batch_result;
begin
  if p_run.kind = 'backfill' then
    return assignment.assign_batch(assignment.run_request(p_run), p_member_ids);
  end if;
  select * into v_selected from assignment.select_clients(p_run, p_member_ids);
  v_result := assignment.choose_and_assign(
    assignment.run_request(p_run), (v_selected.clients).member_ids, v_selected.member_rows, v_selected.clients
  );
  v_result.not_selected := v_result.not_selected + cardinality(p_member_ids) - cardinality((v_selected.clients).member_ids);
  return v_result;
end;
$$;

COMMENT ON FUNCTION assignment.run_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) IS 'Assigns or moves members as a run asks for, and counts the results. Raises as choose_and_assign does.';

-- FUNCTION: assignment.run_request(assignment.backfill_runs)

CREATE FUNCTION assignment.run_request(p_run assignment.backfill_runs) RETURNS assignment.request
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select row(
    case when p_run.kind = 'transfer' then 'transfer' when p_run.reassigns then 'reassign' else 'fill' end,
    p_run.kind,
    p_run.requested_by,
    p_run.trainer_id,
    p_run.policy_version,
    p_run.from_trainer_id,
    p_run.id,
    p_run.notes,
    false
  )::assignment.request
$$;

COMMENT ON FUNCTION assignment.run_request(p_run assignment.backfill_runs) IS 'The request for the members of a run.';

-- FUNCTION: assignment.sample_members(real)

CREATE FUNCTION assignment.sample_members(p_percent real) RETURNS SETOF jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET row_security TO 'off'
    SET jit TO 'off'
    AS $$
begin
  return query select to_jsonb(m) from public.members m tablesample system (p_percent) limit 2000;
end;
$$;

COMMENT ON FUNCTION assignment.sample_members(p_percent real) IS 'The rows of at most 2,000 members, of so many percent of the blocks of their table, by chance.';

-- FUNCTION: assignment.select_clients(assignment.backfill_runs, uuid[])

CREATE FUNCTION assignment.select_clients(p_run assignment.backfill_runs, p_member_ids uuid[], OUT clients assignment.clients, OUT member_rows jsonb[]) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
declare
  v_members record;
  v_selected uuid[];
begin
  select
    coalesce(array_agg(a.client_id order by a.client_id), '{}'),
    coalesce(array_agg(a.id order by a.client_id), '{}'),
    coalesce(array_agg(a.notes order by a.client_id), '{}')
  into clients
  from public.trainer_client_assignments a
  where a.client_id = any (p_member_ids)
    and a.trainer_id is not distinct from p_run.from_trainer_id  -- unlike =, keeps the planner from the index by trainer
    and a.status = 'active';
  if p_run.condition is null and p_run.trainer_id is not null then
    return;  -- nobody asks for the rows
  end if;

  select * into v_members from assignment.read_members(clients.member_ids);
  v_selected := v_members.member_ids;  -- whose row is gone meanwhile is no client any more
  if p_run.condition is not null then
    select coalesce(array_agg(v_members.member_ids[matched.place]), '{}') into v_selected
    from assignment.match_rules(
      array(select r from assignment.compile_rules(
        jsonb_build_object('rules', jsonb_build_array(assignment.selecting_rule(p_run.condition))), 0
      ) as r),
      v_members.member_rows
    ) as m
    cross join lateral unnest(m.matched) as matched (place);
  end if;
  if cardinality(v_selected) < cardinality(clients.member_ids) then
    select
      coalesce(array_agg(c.member_id order by c.member_id), '{}'),
      coalesce(array_agg(c.id order by c.member_id), '{}'),
      coalesce(array_agg(c.note order by c.member_id), '{}')
    into clients
    from unnest(clients.member_ids, clients.assignment_ids, clients.notes) as c (member_id, id, note)
    where c.member_id in (select unnest(v_selected));
  end if;
  member_rows := array(
    select m.member_row
    from unnest(v_members.member_ids, v_members.member_rows) as m (id, member_row)
    where m.id in (select unnest(clients.member_ids))
    order by m.id
  );
end;
$$;

COMMENT ON FUNCTION assignment.select_clients(p_run assignment.backfill_runs, p_member_ids uuid[], OUT clients assignment.clients, OUT member_rows jsonb[]) IS 'Those of the given members whom a transfer moves: clients of the trainer who match its condition. member_rows: their rows,
where the policy or the condition asks for them.';

-- FUNCTION: assignment.selecting_rule(jsonb)

CREATE FUNCTION assignment.selecting_rule(p_condition jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select jsonb_build_object(
    'name', 'Selected',
    'when', p_condition,
    'assign', jsonb_build_object('choose', 'nobody')
  )
$$;

COMMENT ON FUNCTION assignment.selecting_rule(p_condition jsonb) IS 'A rule that matches whom the condition matches.';

-- FUNCTION: assignment.send_test(uuid, text, text)

CREATE FUNCTION assignment.send_test(p_endpoint_id uuid, p_actor text, p_request_id text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_type text;
  v_id uuid;
begin
  select e.types[1] into v_type from assignment.webhook_endpoints e where e.id = p_endpoint_id and e.url is not null;
  if not found then
    raise exception 'webhook % does not exist, or has no URL', p_endpoint_id using errcode = 'TA021';
  end if;
  insert into assignment.outbox (type, is_test_for) values (v_type, p_endpoint_id) returning id into v_id;
  perform assignment.record_audit(
    p_actor, 'webhook.tested', 'webhook:' || p_endpoint_id, p_request_id => p_request_id
  );
  return v_id;
end;
$$;

COMMENT ON FUNCTION assignment.send_test(p_endpoint_id uuid, p_actor text, p_request_id text) IS 'Writes a test message for one endpoint, also a disabled one, and returns its id. Raises TA021 it does not exist.';

-- FUNCTION: assignment.set_announcing(integer)

CREATE FUNCTION assignment.set_announcing(p_tries integer DEFAULT 10) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
  v_trigger record;
  v_enabled integer;
  v_is_needed boolean;
begin
  for v_try in 1..p_tries loop
    begin
      v_enabled := 0;
      v_is_needed := true;
      -- One after the other: each sees what the one before wished.
      perform pg_advisory_xact_lock(hashtextextended('assignment.set_announcing', 0));
      for v_trigger in
        select t.tgrelid::regclass as table_name, t.tgname as name, wanted.is_wanted
        from pg_trigger t
        join (
          values
            ('trainer_client_assignments_announce_after_insert', array['assignments.created']),
            ('trainer_client_assignments_announce_after_update', array['assignments.created', 'assignments.ended']),
            ('failures_announce_after_insert', array['assignment.failed'])
        ) as known (name, types) on known.name = t.tgname
        cross join lateral (
          select exists (select from unnest(known.types) as type where assignment.is_wanted(type)) as is_wanted
        ) as wanted
        where t.tgrelid in (to_regclass('public.trainer_client_assignments'), to_regclass('assignment.failures'))
          and (t.tgenabled in ('O', 'A')) <> wanted.is_wanted
        order by wanted.is_wanted desc, t.tgrelid, t.tgname
      loop
        v_is_needed := v_trigger.is_wanted;
        execute format(
          'alter table %s %s trigger %I',
          v_trigger.table_name,
          case when v_trigger.is_wanted then 'enable' else 'disable' end,
          v_trigger.name
        );
        v_enabled := v_enabled + v_trigger.is_wanted::integer;
      end loop;
      return v_enabled;
    exception when lock_not_available then
      if v_try = p_tries then
        if v_is_needed then
          raise;
        end if;
        return 0;  -- what nobody wants costs a little until tend_outbox disables it
      end if;
      perform pg_sleep(0.2);
    end;
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.set_announcing(p_tries integer) IS 'Makes the triggers match the enabled endpoints, and returns how many it enabled. Tries for some 2 s between transactions that
write assignments; then raises 55P03 if a message that is wanted would not be written.';

-- FUNCTION: assignment.set_default_trainer(uuid, text, text)

CREATE FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text, p_request_id text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_policy assignment.policies;
begin
  if not exists (select from public.members where id = p_trainer_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  select * into v_policy from assignment.policies order by version desc limit 1;
  if (v_policy.document ->> 'defaultTrainerId')::uuid = p_trainer_id
    and exists (select from assignment.settings)
  then
    return v_policy.version;
  end if;
  return assignment.put_policy(
    v_policy.document || jsonb_build_object('defaultTrainerId', p_trainer_id),
    p_actor,
    p_expected_version => v_policy.version,
    p_request_id => p_request_id
  );
end;
$$;

COMMENT ON FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text, p_request_id text) IS 'Makes a member the default trainer and returns the version of the policy. Nobody is moved. The present default trainer
makes no new version. Raises TA001 p_trainer_id is not a member, TA012 and TA013 as put_policy.';

-- FUNCTION: assignment.settle_all_seats()

CREATE FUNCTION assignment.settle_all_seats() RETURNS TABLE(trainer_id uuid, missing integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_trainer_id uuid;
begin
  for v_trainer_id in
    select t.trainer_id from assignment.trainers t where t.capacity is not null
    union
    select s.trainer_id from assignment.seats s
    order by 1
  loop
    trainer_id := v_trainer_id;
    missing := assignment.settle_seats(v_trainer_id);
    if missing <> 0 then
      return next;
    end if;
  end loop;
end;
$$;

COMMENT ON FUNCTION assignment.settle_all_seats() IS 'Repairs the seats of all trainers. Returns the trainers whose seats were out of step, and by how many.';

-- FUNCTION: assignment.settle_seats(uuid)

CREATE FUNCTION assignment.settle_seats(p_trainer_id uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_capacity integer;
  v_missing integer;
  v_changed integer;
  v_left integer;
begin
  select capacity into v_capacity from assignment.trainers where trainer_id = p_trainer_id for update;
  if v_capacity is null then
    delete from assignment.seats where trainer_id = p_trainer_id;
    return 0;
  end if;

  -- One statement: in its snapshot, every assignment is there together with its seat.
  select v_capacity - clients.count - free.count + overbooked.count
  into v_missing
  from
    (
      select count(*)::integer
      from public.trainer_client_assignments
      where trainer_id = p_trainer_id
        and status = 'active'
    ) as clients,
    (select count(*)::integer from assignment.seats where trainer_id = p_trainer_id and not is_overbooked) as free,
    (select count(*)::integer from assignment.seats where trainer_id = p_trainer_id and is_overbooked) as overbooked;

  -- First those of the other kind go. A seat that a signup is just taking is left alone. An array is looked up once; a
  -- subquery may be looked up again for each row, and lock as many again.
  delete from assignment.seats
  where trainer_id = p_trainer_id
    and is_overbooked = (v_missing > 0)
    and seat = any (array(
      select seat
      from assignment.seats
      where trainer_id = p_trainer_id
        and is_overbooked = (v_missing > 0)
      order by seat
      limit abs(v_missing)
      for update skip locked
    ));
  get diagnostics v_changed = row_count;
  v_left := abs(v_missing) - v_changed;
  insert into assignment.seats (trainer_id, is_overbooked)
  select p_trainer_id, v_missing < 0
  from generate_series(1, v_left);
  return v_missing;
end;
$$;

COMMENT ON FUNCTION assignment.settle_seats(p_trainer_id uuid) IS 'Makes the seats of a trainer match: free minus overbooked = capacity minus active clients. Returns by how many seats they
were too few (negative: too many). Without a capacity, removes all.';

-- FUNCTION: assignment.shorten_url(text)

CREATE FUNCTION assignment.shorten_url(p_url text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select substring(p_url from '^[^:]+://[^/?#]+') || '/…'
$$;

COMMENT ON FUNCTION assignment.shorten_url(p_url text) IS 'Scheme, host and port of a URL, and /…: path and query may be secrets of the receiver. Null for null.';

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

-- FUNCTION: assignment.start_backfill(text, uuid, boolean, integer, uuid, boolean, text, boolean, text)

CREATE FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid DEFAULT NULL::uuid, p_dry_run boolean DEFAULT false, p_batch_rows integer DEFAULT NULL::integer, p_retry_of uuid DEFAULT NULL::uuid, p_only_failed boolean DEFAULT false, p_traceparent text DEFAULT NULL::text, p_reassigns boolean DEFAULT false, p_request_id text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_trainer_id uuid := p_trainer_id;
  v_policy_version integer;
  v_requested_by text := coalesce(p_requested_by, assignment.database_role());
  v_run_id uuid;
  v_active_id uuid;
  v_has_limits boolean;
begin
  perform assignment.require_visible_rows();
  if p_trainer_id is null then
    select policy_version, case when not (needs_choice or respects_other_trainers or p_reassigns) then default_trainer_id end
    into v_policy_version, v_trainer_id
    from assignment.settings;
    if not found then
      perform assignment.default_trainer_id();  -- raises
    end if;
  end if;
  v_has_limits := v_trainer_id is null or exists (
    select
    from assignment.trainers t
    where t.trainer_id = v_trainer_id
      and (t.capacity is not null or not t.accepts_clients)
  );
  if v_trainer_id is not null and not exists (select from public.members where id = v_trainer_id) then
    raise exception 'trainer % is not a member', v_trainer_id using errcode = 'TA001';
  end if;

  loop
    insert into assignment.backfill_runs
      (
        trainer_id, policy_version, dry_run, reassigns, batch_rows, retry_of, only_failed, requested_by, status_changed_by,
        status_request_id, start_traceparent
      )
    values (
      v_trainer_id, v_policy_version, p_dry_run, p_reassigns, p_batch_rows, p_retry_of, p_only_failed, v_requested_by,
      v_requested_by, p_request_id, p_traceparent
    )
    on conflict (kind, coalesce(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'))
    where status in ('running', 'paused')
    do nothing
    returning id into v_run_id;
    exit when found;

    select id into v_active_id
    from assignment.backfill_runs
    where kind = 'backfill'
      and trainer_id is not distinct from v_trainer_id
      and status in ('running', 'paused');
    if found then
      raise exception 'run % % has not ended', v_active_id, coalesce('for trainer ' || v_trainer_id, 'by the policy')
        using errcode = 'TA005', detail = v_active_id::text;
    end if;
  end loop;

  -- A dry run that shares out seats has one lane, because each batch must know what earlier ones gave away.
  perform assignment.lay_out_backfill(r, p_dry_run and v_has_limits) from assignment.backfill_runs r where r.id = v_run_id;
  return v_run_id;
end;
$$;

COMMENT ON FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text, p_reassigns boolean, p_request_id text) IS 'Starts a run for a trainer, or by the policy in force, and returns its id. p_reassigns: the run also replaces what a policy
chose and would no longer choose (only by the policy).
Raises TA001 trainer not found, TA005 the trainer has a run that has not ended (its id in detail).';

-- FUNCTION: assignment.start_transfer(text, uuid, uuid, uuid[], jsonb, text, boolean, integer, text, text, uuid, boolean)

CREATE FUNCTION assignment.start_transfer(p_requested_by text, p_from_trainer_id uuid, p_trainer_id uuid DEFAULT NULL::uuid, p_member_ids uuid[] DEFAULT NULL::uuid[], p_condition jsonb DEFAULT NULL::jsonb, p_notes text DEFAULT NULL::text, p_dry_run boolean DEFAULT false, p_batch_rows integer DEFAULT NULL::integer, p_traceparent text DEFAULT NULL::text, p_request_id text DEFAULT NULL::text, p_retry_of uuid DEFAULT NULL::uuid, p_only_failed boolean DEFAULT false) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $$
declare
  v_policy_version integer;
  v_requested_by text := coalesce(p_requested_by, assignment.database_role());
  v_run_id uuid;
  v_active_id uuid;
begin
  v_policy_version := assignment.check_transfer(p_from_trainer_id, p_trainer_id, p_condition);

  loop
    insert into assignment.backfill_runs
      (
        kind, from_trainer_id, trainer_id, policy_version, condition, only_selected, notes, dry_run, batch_rows, retry_of,
        only_failed, requested_by, status_changed_by, status_request_id, start_traceparent
      )
    values (
      'transfer', p_from_trainer_id, p_trainer_id, v_policy_version, p_condition, p_member_ids is not null, p_notes, p_dry_run,
      p_batch_rows, p_retry_of, p_only_failed, v_requested_by, v_requested_by, p_request_id, p_traceparent
    )
    on conflict (kind, coalesce(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'))
    where status in ('running', 'paused')
    do nothing
    returning id into v_run_id;
    exit when found;

    select id into v_active_id
    from assignment.backfill_runs
    where kind = 'transfer'
      and from_trainer_id = p_from_trainer_id
      and status in ('running', 'paused');
    if found then
      raise exception 'run % from trainer % has not ended', v_active_id, p_from_trainer_id
        using errcode = 'TA019', detail = v_active_id::text;
    end if;
  end loop;

  insert into assignment.backfill_selected (run_id, member_id)
  select distinct v_run_id, id
  from unnest(p_member_ids) as selected (id);

  perform assignment.lay_out_transfer(r) from assignment.backfill_runs r where r.id = v_run_id;
  return v_run_id;
end;
$$;

COMMENT ON FUNCTION assignment.start_transfer(p_requested_by text, p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_notes text, p_dry_run boolean, p_batch_rows integer, p_traceparent text, p_request_id text, p_retry_of uuid, p_only_failed boolean) IS 'Starts a run that moves the clients of p_from_trainer_id to p_trainer_id, or to whom the policy in force chooses (null), and
returns its id. p_member_ids, p_condition: moves only these clients. p_notes: notes of the new assignments; null: as before.
Raises TA001 a trainer is not a member, TA012 the condition is not valid (a pointer in detail), TA017 nobody can take over,
TA019 the trainer has a transfer that has not ended (its id in detail).';

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

-- FUNCTION: assignment.take_deliveries(uuid, integer)

CREATE FUNCTION assignment.take_deliveries(p_endpoint_id uuid, p_limit integer) RETURNS TABLE(message_id uuid, body text, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_ids uuid[];
begin
  if exists (select from assignment.webhook_endpoints e where e.id = p_endpoint_id and e.enabled) then
    v_ids := array(
      select d.message_id
      from assignment.deliveries d
      where d.endpoint_id = p_endpoint_id
        and d.status = 'pending'
        and d.next_attempt_at <= now()
      order by d.next_attempt_at
      limit p_limit
      for update skip locked
    );
  else
    v_ids := array(
      select d.message_id
      from assignment.deliveries d
      where d.endpoint_id = p_endpoint_id
        and d.message_id = any (array(select m.id from assignment.outbox m where m.is_test_for = p_endpoint_id))
        and d.status = 'pending'
        and d.next_attempt_at <= now()
      limit p_limit
      for update skip locked
    );
  end if;
  update assignment.deliveries d
  set attempts = d.attempts + 1,
    last_attempt_at = now(),
    next_attempt_at = now() + interval '2 minutes'  -- longer than what one process takes at once can need
  where d.endpoint_id = p_endpoint_id
    and d.message_id = any (v_ids);
  return query
  select d.message_id, assignment.render_message(m)::text, d.attempts
  from assignment.deliveries d
  join assignment.outbox m on m.id = d.message_id
  where d.endpoint_id = p_endpoint_id
    and d.message_id = any (v_ids);
end;
$$;

COMMENT ON FUNCTION assignment.take_deliveries(p_endpoint_id uuid, p_limit integer) IS 'Takes up to p_limit due deliveries of an endpoint for two minutes, with the text to send (null: nothing is left to tell); tests
only where the endpoint is disabled. attempts counts this one. Whoever took them calls record_deliveries; otherwise
they are due again after that.';

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

-- FUNCTION: assignment.take_member_event(text, text, uuid, name, text, name, text)

CREATE FUNCTION assignment.take_member_event(p_event_id text, p_event_type text, p_member_id uuid, p_name_column name, p_name text, p_email_column name, p_email text, OUT outcome text, OUT member_id uuid, OUT reason text, OUT detail text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
  v_sqlstate text;
  v_schema text;
  v_table text;
  v_column text;
  v_constraint text;
begin
  perform assignment.forget_member_events(100);
  member_id := p_member_id;
  if p_member_id is null then
    reason := 'id_missing';
    detail := 'the event names no member: see MEMBER_HOOK_ID';
  else
    begin
      insert into assignment.member_hook_events (id, outcome) values (p_event_id, 'created') on conflict (id) do nothing;
      if not found then
        outcome := 'duplicate';
        return;
      end if;
      member_id := assignment.insert_member(p_member_id, array[p_name_column, p_email_column], array[p_name, p_email]);
      outcome := 'created';
      if member_id is null then
        member_id := p_member_id;
        outcome := 'known';
        update assignment.member_hook_events e set outcome = 'known' where e.id = p_event_id;
      end if;
      delete from assignment.member_hook_failures f where f.event_id = p_event_id or f.member_id = p_member_id;
      return;
    exception when others then
      get stacked diagnostics
        v_sqlstate = returned_sqlstate,
        v_schema = schema_name,
        v_table = table_name,
        v_column = column_name,
        v_constraint = constraint_name;
      if assignment.is_transient(v_sqlstate) then
        raise;
      end if;
      select r.reason, r.detail into reason, detail
      from assignment.explain_member_refusal(
        v_sqlstate,
        to_regclass(quote_ident(nullif(v_schema, '')) || '.' || quote_ident(v_table)),
        v_column,
        v_constraint,
        array[p_name_column, p_email_column],
        p_email_column
      ) as r;
    end;
  end if;

  outcome := 'refused';
  insert into assignment.member_hook_failures as f (event_id, event_type, member_id, reason, detail)
  values (p_event_id, p_event_type, p_member_id, take_member_event.reason, take_member_event.detail)
  on conflict (event_id) do update
  set
    member_id = excluded.member_id,
    reason = excluded.reason,
    detail = excluded.detail,
    attempts = f.attempts + 1,
    last_failed_at = excluded.last_failed_at;
end;
$$;

COMMENT ON FUNCTION assignment.take_member_event(p_event_id text, p_event_type text, p_member_id uuid, p_name_column name, p_name text, p_email_column name, p_email text, OUT outcome text, OUT member_id uuid, OUT reason text, OUT detail text) IS 'Creates the member of an event, once. outcome: created; known: the member existed; duplicate: the event was taken before;
refused: kept in member_hook_failures, with the reason and what to do. Transient errors are raised.';

-- FUNCTION: assignment.take_seats(uuid[])

CREATE FUNCTION assignment.take_seats(p_trainer_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into assignment.seats (trainer_id, is_overbooked)
  select t.trainer_id, true
  from unnest(assignment.claim_seats(p_trainer_ids)) as without (position)
  join assignment.trainers t on t.trainer_id = p_trainer_ids[without.position]
  where t.capacity is not null
$$;

COMMENT ON FUNCTION assignment.take_seats(p_trainer_ids uuid[]) IS 'Takes one seat for each item. Where a trainer has none left, the client counts as overbooked.';

-- FUNCTION: assignment.tend_outbox()

CREATE FUNCTION assignment.tend_outbox(OUT filled integer, OUT forgotten integer, OUT enabled integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    SET plan_cache_mode TO 'force_custom_plan'
    SET jit TO 'off'
    AS $$
declare
  v_gap assignment.outbox_gaps;
  v_ids uuid[];
begin
  filled := 0;
  for v_gap in
    select * from assignment.outbox_gaps order by id limit 1000 for update skip locked
  loop
    begin
      delete from assignment.outbox_gaps where id = v_gap.id;
      if not assignment.announce(
        v_gap.type, v_gap.assignment_ids, v_gap.member_ids, v_gap.run_id, v_gap.policy_version
      ) then
        raise object_not_in_prerequisite_state;
      end if;
    exception when object_not_in_prerequisite_state then
      exit;  -- the outbox still refuses: the gap stays as it is
    end;
    filled := filled + 1;
  end loop;

  -- Delivered messages stay for 7 days, those that an endpoint did not get for 30.
  v_ids := array(
    select m.id
    from assignment.outbox m
    where m.at < now() - interval '30 days'
      and m.is_addressed
    order by m.at
    limit 10000
    for update skip locked
  );
  v_ids := v_ids || array(
    select m.id
    from assignment.outbox m
    where m.at >= now() - interval '30 days'
      and m.at < now() - interval '7 days'
      and m.is_addressed
      and not exists (
        select from assignment.deliveries d where d.message_id = m.id and d.status in ('pending', 'failed')
      )
    order by m.at
    limit 10000 - cardinality(v_ids)
    for update skip locked
  );
  with deleted as (
    delete from assignment.outbox m where m.id = any (v_ids) and m.is_test_for is null returning m.type, m.xid, m.id
  )
  insert into assignment.outbox_forgotten (type, xid, id)
  select distinct on (d.type) d.type, d.xid, d.id from deleted d order by d.type, d.xid desc, d.id desc
  on conflict (type) do update
    set xid = excluded.xid, id = excluded.id
    where (outbox_forgotten.xid, outbox_forgotten.id) < (excluded.xid, excluded.id);
  delete from assignment.outbox where id = any (v_ids);  -- the tests
  forgotten := cardinality(v_ids);

  -- A restored database counts its transactions from anew: rows from its future would be held back until then.
  update assignment.outbox set xid = pg_current_xact_id() where xid >= pg_snapshot_xmax(pg_current_snapshot());
  delete from assignment.outbox_forgotten where xid >= pg_snapshot_xmax(pg_current_snapshot());

  begin
    enabled := assignment.set_announcing(p_tries => 1);
  exception when lock_not_available then
    enabled := 0;  -- the next call tries again
  end;
end;
$$;

COMMENT ON FUNCTION assignment.tend_outbox(OUT filled integer, OUT forgotten integer, OUT enabled integer) IS 'Makes messages of up to 1,000 gaps, deletes up to 10,000 old messages, and returns how many of each.
enabled: announcing triggers that were disabled although somebody wants their messages.';

-- FUNCTION: assignment.tg_audit_log__refuse_change()

CREATE FUNCTION assignment.tg_audit_log__refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'DELETE'
    and current_setting('assignment.forgets', true) = 'on'
    and has_schema_privilege('assignment', 'create')  -- another role may have set it
  then
    return null;  -- ignored for a statement trigger
  end if;
  raise exception 'the audit log is only ever added to'
    using errcode = 'TA018', hint = 'assignment.forget_before(time) deletes the lines of before a time.';
end;
$$;

COMMENT ON FUNCTION assignment.tg_audit_log__refuse_change() IS 'Raises TA018 on every change of the audit log, except when forget_before deletes.';

-- FUNCTION: assignment.tg_backfill_runs__guard_status()

CREATE FUNCTION assignment.tg_backfill_runs__guard_status() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_from text := case tg_op when 'UPDATE' then old.status end;
begin
  if new.status = v_from then
    return null;  -- ignored for an after trigger
  elsif v_from is null and new.status <> 'running' then
    raise exception 'a backfill run starts as running, not as %', new.status using errcode = 'TA006';
  elsif not (
    v_from is null
    or (v_from = 'running' and new.status in ('paused', 'cancelled', 'succeeded', 'completed_with_errors'))
    or (v_from = 'paused' and new.status in ('running', 'cancelled'))
  ) then
    raise exception 'a backfill run that is % cannot become %', v_from, new.status using errcode = 'TA006';
  end if;
  insert into assignment.backfill_events (run_id, actor, from_status, to_status, reason)
  values (new.id, new.status_changed_by, v_from, new.status, new.status_reason);
  perform assignment.record_audit(
    new.status_changed_by,
    case
      when v_from is null then 'run.started'
      when new.status = 'running' then 'run.resumed'
      when new.status in ('paused', 'cancelled') then 'run.' || new.status
      else 'run.ended'
    end,
    'run:' || new.id,
    array[new.from_trainer_id, new.trainer_id],
    case when v_from is not null then jsonb_build_object('status', v_from) end,
    jsonb_strip_nulls(jsonb_build_object(
      'kind', new.kind,
      'status', new.status,
      'reason', new.status_reason,
      'dryRun', new.dry_run,
      'fromTrainerId', new.from_trainer_id,
      'trainerId', new.trainer_id,
      'policyVersion', new.policy_version,
      'reassign', nullif(new.reassigns, false)
    )),
    new.status_request_id
  );
  if new.status not in ('running', 'paused') then
    perform assignment.announce('run.ended', p_run_id => new.id);
  end if;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_backfill_runs__guard_status() IS 'Allows and records these changes, and raises TA006 for others: running ⇄ paused, running or paused → cancelled,
running → succeeded or completed_with_errors.';

-- FUNCTION: assignment.tg_failures__announce()

CREATE FUNCTION assignment.tg_failures__announce() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_ids uuid[];
begin
  v_ids := array(select n.member_id from new_rows n order by n.member_id);
  if v_ids <> '{}' then  -- empty where known failures failed again
    perform assignment.announce('assignment.failed', p_member_ids => v_ids);
  end if;
  return null;  -- ignored for an after trigger
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of failed members: %', sqlerrm;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_failures__announce() IS 'Announces members who could not be assigned. Never makes the statement fail.';

-- FUNCTION: assignment.tg_members__assign_trainer()

CREATE FUNCTION assignment.tg_members__assign_trainer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
  v_member_ids uuid[];
  v_rows jsonb[];
  v_assigned bigint;
  v_timezone text;
  v_float_digits text;
begin
  begin
    insert into public.trainer_client_assignments (trainer_id, client_id, source, assigned_by, policy_version)
    select s.default_trainer_id, m.id, 'trigger', 'trigger', s.policy_version
    from new_members m
    cross join assignment.settings s
    where not s.needs_choice
      and not exists (select from new_members offset 1);
    if found then
      return null;  -- ignored for an after trigger
    end if;

    insert into public.trainer_client_assignments (trainer_id, client_id, source, assigned_by, policy_version)
    select s.default_trainer_id, m.id, 'trigger', 'trigger', s.policy_version
    from new_members m
    cross join assignment.settings s
    where m.id is not null  -- id is unique, but not always a primary key
      and not s.needs_choice
    order by m.id;

    get diagnostics v_assigned = row_count;
    if v_assigned = (select count(id) from new_members) then
      return null;
    end if;
    if v_assigned > 0 then
      raise exception 'not all of them were assigned';
    end if;
  exception when others or assert_failure then
    null;
  end;

  begin
    if (select needs_choice from assignment.settings)
      and not exists (  -- in transition tables, virtual generated columns are null
        select from pg_attribute a where a.attrelid = tg_relid and a.attgenerated = 'v'
      )
    then
      v_timezone := current_setting('timezone');
      v_float_digits := current_setting('extra_float_digits');
      perform set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true);
      begin
        v_rows := array(select to_jsonb(m) from new_members m where m.id is not null order by m.id);
      exception when data_exception then
        v_rows := array(select assignment.as_jsonb(to_json(m)) from new_members m where m.id is not null order by m.id);
      end;
      perform set_config('timezone', v_timezone, true), set_config('extra_float_digits', v_float_digits, true);
    end if;
  exception when others or assert_failure then
    null;  -- assign_or_record then reads the rows itself, or records why it cannot
  end;

  begin
    v_member_ids := array(select id from new_members where id is not null order by id);
    if cardinality(v_member_ids) > 0 then
      perform assignment.assign_or_record(v_member_ids, 'trigger', p_rows => v_rows);
    end if;
  exception when others or assert_failure then
    raise warning 'trainer assignment: new members are neither assigned nor recorded as failed: %', sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_members__assign_trainer() IS 'Assigns the members that one INSERT statement added as the policy says. Records whatever goes wrong for a retry, and
never makes the insert fail.';

-- FUNCTION: assignment.tg_members__follow_id()

CREATE FUNCTION assignment.tg_members__follow_id() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
  v_member_id uuid;
  v_is_known boolean := false;
  v_capacity integer;
begin
  begin
    v_member_id := new.id;
    v_is_known := exists (select from public.trainer_client_assignments where client_id = v_member_id);
    update assignment.failures set member_id = v_member_id where member_id = old.id;
    v_is_known := v_is_known or found;

    -- The trigger on assignments fires after this one, and takes the seats of the clients whom the foreign key moved.
    update assignment.trainers set trainer_id = v_member_id where trainer_id = old.id returning capacity into v_capacity;
    if found then
      delete from assignment.seats where trainer_id = old.id;
      insert into assignment.seats (trainer_id) select v_member_id from generate_series(1, v_capacity);
    end if;
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

COMMENT ON FUNCTION assignment.tg_members__follow_id() IS 'Moves the failure, and the capacity as a trainer, of a member whose id changes to the new id. Assigns the member if there
is neither a failure nor an assignment. Never makes the update fail.';

-- FUNCTION: assignment.tg_members__forget()

CREATE FUNCTION assignment.tg_members__forget() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_ids uuid[];
begin
  v_ids := array(select id from old_members where id is not null);
  if v_ids = '{}' then
    return null;  -- ignored for an after trigger
  end if;
  begin
    perform assignment.forget_members(v_ids);
  exception when others or assert_failure then
    raise warning 'trainer assignment: something is still kept of % deleted members: %', cardinality(v_ids), sqlerrm
      using hint = 'The scheduled reconciliation removes it.';
  end;
  perform assignment.record_audit(null, 'members.deleted', p_after => jsonb_build_object('members', cardinality(v_ids)));
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: the deletion of % members is not in the audit log: %', cardinality(v_ids), sqlerrm;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_members__forget() IS 'Forgets the members that one DELETE statement removed, and adds members.deleted to the audit log, with their number only.
Never makes the statement fail.';

-- FUNCTION: assignment.tg_trainer_client_assignments__announce()

CREATE FUNCTION assignment.tg_trainer_client_assignments__announce() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_ids uuid[];
begin
  if tg_op = 'INSERT' then
    v_ids := array(select n.id from new_rows n where n.status = 'active' order by n.id);
    if v_ids <> '{}' then
      perform assignment.announce('assignments.created', v_ids);
    end if;
    return null;  -- ignored for an after trigger
  end if;

  -- No joins: a session plans them once, and a plan for a few rows would compare each row with each.
  v_ids := array(
    select o.id from old_rows o where o.status = 'active'
    intersect
    select n.id from new_rows n where n.status = 'inactive'
    order by id
  );
  if v_ids <> '{}' then
    perform assignment.announce('assignments.ended', v_ids);
  end if;
  v_ids := array(
    select o.id from old_rows o where o.status = 'inactive'
    intersect
    select n.id from new_rows n where n.status = 'active'
    order by id
  );
  if v_ids <> '{}' then
    perform assignment.announce('assignments.created', v_ids);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of a change of assignments: %', sqlerrm;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_trainer_client_assignments__announce() IS 'Announces rows that became active or inactive. Never makes the statement fail.';

-- FUNCTION: assignment.tg_trainer_client_assignments__keep_seats()

CREATE FUNCTION assignment.tg_trainer_client_assignments__keep_seats() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    AS $$
declare
  v_before uuid[];
  v_after uuid[] := '{}';
  v_freed uuid[];
begin
  if not exists (select from assignment.trainers where capacity is not null) then
    return null;  -- ignored for an after trigger
  end if;
  v_before := array(select trainer_id from old_rows where status = 'active');
  if tg_op = 'UPDATE' then
    v_after := array(select trainer_id from new_rows where status = 'active');
  end if;
  perform assignment.take_seats(array(select unnest(v_after) except all select unnest(v_before)));
  v_freed := array(
    select freed.id
    from (select unnest(v_before) except all select unnest(v_after)) as freed (id)
    join assignment.trainers t on t.trainer_id = freed.id
    where t.capacity is not null
  );
  if v_freed <> '{}' then
    perform assignment.give_back_seats(v_freed);
    perform assignment.make_waiting_due(v_freed);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: seats are out of step: %', sqlerrm
    using hint = 'The scheduled reconciliation repairs them; select assignment.settle_all_seats() does so now.';
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_trainer_client_assignments__keep_seats() IS 'Gives back the seats of assignments that are no longer active, and takes seats for those that became active. Never makes
the statement fail.';

-- FUNCTION: assignment.tg_trainer_client_assignments__tell_change()

CREATE FUNCTION assignment.tg_trainer_client_assignments__tell_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    SET enable_seqscan TO 'off'
    SET jit TO 'off'
    AS $$
declare
  v_role text;
  v_gone uuid[];
  v_changed record;
begin
  if tg_op = 'TRUNCATE' then
    perform assignment.record_audit(null, 'assignments.deleted', p_after => '{"truncated": true}');
    return null;  -- ignored for an after trigger
  end if;

  -- The trigger on members tells of rows that change because a member was deleted. No joins of the transition tables: a
  -- session plans them once, and a plan for a few rows would compare each row with each.
  if tg_op = 'DELETE' then
    v_gone := assignment.find_gone_members(array(select distinct o.client_id from old_rows o));
    with changed as materialized (
      select o.id, o.trainer_id from old_rows o where o.client_id not in (select unnest(v_gone))
    )
    select
      array(select c.id from changed c order by c.id limit 101) as ids,
      array(select distinct c.trainer_id from changed c) as trainer_ids,
      jsonb_build_object('deleted', (select count(*) from changed)) as counts
    into v_changed;
  else
    v_gone := assignment.find_gone_members(
      array(select o.client_id from old_rows o union select o.trainer_id from old_rows o where o.trainer_id is not null)
    );
    with changed as materialized (
      select o.id, o.trainer_id, o.status, o::text
      from old_rows o
      where o.client_id not in (select unnest(v_gone))
        and (o.trainer_id is null or o.trainer_id not in (select unnest(v_gone)))
      except
      select n.id, n.trainer_id, n.status, n::text from new_rows n
    ),
    counted as materialized (
      select
        (select count(*) from changed) as changed,
        (
          select count(*)
          from (
            select c.id from changed c where c.status = 'active'
            intersect
            select n.id from new_rows n where n.status = 'inactive'
          ) as ended
        ) as ended,
        (
          select count(*)
          from (
            select c.id from changed c where c.status = 'inactive'
            intersect
            select n.id from new_rows n where n.status = 'active'
          ) as revived
        ) as revived
    )
    select
      array(select c.id from changed c order by c.id limit 101) as ids,
      array(
        select c.trainer_id from changed c
        union
        select moved.trainer_id
        from (
          select n.id, n.trainer_id from new_rows n
          except
          select o.id, o.trainer_id from old_rows o
        ) as moved
      ) as trainer_ids,
      jsonb_build_object('ended', ended, 'revived', revived, 'otherwise', changed - ended - revived) as counts
    into v_changed
    from counted;
  end if;

  if v_changed.ids <> '{}' then
    perform assignment.record_audit(
      null,
      case tg_op when 'DELETE' then 'assignments.deleted' else 'assignments.changed' end,
      case when cardinality(v_changed.ids) = 1 then 'assignment:' || v_changed.ids[1] end,
      v_changed.trainer_ids[:100],
      p_after => v_changed.counts || jsonb_build_object('assignmentIds', to_jsonb(v_changed.ids[:100]))
    );
  end if;

  if tg_op = 'UPDATE' then
    begin
      v_role := assignment.database_role();
      perform set_config('assignment.by_service', 'on', true);  -- this update is no change to tell
      update public.trainer_client_assignments a
      set ended_at = coalesce(a.ended_at, greatest(now(), a.assignment_date)),
        ended_by = v_role,
        ended_because = 'direct'
      where a.id = any (array(
        select ended.id
        from (  -- the other program may say itself who ended it
          select o.id, o.ended_by from old_rows o where o.status = 'active'
          intersect
          select n.id, n.ended_by from new_rows n where n.status = 'inactive'
        ) as ended
      ));
      perform set_config('assignment.by_service', '', true);
    exception when others or assert_failure then
      raise warning 'trainer assignment: ended assignments do not say who ended them: %', sqlerrm;
    end;
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: a change of assignments is not in the audit log: %', sqlerrm;
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_trainer_client_assignments__tell_change() IS 'Adds assignments.changed or assignments.deleted to the audit log, with counts and the first 100 ids, and says on ended rows
who ended them. Where row-level security hides members, it also tells of what follows from a change of members. Never makes
the statement fail.';

-- FUNCTION: assignment.tg_watched__mirror_members()

CREATE FUNCTION assignment.tg_watched__mirror_members() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '250ms'
    SET "TimeZone" TO 'UTC'
    SET extra_float_digits TO '1'
    AS $$
declare
  v_watched assignment.watched_state;
  v_statements record;
  v_inserted bigint;
begin
  -- On a partition this finds nothing: the trigger of the partitioned table mirrors its rows.
  select * into v_watched from assignment.watched_state where relid = tg_relid and column_name is not null;
  if not found then
    return null;  -- ignored for an after trigger
  elsif tg_op = 'DELETE' then
    execute format('delete from public.members where id in (select %I from changed)', v_watched.column_name);
    return null;
  end if;
  v_statements := assignment.mirror_statements('changed', v_watched.column_name, v_watched.attributes);
  if tg_op = 'INSERT' then
    execute v_statements.inserts;
    get diagnostics v_inserted = row_count;
  end if;
  if v_statements.updates is not null and (tg_op = 'UPDATE' or v_inserted < (select count(*) from changed)) then
    execute v_statements.updates;
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format(
      'The scheduled reconciliation mirrors them. To mirror them now: select assignment.watch(%L, %L);',
      tg_relid::regclass, v_watched.column_name
    );
  return null;
end;
$$;

COMMENT ON FUNCTION assignment.tg_watched__mirror_members() IS 'Inserts or deletes the members of the rows that one statement inserted or deleted, and keeps their attributes.
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

-- FUNCTION: assignment.type_kind(oid)

CREATE FUNCTION assignment.type_kind(p_type oid, OUT oid oid, OUT element oid, OUT kind text) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with recursive types as (
    select t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
    from pg_type t
    where t.oid = p_type
    union all
    select t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
    from types d
    join pg_type t on t.oid = d.typbasetype
    where d.typtype = 'd'
  )
  select
    t.oid,
    t.typelem,
    case
      when t.oid in ('json'::regtype, 'jsonb'::regtype) then 'json'
      when t.oid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) then t.typname::text
      when t.oid = 'bool'::regtype then 'boolean'
      when t.oid = 'uuid'::regtype then 'uuid'
      when t.oid in (
        'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype
      ) then 'number'
      when t.oid = 'bpchar'::regtype then 'char'
      when t.typname = 'citext' then 'citext'
      when t.typtype = 'e' then 'enum'
      when t.typcategory = 'S' then 'text'
      when t.typcategory = 'A' then 'array'
      else 'other'
    end
  from types t
  where t.typtype <> 'd'
$$;

COMMENT ON FUNCTION assignment.type_kind(p_type oid, OUT oid oid, OUT element oid, OUT kind text) IS 'The kind of a type: text, char, citext, enum, uuid, number, boolean, date, timestamp, timestamptz, array, json or other.
A domain counts as the type beneath it, whose oid and element type are returned too.';

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

-- FUNCTION: assignment.watch(regclass, name, name[])

CREATE FUNCTION assignment.watch(p_table regclass, p_column name, attributes name[] DEFAULT NULL::name[]) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5s'
    AS $_$
declare
  v_event text;
  v_trigger record;
  v_former name[];
  v_attributes name[];
  v_missing name;
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

  -- An old record: of this table under another name, or of another table under this name.
  with former as (
    delete from assignment.watched_tables w
    using pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table
      and (w.relid = p_table or (w.schema_name = n.nspname and w.table_name = c.relname))
    returning w.relid, w.attributes
  )
  select f.attributes into v_former from former f order by f.relid = p_table desc limit 1;
  v_attributes := coalesce(watch.attributes, v_former, '{}');

  select named.name into v_missing
  from unnest(v_attributes) as named (name)
  where not exists (
    select from pg_attribute a where a.attrelid = p_table and a.attname = named.name and a.attnum > 0 and not a.attisdropped
  )
  limit 1;
  if found then
    raise exception '% has no column %', p_table, quote_ident(v_missing) using errcode = '22023';
  elsif cardinality(v_attributes) > 50 then
    raise exception 'at most 50 attributes can be mirrored' using errcode = '22023';
  elsif v_attributes <> '{}' and not exists (
    select
    from pg_attribute a
    where a.attrelid = 'public.members'::regclass
      and a.attname = 'attributes'
      and a.atttypid = 'jsonb'::regtype
      and not a.attisdropped
  ) then
    raise exception 'public.members has no column attributes of type jsonb'
      using errcode = '22023', hint = 'Run: alter table public.members add column attributes jsonb;';
  end if;

  foreach v_event in array array['insert', 'delete', 'update'] loop
    select tgenabled
    into v_trigger
    from pg_trigger
    where tgrelid = p_table
      and tgname = 'mirror_members_after_' || v_event;
    if v_event = 'update' and v_attributes = '{}' then
      if found then
        execute format('drop trigger mirror_members_after_update on %s', p_table);
      end if;
    elsif not found then
      execute format(
        'create trigger mirror_members_after_%1$s after %1$s on %2$s referencing %3$s table as changed
         for each statement execute function assignment.tg_watched__mirror_members()',
        v_event, p_table, case v_event when 'delete' then 'old' else 'new' end
      );
    elsif v_trigger.tgenabled not in ('O', 'A') then
      execute format('alter table %s enable trigger mirror_members_after_%s', p_table, v_event);
    end if;
  end loop;

  insert into assignment.watched_tables (relid, schema_name, table_name, column_name, column_number, attributes)
  select p_table, n.nspname, c.relname, a.attname, a.attnum, v_attributes
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = p_column
  where c.oid = p_table;

  if not v_former <@ v_attributes then  -- a rule must not go on asking what is no longer kept
    execute format(
      'update public.members m
       set attributes = m.attributes - $1
       where m.attributes ?| $1
         and m.id in (select w.%I from %s w)',
      p_column, p_table
    ) using array(select unnest(v_former) except select unnest(v_attributes))::text[];
  end if;
  return assignment.mirror_missed(p_table, p_column, v_attributes);
end;
$_$;

COMMENT ON FUNCTION assignment.watch(p_table regclass, p_column name, attributes name[]) IS 'Mirrors a uuid column of a table into public.members: its current rows, and every later insert and delete.
attributes: columns to mirror into the keys of members.attributes, updates included; null: as before, at first none.
Returns the number of new members. A second call repairs the triggers and mirrors missed rows. Deleting a row deletes the
member and the member''s own assignments, except a trainer with clients.';

-- TABLE: assignment.audit_log

CREATE TABLE assignment.audit_log (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    database_role text NOT NULL,
    action text NOT NULL,
    subject text,
    trainer_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    before jsonb,
    after jsonb,
    request_id text
);

COMMENT ON TABLE assignment.audit_log IS 'Each change of policy, trainers and runs, assignments made or ended by hand, changes past the service, sign-ins and refused
tokens. Assignments by a trigger, a program or a run are no lines here: their rows tell.';

COMMENT ON COLUMN assignment.audit_log.id IS 'UUID version 7. Among lines of one time, the later is the greater.';

COMMENT ON COLUMN assignment.audit_log.actor IS 'Who: the name of a token or session, jwt: or oidc: and who it is, cli: and a user, schedule, service, or a database role.';

COMMENT ON COLUMN assignment.audit_log.database_role IS 'The role of the database session, which no caller can choose.';

COMMENT ON COLUMN assignment.audit_log.action IS 'What: a thing and a verb, such as policy.changed.';

COMMENT ON COLUMN assignment.audit_log.subject IS 'To what: a kind and an id, such as run:… or assignment:…. Nothing names a member who is only a client, so that a deleted
member leaves nothing behind: the assignment tells whose it is, and goes with the member.';

COMMENT ON COLUMN assignment.audit_log.trainer_ids IS 'The trainers that it concerns. No foreign keys: the log outlives them.';

COMMENT ON COLUMN assignment.audit_log.request_id IS 'The id of the HTTP request, as in the service''s log.';

-- TABLE: assignment.audit_subjects

CREATE TABLE assignment.audit_subjects (
    subject text NOT NULL,
    at timestamp with time zone NOT NULL,
    line_id uuid NOT NULL
);

COMMENT ON TABLE assignment.audit_subjects IS 'What each line of the audit log concerns: its subject, its trainers, and the assignments that a statement changed.';

COMMENT ON COLUMN assignment.audit_subjects.subject IS 'A kind and an id, as in audit_log.';

COMMENT ON COLUMN assignment.audit_subjects.at IS 'As in audit_log.';

COMMENT ON COLUMN assignment.audit_subjects.line_id IS 'The line. No foreign key: only forget_before deletes, and it deletes here as well.';

-- TABLE: assignment.backfill_choices

CREATE TABLE assignment.backfill_choices (
    run_id uuid NOT NULL,
    lane smallint NOT NULL,
    rule smallint NOT NULL,
    trainer_id uuid NOT NULL,
    members bigint NOT NULL
);

COMMENT ON TABLE assignment.backfill_choices IS 'How many members each rule gave to each trainer, in each lane of a run.';

COMMENT ON COLUMN assignment.backfill_choices.rule IS 'Position in the policy of the run, from 1. 0: the default trainer.';

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
    r.kind,
    r.from_trainer_id,
    r.trainer_id,
    r.policy_version,
    r.status,
    r.dry_run,
    r.reassigns AS reassign,
    r.condition,
    r.only_selected,
    r.notes,
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
    l.excluded,
    l.not_selected,
    ( SELECT COALESCE(jsonb_agg(to_jsonb(c.*) ORDER BY c.rule, c.trainer_id), '[]'::jsonb) AS "coalesce"
           FROM ( SELECT NULLIF(b.rule, 0) AS rule,
                    p.name AS rule_name,
                    b.trainer_id,
                    (sum(b.members))::bigint AS members
                   FROM (assignment.backfill_choices b
                     LEFT JOIN assignment.policy_rules p ON (((p.version = r.policy_version) AND (p.rule = b.rule))))
                  WHERE (b.run_id = r.id)
                  GROUP BY b.rule, p.name, b.trainer_id
                  ORDER BY (sum(b.members)) DESC, b.rule, b.trainer_id
                 LIMIT 1000) c) AS choices,
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
            (COALESCE(sum((((((backfill_lanes.already_assigned + backfill_lanes.ended) + backfill_lanes.is_trainer) + backfill_lanes.member_gone) + backfill_lanes.excluded) + backfill_lanes.not_selected)), (0)::numeric))::bigint AS skipped,
            (COALESCE(sum(backfill_lanes.failed), (0)::numeric))::bigint AS failed,
            (COALESCE(sum(backfill_lanes.already_assigned), (0)::numeric))::bigint AS already_assigned,
            (COALESCE(sum(backfill_lanes.ended), (0)::numeric))::bigint AS ended,
            (COALESCE(sum(backfill_lanes.is_trainer), (0)::numeric))::bigint AS is_trainer,
            (COALESCE(sum(backfill_lanes.member_gone), (0)::numeric))::bigint AS member_gone,
            (COALESCE(sum(backfill_lanes.excluded), (0)::numeric))::bigint AS excluded,
            (COALESCE(sum(backfill_lanes.not_selected), (0)::numeric))::bigint AS not_selected
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

-- TABLE: assignment.backfill_selected

CREATE TABLE assignment.backfill_selected (
    run_id uuid NOT NULL,
    member_id uuid NOT NULL
);

COMMENT ON TABLE assignment.backfill_selected IS 'Members that a transfer was asked to move, at most 1,000 for each run.';

-- TABLE: assignment.deliveries

CREATE TABLE assignment.deliveries (
    endpoint_id uuid NOT NULL,
    message_id uuid NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now(),
    last_attempt_at timestamp with time zone,
    last_status integer,
    last_error text,
    last_answer text,
    last_took_ms integer,
    ended_at timestamp with time zone,
    CONSTRAINT ended_at_belongs_to_ended CHECK (((ended_at IS NULL) = (status = 'pending'::text))),
    CONSTRAINT pending_has_a_time CHECK (((next_attempt_at IS NOT NULL) = (status = 'pending'::text))),
    CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text, 'dropped'::text])))
);

COMMENT ON TABLE assignment.deliveries IS 'A message for an endpoint: pending, delivered, failed (given up), or dropped.';

COMMENT ON COLUMN assignment.deliveries.status IS 'dropped: there is nothing left to tell, because the members it told of are deleted.';

COMMENT ON COLUMN assignment.deliveries.next_attempt_at IS 'When it is tried next. While an attempt is under way: when another process may take it for lost.';

COMMENT ON COLUMN assignment.deliveries.last_status IS 'The HTTP status of the last answer. Null: there was none.';

COMMENT ON COLUMN assignment.deliveries.last_error IS 'Why there was no answer, or why it does not count as success.';

COMMENT ON COLUMN assignment.deliveries.last_answer IS 'The first 2,000 characters of the last answer.';

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
    rule smallint,
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

COMMENT ON COLUMN assignment.failures.trainer_id IS 'The trainer of the last attempt. A retry asks the policy again. Null: none was chosen.';

COMMENT ON COLUMN assignment.failures.requested_trainer_id IS 'The trainer that the caller asked for; retries use this one. Null: the policy decides.';

COMMENT ON COLUMN assignment.failures.rule IS 'The rule that waits for room (0: the default trainer). Null: the member does not wait for room.';

COMMENT ON COLUMN assignment.failures.sqlstate IS 'The error code of the last attempt: PostgreSQL''s, or one of this service (TA…).';

COMMENT ON COLUMN assignment.failures.source IS 'What tried to assign; see public.trainer_client_assignments.source.';

COMMENT ON COLUMN assignment.failures.attempts IS 'Failed attempts so far.';

COMMENT ON COLUMN assignment.failures.next_attempt_at IS 'When the service tries again. See assignment.retry_after; the default
is its first wait, written out, because inserting a failure must need no right to a function.';

COMMENT ON COLUMN assignment.failures.logged_at IS 'When a replica took the failure to log it. Null: not logged yet.';

-- VIEW: assignment.member_columns

CREATE VIEW assignment.member_columns AS
 SELECT (a.attname)::text AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    own.kind,
    COALESCE(element.kind, own.kind) AS value_kind,
    COALESCE(element.oid, own.oid) AS value_type
   FROM ((pg_attribute a
     CROSS JOIN LATERAL assignment.type_kind(a.atttypid) own(oid, element, kind))
     LEFT JOIN LATERAL assignment.type_kind(
        CASE own.kind
            WHEN 'array'::text THEN own.element
            ELSE NULL::oid
        END) element(oid, element, kind) ON ((own.kind = 'array'::text)))
  WHERE ((a.attrelid = (to_regclass('public.members'::text))::oid) AND (a.attnum > 0) AND (NOT a.attisdropped));

COMMENT ON VIEW assignment.member_columns IS 'Columns of members by kind: text, char, citext, enum, uuid, number, boolean, date, timestamp, timestamptz, array, json or
other. value_kind, value_type: of an array, the kind and type of its elements; else those of the column itself. A domain
counts as the type beneath it.';

-- TABLE: assignment.member_hook_events

CREATE TABLE assignment.member_hook_events (
    id text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    outcome text NOT NULL,
    CONSTRAINT outcome_is_known CHECK ((outcome = ANY (ARRAY['created'::text, 'known'::text])))
);

COMMENT ON TABLE assignment.member_hook_events IS 'Events of the identity provider that were taken. Forgotten after 30 days. Nothing here names a member.';

COMMENT ON COLUMN assignment.member_hook_events.id IS 'The provider''s id of the event, or the SHA-256 of its body where the provider gives none.';

COMMENT ON COLUMN assignment.member_hook_events.outcome IS 'created: the event made a member. known: the member existed already.';

-- TABLE: assignment.member_hook_failures

CREATE TABLE assignment.member_hook_failures (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    event_id text NOT NULL,
    event_type text NOT NULL,
    member_id uuid,
    reason text NOT NULL,
    detail text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    first_failed_at timestamp with time zone DEFAULT now() NOT NULL,
    last_failed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE assignment.member_hook_failures IS 'Signed events that could not be taken. One goes when the event, or another one of the same member, is taken, or after 30 days.';

COMMENT ON COLUMN assignment.member_hook_failures.id IS 'UUID version 7.';

COMMENT ON COLUMN assignment.member_hook_failures.member_id IS 'Who would have been created; null if the event names nobody. Goes with the member.';

COMMENT ON COLUMN assignment.member_hook_failures.reason IS 'id_missing, value_missing, email_taken, refused: of this event. column_missing, not_granted, table_unfit: of all events.';

COMMENT ON COLUMN assignment.member_hook_failures.detail IS 'What to do about it. Quotes no value.';

-- TABLE: assignment.watched_tables

CREATE TABLE assignment.watched_tables (
    relid regclass NOT NULL,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    column_name name NOT NULL,
    column_number smallint NOT NULL,
    attributes name[] DEFAULT '{}'::name[] NOT NULL,
    watched_since timestamp with time zone DEFAULT now() NOT NULL,
    mirrored_at timestamp with time zone DEFAULT now() NOT NULL,
    problem text
);

COMMENT ON TABLE assignment.watched_tables IS 'Tables whose rows are mirrored into public.members, as they were when assignment.watch was called.';

COMMENT ON COLUMN assignment.watched_tables.relid IS 'Identifies the table even after it is renamed.';

COMMENT ON COLUMN assignment.watched_tables.column_name IS 'The uuid column whose values are mirrored as members'' ids.';

COMMENT ON COLUMN assignment.watched_tables.column_number IS 'Identifies the column after it is renamed.';

COMMENT ON COLUMN assignment.watched_tables.attributes IS 'The columns that are mirrored into members.attributes, by their names.';

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
            w.attributes,
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
            ARRAY( SELECT named.name
                   FROM (unnest(w.attributes) WITH ORDINALITY named(name, place)
                     JOIN pg_attribute a ON (((a.attrelid = (w.relid)::oid) AND (a.attname = named.name) AND (NOT a.attisdropped))))
                  WHERE (EXISTS ( SELECT
                           FROM pg_attribute m
                          WHERE ((m.attrelid = (to_regclass('public.members'::text))::oid) AND (m.attname = 'attributes'::name) AND (m.atttypid = ('jsonb'::regtype)::oid) AND (NOT m.attisdropped))))
                  ORDER BY named.place) AS current_attributes,
            (2 + ((w.attributes <> '{}'::name[]))::integer) AS wanted_triggers,
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
            watched.current_attributes AS attributes,
                CASE
                    WHEN ((watched.current_name IS NULL) AND (watched.namesake IS NOT NULL)) THEN 'rebuilt'::text
                    WHEN (watched.current_name IS NULL) THEN 'dropped'::text
                    WHEN (watched.current_column IS NULL) THEN 'column_missing'::text
                    WHEN (watched.triggers < watched.wanted_triggers) THEN 'trigger_missing'::text
                    WHEN (watched.enabled_triggers < watched.wanted_triggers) THEN 'trigger_disabled'::text
                    WHEN (watched.current_attributes <> watched.attributes) THEN 'attributes_missing'::text
                    WHEN (watched.problem IS NOT NULL) THEN 'not_readable'::text
                    ELSE 'watched'::text
                END AS state,
            watched.problem
           FROM watched
        UNION ALL
         SELECT DISTINCT (t.tgrelid)::regclass AS relid,
            format('%I.%I'::text, n.nspname, c.relname) AS table_name,
            NULL::name AS column_name,
            '{}'::name[] AS attributes,
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
    states.attributes,
    states.state,
    states.problem,
        CASE states.state
            WHEN 'watched'::text THEN NULL::text
            WHEN 'dropped'::text THEN format('select assignment.unwatch(%L)'::text, states.table_name)
            WHEN 'column_missing'::text THEN format('select assignment.watch(%L, ''…'') with the column of ids'::text, states.table_name)
            WHEN 'trigger_disabled'::text THEN format('alter table %1$s %3$s; select assignment.watch(%1$L, %2$L)'::text, states.table_name, states.column_name, ( SELECT string_agg(format('enable trigger %I'::text, t.tgname), ', '::text ORDER BY t.tgname) AS string_agg
               FROM pg_trigger t
              WHERE ((t.tgrelid = (states.relid)::oid) AND (t.tgfoid = (to_regprocedure('assignment.tg_watched__mirror_members()'::text))::oid))))
            WHEN 'attributes_missing'::text THEN format('select assignment.watch(%L, %L, attributes => ''{…}'') with columns that exist; members must have a column attributes of type jsonb'::text, states.table_name, states.column_name)
            WHEN 'unrecorded'::text THEN format('select assignment.watch(%L, ''…'') with the column of ids'::text, states.table_name)
            WHEN 'not_readable'::text THEN format('select assignment.watch(%L, %L), which says why: %s'::text, states.table_name, states.column_name, states.problem)
            ELSE format('select assignment.watch(%L, %L)'::text, states.table_name, states.column_name)
        END AS remedy
   FROM states;

COMMENT ON VIEW assignment.watched_state IS 'The current state of each watched table.
state: watched (works); rebuilt or dropped (the table), column_missing, trigger_missing, trigger_disabled, unrecorded
(triggers without a row in watched_tables), attributes_missing (ids and other attributes are mirrored),
not_readable (by the last reconciliation).
remedy: what to run; null: nothing.
attributes: the columns that are mirrored into members.attributes now.';

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

-- TABLE: assignment.outbox_forgotten

CREATE TABLE assignment.outbox_forgotten (
    type text NOT NULL,
    xid xid8 NOT NULL,
    id uuid NOT NULL
);

COMMENT ON TABLE assignment.outbox_forgotten IS 'Of each type, the place (xid, id) of the last message that is no longer kept. A cursor before it has missed something.';

-- TABLE: assignment.outbox_gaps

CREATE TABLE assignment.outbox_gaps (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    type text NOT NULL,
    assignment_ids uuid[],
    member_ids uuid[],
    run_id uuid,
    policy_version integer,
    message text NOT NULL
);

COMMENT ON TABLE assignment.outbox_gaps IS 'Changes without a message, because the outbox refused it. Plain on purpose: what broke the outbox should not break this.';

COMMENT ON COLUMN assignment.outbox_gaps.message IS 'The error.';

-- SEQUENCE: assignment.outbox_gaps_id_seq

ALTER TABLE assignment.outbox_gaps ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME assignment.outbox_gaps_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- TABLE: assignment.policies

CREATE TABLE assignment.policies (
    version integer NOT NULL,
    document jsonb NOT NULL,
    comment text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT version_is_positive CHECK ((version > 0))
);

COMMENT ON TABLE assignment.policies IS 'All versions of the policy. A version never changes; to return to an old one, its document becomes the next version.';

COMMENT ON COLUMN assignment.policies.document IS 'defaultTrainerId, respectsOtherTrainers and rules, with defaults filled in.';

COMMENT ON COLUMN assignment.policies.created_by IS 'Who wrote the version; migration for version 1.';

-- TABLE: assignment.reconciliations

CREATE TABLE assignment.reconciliations (
    slot timestamp with time zone NOT NULL,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id uuid,
    repaired_seats integer
);

COMMENT ON TABLE assignment.reconciliations IS 'Claimed slots of the schedule, each with the run that it started.';

COMMENT ON COLUMN assignment.reconciliations.slot IS 'The time of the schedule that the run is for.';

COMMENT ON COLUMN assignment.reconciliations.run_id IS 'Null: another run was running already, so none was started.';

COMMENT ON COLUMN assignment.reconciliations.repaired_seats IS 'By how many seats trainers with a capacity were out of step.';

-- TABLE: assignment.seats

CREATE TABLE assignment.seats (
    trainer_id uuid NOT NULL,
    seat uuid DEFAULT assignment.uuid_v7() NOT NULL,
    is_overbooked boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE assignment.seats IS 'For each trainer with a capacity: free seats minus overbooked seats = capacity minus active clients.';

COMMENT ON COLUMN assignment.seats.is_overbooked IS 'False: a free seat. True: a client beyond the capacity, added by force or left over when the capacity was lowered. A
seat that is given back removes such a row instead of adding a free one.';

-- TABLE: assignment.settings

CREATE TABLE assignment.settings (
    only_row boolean DEFAULT true NOT NULL,
    default_trainer_id uuid,
    policy_version integer DEFAULT 1 NOT NULL,
    needs_choice boolean DEFAULT false NOT NULL,
    respects_other_trainers boolean DEFAULT false NOT NULL,
    CONSTRAINT only_row_is_true CHECK (only_row)
);

COMMENT ON TABLE assignment.settings IS 'What the policy in force says, for the trigger: always one row.';

COMMENT ON COLUMN assignment.settings.only_row IS 'Always true, so that a second row violates the primary key.';

COMMENT ON COLUMN assignment.settings.default_trainer_id IS 'The trainer of members whom no rule takes; null: none. No foreign key: this member may be inserted after the service is installed.';

COMMENT ON COLUMN assignment.settings.policy_version IS 'The version of the policy in force.';

COMMENT ON COLUMN assignment.settings.needs_choice IS 'Whether assigning needs choose_trainers: the policy has rules, or no default trainer, or the default trainer has a capacity or
accepts no clients. False: everybody gets the default trainer, in one statement.';

COMMENT ON COLUMN assignment.settings.respects_other_trainers IS 'Whether a member with any active assignment gets no further trainer.';

-- TABLE: assignment.trainers

CREATE TABLE assignment.trainers (
    trainer_id uuid NOT NULL,
    capacity integer,
    accepts_clients boolean DEFAULT true NOT NULL,
    note text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text,
    CONSTRAINT capacity_is_bounded CHECK (((capacity >= 0) AND (capacity <= 100000)))
);

COMMENT ON TABLE assignment.trainers IS 'Settings of trainers. A trainer without a row has no limit. No foreign key: deleting a member must not fail here.';

COMMENT ON COLUMN assignment.trainers.capacity IS 'The most active clients that this service assigns, unless an admin forces more. Null: no limit.';

COMMENT ON COLUMN assignment.trainers.accepts_clients IS 'False: only an admin can assign further clients, by force.';

-- TABLE: assignment.webhook_endpoints

CREATE TABLE assignment.webhook_endpoints (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    url text,
    description text,
    types text[] NOT NULL,
    secret text,
    former_secret text,
    former_secret_until timestamp with time zone,
    enabled boolean DEFAULT true NOT NULL,
    disabled_because text,
    failing_since timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT enabled_has_no_reason CHECK (((NOT enabled) OR (disabled_because IS NULL))),
    CONSTRAINT former_secret_has_an_end CHECK (((former_secret IS NULL) = (former_secret_until IS NULL))),
    CONSTRAINT secret_belongs_to_url CHECK (((secret IS NOT NULL) = (url IS NOT NULL))),
    CONSTRAINT types_are_known CHECK (((types <@ ARRAY['assignments.created'::text, 'assignments.ended'::text, 'assignment.failed'::text, 'run.ended'::text, 'policy.changed'::text]) AND (cardinality(types) > 0)))
);

COMMENT ON TABLE assignment.webhook_endpoints IS 'Who wants messages, of which types.';

COMMENT ON COLUMN assignment.webhook_endpoints.url IS 'Where messages are sent. Null: nowhere, they are kept for consumers who fetch them.';

COMMENT ON COLUMN assignment.webhook_endpoints.secret IS 'The signing secret, sealed under WEBHOOK_KEY. Null: nothing is sent.';

COMMENT ON COLUMN assignment.webhook_endpoints.former_secret IS 'The secret of before the last rotation, sealed. Messages are signed with it too until former_secret_until.';

COMMENT ON COLUMN assignment.webhook_endpoints.disabled_because IS 'Why the service disabled it: gone (answered 410) or failing (five days without a success). Null: enabled, or disabled by hand.';

COMMENT ON COLUMN assignment.webhook_endpoints.failing_since IS 'The first of the failures since the last success. Null: none.';

-- VIEW: assignment.webhook_states

CREATE VIEW assignment.webhook_states AS
 SELECT e.id,
    e.url,
    e.description,
    e.types,
    e.enabled,
    e.disabled_because,
    e.failing_since,
        CASE
            WHEN (e.former_secret_until > now()) THEN e.former_secret_until
            ELSE NULL::timestamp with time zone
        END AS former_secret_until,
    e.created_at,
    e.created_by,
    e.updated_at,
    e.updated_by,
    pending.count AS pending,
    failed.count AS failed,
    ( SELECT m.at
           FROM (assignment.deliveries d
             JOIN assignment.outbox m ON ((m.id = d.message_id)))
          WHERE ((d.endpoint_id = e.id) AND (d.status = 'pending'::text))
          ORDER BY d.message_id
         LIMIT 1) AS oldest_pending_at
   FROM ((assignment.webhook_endpoints e
     CROSS JOIN LATERAL ( SELECT count(*) AS count
           FROM ( SELECT
                   FROM assignment.deliveries d
                  WHERE ((d.endpoint_id = e.id) AND (d.status = 'pending'::text))
                 LIMIT 10001) counted) pending)
     CROSS JOIN LATERAL ( SELECT count(*) AS count
           FROM ( SELECT
                   FROM assignment.deliveries d
                  WHERE ((d.endpoint_id = e.id) AND (d.status = 'failed'::text))
                 LIMIT 10001) counted) failed);

COMMENT ON VIEW assignment.webhook_states IS 'Webhooks without their secrets, with their messages that wait and those that were given up, each counted up to 10,001.';

-- TABLE: public.members

CREATE TABLE public.members (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text,
    display_name text,
    attributes jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.members IS 'Everybody with an account. Created by trainer assignment, for lack of one.';

-- TABLE: public.trainer_client_assignments

CREATE TABLE public.trainer_client_assignments (
    id uuid DEFAULT assignment.uuid_v7() NOT NULL,
    trainer_id uuid,
    client_id uuid NOT NULL,
    assignment_date timestamp with time zone DEFAULT now() NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    notes text,
    source text DEFAULT 'manual'::text NOT NULL,
    backfill_run_id uuid,
    policy_version integer,
    rule smallint,
    assigned_by text DEFAULT CURRENT_USER NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    ended_because text,
    ended_run_id uuid,
    CONSTRAINT active_has_trainer CHECK (((trainer_id IS NOT NULL) OR (status = 'inactive'::text))),
    CONSTRAINT ended_because_is_known CHECK ((ended_because = ANY (ARRAY['manual'::text, 'transfer'::text, 'reassign'::text, 'direct'::text]))),
    CONSTRAINT source_is_known CHECK ((source = ANY (ARRAY['trigger'::text, 'retry'::text, 'backfill'::text, 'transfer'::text, 'manual'::text, 'signup'::text]))),
    CONSTRAINT status_is_known CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text]))),
    CONSTRAINT trainer_is_not_client CHECK ((trainer_id <> client_id))
);

COMMENT ON TABLE public.trainer_client_assignments IS 'Which trainer has which client. A pair has at most one active row; inactive rows are its history.';

COMMENT ON COLUMN public.trainer_client_assignments.id IS 'UUID version 7. Grows with time, so lists are paged by it.';

COMMENT ON COLUMN public.trainer_client_assignments.trainer_id IS 'The member who trains. Null: a trainer of former times, who is no longer a member.';

COMMENT ON COLUMN public.trainer_client_assignments.client_id IS 'The member who is trained.';

COMMENT ON COLUMN public.trainer_client_assignments.assignment_date IS 'When the row was inserted.';

COMMENT ON COLUMN public.trainer_client_assignments.status IS 'active, or inactive (ended).';

COMMENT ON COLUMN public.trainer_client_assignments.notes IS 'Free text of whoever assigned.';

COMMENT ON COLUMN public.trainer_client_assignments.source IS 'What assigned: trigger, retry (of a failed trigger), backfill, transfer, manual (an admin), signup (a program).';

COMMENT ON COLUMN public.trainer_client_assignments.backfill_run_id IS 'The run that inserted the row. No foreign key: it would look up the same run again for every row.';

COMMENT ON COLUMN public.trainer_client_assignments.policy_version IS 'The version of the policy that chose the trainer. Null: the caller named the trainer.';

COMMENT ON COLUMN public.trainer_client_assignments.rule IS 'The rule of that version, by its position from 1. Null: the default trainer, or a trainer that the caller named.';

COMMENT ON COLUMN public.trainer_client_assignments.assigned_by IS 'Who assigned: the caller''s name, who started the run, trigger, retry, or the database role of another program.';

COMMENT ON COLUMN public.trainer_client_assignments.ended_at IS 'When the assignment became inactive.';

COMMENT ON COLUMN public.trainer_client_assignments.ended_by IS 'Who ended it: as assigned_by. Null: active.';

COMMENT ON COLUMN public.trainer_client_assignments.ended_because IS 'manual (an admin), transfer, reassign (the policy chose another trainer), direct (a change past the service).';

COMMENT ON COLUMN public.trainer_client_assignments.ended_run_id IS 'The run that ended it, for transfer and reassign.';

-- CONSTRAINT: assignment.audit_log audit_log_pkey

ALTER TABLE ONLY assignment.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.audit_subjects audit_subjects_pkey

ALTER TABLE ONLY assignment.audit_subjects
    ADD CONSTRAINT audit_subjects_pkey PRIMARY KEY (subject, at, line_id);

-- CONSTRAINT: assignment.backfill_choices backfill_choices_pkey

ALTER TABLE ONLY assignment.backfill_choices
    ADD CONSTRAINT backfill_choices_pkey PRIMARY KEY (run_id, lane, rule, trainer_id);

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

-- CONSTRAINT: assignment.backfill_selected backfill_selected_pkey

ALTER TABLE ONLY assignment.backfill_selected
    ADD CONSTRAINT backfill_selected_pkey PRIMARY KEY (run_id, member_id);

-- CONSTRAINT: assignment.deliveries deliveries_pkey

ALTER TABLE ONLY assignment.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (endpoint_id, message_id);

-- CONSTRAINT: assignment.ended_sessions ended_sessions_pkey

ALTER TABLE ONLY assignment.ended_sessions
    ADD CONSTRAINT ended_sessions_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.failures failures_pkey

ALTER TABLE ONLY assignment.failures
    ADD CONSTRAINT failures_pkey PRIMARY KEY (member_id);

-- CONSTRAINT: assignment.member_hook_events member_hook_events_pkey

ALTER TABLE ONLY assignment.member_hook_events
    ADD CONSTRAINT member_hook_events_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.member_hook_failures member_hook_failures_event_id_key

ALTER TABLE ONLY assignment.member_hook_failures
    ADD CONSTRAINT member_hook_failures_event_id_key UNIQUE (event_id);

-- CONSTRAINT: assignment.member_hook_failures member_hook_failures_pkey

ALTER TABLE ONLY assignment.member_hook_failures
    ADD CONSTRAINT member_hook_failures_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.outbox_forgotten outbox_forgotten_pkey

ALTER TABLE ONLY assignment.outbox_forgotten
    ADD CONSTRAINT outbox_forgotten_pkey PRIMARY KEY (type);

-- CONSTRAINT: assignment.outbox_gaps outbox_gaps_pkey

ALTER TABLE ONLY assignment.outbox_gaps
    ADD CONSTRAINT outbox_gaps_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.outbox outbox_pkey

ALTER TABLE ONLY assignment.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

-- CONSTRAINT: assignment.policies policies_pkey

ALTER TABLE ONLY assignment.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (version);

-- CONSTRAINT: assignment.policy_rules policy_rules_pkey

ALTER TABLE ONLY assignment.policy_rules
    ADD CONSTRAINT policy_rules_pkey PRIMARY KEY (version, rule);

-- CONSTRAINT: assignment.reconciliations reconciliations_pkey

ALTER TABLE ONLY assignment.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (slot);

-- CONSTRAINT: assignment.seats seats_pkey

ALTER TABLE ONLY assignment.seats
    ADD CONSTRAINT seats_pkey PRIMARY KEY (trainer_id, is_overbooked, seat);

-- CONSTRAINT: assignment.settings settings_pkey

ALTER TABLE ONLY assignment.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

-- CONSTRAINT: assignment.trainers trainers_pkey

ALTER TABLE ONLY assignment.trainers
    ADD CONSTRAINT trainers_pkey PRIMARY KEY (trainer_id);

-- CONSTRAINT: assignment.watched_tables watched_tables_name_key

ALTER TABLE ONLY assignment.watched_tables
    ADD CONSTRAINT watched_tables_name_key UNIQUE (schema_name, table_name);

-- CONSTRAINT: assignment.watched_tables watched_tables_pkey

ALTER TABLE ONLY assignment.watched_tables
    ADD CONSTRAINT watched_tables_pkey PRIMARY KEY (relid);

-- CONSTRAINT: assignment.webhook_endpoints webhook_endpoints_pkey

ALTER TABLE ONLY assignment.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);

-- CONSTRAINT: public.members members_pkey

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

-- CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_pkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_pkey PRIMARY KEY (id);

-- INDEX: assignment.audit_log_action_at_id_idx

CREATE INDEX audit_log_action_at_id_idx ON assignment.audit_log USING btree (action, at, id);

-- INDEX: assignment.audit_log_actor_at_id_idx

CREATE INDEX audit_log_actor_at_id_idx ON assignment.audit_log USING btree (actor, at, id);

-- INDEX: assignment.audit_log_at_id_idx

CREATE INDEX audit_log_at_id_idx ON assignment.audit_log USING btree (at, id);

-- INDEX: assignment.backfill_errors_member_id_idx

CREATE INDEX backfill_errors_member_id_idx ON assignment.backfill_errors USING btree (member_id);

-- INDEX: assignment.backfill_events_run_id_idx

CREATE INDEX backfill_events_run_id_idx ON assignment.backfill_events USING btree (run_id, id);

-- INDEX: assignment.backfill_lanes_next_id_idx

CREATE INDEX backfill_lanes_next_id_idx ON assignment.backfill_lanes USING btree (next_id) WHERE (NOT done);

-- INDEX: assignment.backfill_runs_active_key

CREATE UNIQUE INDEX backfill_runs_active_key ON assignment.backfill_runs USING btree (kind, COALESCE(from_trainer_id, trainer_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE (status = ANY (ARRAY['running'::text, 'paused'::text]));

-- INDEX: assignment.backfill_selected_member_id_idx

CREATE INDEX backfill_selected_member_id_idx ON assignment.backfill_selected USING btree (member_id);

-- INDEX: assignment.deliveries_due_idx

CREATE INDEX deliveries_due_idx ON assignment.deliveries USING btree (endpoint_id, next_attempt_at) WHERE (status = 'pending'::text);

-- INDEX: assignment.deliveries_message_id_idx

CREATE INDEX deliveries_message_id_idx ON assignment.deliveries USING btree (message_id);

-- INDEX: assignment.deliveries_undelivered_idx

CREATE INDEX deliveries_undelivered_idx ON assignment.deliveries USING btree (endpoint_id, status, message_id) WHERE (status = ANY (ARRAY['pending'::text, 'failed'::text]));

-- INDEX: assignment.failures_new_idx

CREATE INDEX failures_new_idx ON assignment.failures USING btree (member_id) WHERE (logged_at IS NULL);

-- INDEX: assignment.failures_next_attempt_at_idx

CREATE INDEX failures_next_attempt_at_idx ON assignment.failures USING btree (next_attempt_at, member_id);

-- INDEX: assignment.failures_no_room_idx

CREATE INDEX failures_no_room_idx ON assignment.failures USING btree (first_failed_at, member_id) WHERE (sqlstate = 'TA011'::text);

-- INDEX: assignment.member_hook_events_received_at_idx

CREATE INDEX member_hook_events_received_at_idx ON assignment.member_hook_events USING btree (received_at);

-- INDEX: assignment.member_hook_failures_last_failed_at_idx

CREATE INDEX member_hook_failures_last_failed_at_idx ON assignment.member_hook_failures USING btree (last_failed_at);

-- INDEX: assignment.member_hook_failures_member_id_idx

CREATE INDEX member_hook_failures_member_id_idx ON assignment.member_hook_failures USING btree (member_id);

-- INDEX: assignment.outbox_at_idx

CREATE INDEX outbox_at_idx ON assignment.outbox USING btree (at);

-- INDEX: assignment.outbox_member_ids_idx

CREATE INDEX outbox_member_ids_idx ON assignment.outbox USING gin (member_ids) WHERE (member_ids IS NOT NULL);

-- INDEX: assignment.outbox_order_idx

CREATE UNIQUE INDEX outbox_order_idx ON assignment.outbox USING btree (xid, id);

-- INDEX: assignment.outbox_tests_idx

CREATE INDEX outbox_tests_idx ON assignment.outbox USING btree (is_test_for) WHERE (is_test_for IS NOT NULL);

-- INDEX: assignment.outbox_to_address_idx

CREATE INDEX outbox_to_address_idx ON assignment.outbox USING btree (id) WHERE (NOT is_addressed);

-- INDEX: public.trainer_client_assignments_active_key

CREATE UNIQUE INDEX trainer_client_assignments_active_key ON public.trainer_client_assignments USING btree (client_id, trainer_id) WHERE (status = 'active'::text);

-- INDEX: public.trainer_client_assignments_client_id_status_idx

CREATE INDEX trainer_client_assignments_client_id_status_idx ON public.trainer_client_assignments USING btree (client_id, status);

-- INDEX: public.trainer_client_assignments_trainer_id_status_id_idx

CREATE INDEX trainer_client_assignments_trainer_id_status_id_idx ON public.trainer_client_assignments USING btree (trainer_id, status, id);

-- TRIGGER: assignment.audit_log audit_log_refuse_change_before_change

CREATE TRIGGER audit_log_refuse_change_before_change BEFORE DELETE OR UPDATE OR TRUNCATE ON assignment.audit_log FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_audit_log__refuse_change();

-- TRIGGER: assignment.audit_subjects audit_subjects_refuse_change_before_change

CREATE TRIGGER audit_subjects_refuse_change_before_change BEFORE DELETE OR UPDATE OR TRUNCATE ON assignment.audit_subjects FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_audit_log__refuse_change();

-- TRIGGER: assignment.backfill_runs backfill_runs_guard_status_after_write

CREATE TRIGGER backfill_runs_guard_status_after_write AFTER INSERT OR UPDATE OF status ON assignment.backfill_runs FOR EACH ROW EXECUTE FUNCTION assignment.tg_backfill_runs__guard_status();

-- TRIGGER: assignment.failures failures_announce_after_insert

CREATE TRIGGER failures_announce_after_insert AFTER INSERT ON assignment.failures REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_failures__announce();

ALTER TABLE assignment.failures DISABLE TRIGGER failures_announce_after_insert;

-- TRIGGER: public.members members_assign_trainer_after_insert

CREATE TRIGGER members_assign_trainer_after_insert AFTER INSERT ON public.members REFERENCING NEW TABLE AS new_members FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_members__assign_trainer();

-- TRIGGER: public.members members_follow_id_after_update

CREATE TRIGGER members_follow_id_after_update AFTER UPDATE ON public.members FOR EACH ROW WHEN ((old.id IS DISTINCT FROM new.id)) EXECUTE FUNCTION assignment.tg_members__follow_id();

-- TRIGGER: public.members members_forget_after_delete

CREATE TRIGGER members_forget_after_delete AFTER DELETE ON public.members REFERENCING OLD TABLE AS old_members FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_members__forget();

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_announce_after_insert

CREATE TRIGGER trainer_client_assignments_announce_after_insert AFTER INSERT ON public.trainer_client_assignments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_trainer_client_assignments__announce();

ALTER TABLE public.trainer_client_assignments DISABLE TRIGGER trainer_client_assignments_announce_after_insert;

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_announce_after_update

CREATE TRIGGER trainer_client_assignments_announce_after_update AFTER UPDATE ON public.trainer_client_assignments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_trainer_client_assignments__announce();

ALTER TABLE public.trainer_client_assignments DISABLE TRIGGER trainer_client_assignments_announce_after_update;

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_keep_seats_after_delete

CREATE TRIGGER trainer_client_assignments_keep_seats_after_delete AFTER DELETE ON public.trainer_client_assignments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_trainer_client_assignments__keep_seats();

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_keep_seats_after_update

CREATE TRIGGER trainer_client_assignments_keep_seats_after_update AFTER UPDATE ON public.trainer_client_assignments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_trainer_client_assignments__keep_seats();

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_tell_change_after_delete

CREATE TRIGGER trainer_client_assignments_tell_change_after_delete AFTER DELETE ON public.trainer_client_assignments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT WHEN (((NOT has_schema_privilege('assignment'::text, 'create'::text)) OR (current_setting('assignment.by_service'::text, true) IS DISTINCT FROM 'on'::text))) EXECUTE FUNCTION assignment.tg_trainer_client_assignments__tell_change();

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_tell_change_after_truncate

CREATE TRIGGER trainer_client_assignments_tell_change_after_truncate AFTER TRUNCATE ON public.trainer_client_assignments FOR EACH STATEMENT EXECUTE FUNCTION assignment.tg_trainer_client_assignments__tell_change();

-- TRIGGER: public.trainer_client_assignments trainer_client_assignments_tell_change_after_update

CREATE TRIGGER trainer_client_assignments_tell_change_after_update AFTER UPDATE ON public.trainer_client_assignments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT WHEN (((NOT has_schema_privilege('assignment'::text, 'create'::text)) OR (current_setting('assignment.by_service'::text, true) IS DISTINCT FROM 'on'::text))) EXECUTE FUNCTION assignment.tg_trainer_client_assignments__tell_change();

-- FK CONSTRAINT: assignment.backfill_choices backfill_choices_run_id_fkey

ALTER TABLE ONLY assignment.backfill_choices
    ADD CONSTRAINT backfill_choices_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

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

-- FK CONSTRAINT: assignment.backfill_selected backfill_selected_run_id_fkey

ALTER TABLE ONLY assignment.backfill_selected
    ADD CONSTRAINT backfill_selected_run_id_fkey FOREIGN KEY (run_id) REFERENCES assignment.backfill_runs(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.deliveries deliveries_endpoint_id_fkey

ALTER TABLE ONLY assignment.deliveries
    ADD CONSTRAINT deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES assignment.webhook_endpoints(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.deliveries deliveries_message_id_fkey

ALTER TABLE ONLY assignment.deliveries
    ADD CONSTRAINT deliveries_message_id_fkey FOREIGN KEY (message_id) REFERENCES assignment.outbox(id) ON DELETE CASCADE;

-- FK CONSTRAINT: assignment.policy_rules policy_rules_version_fkey

ALTER TABLE ONLY assignment.policy_rules
    ADD CONSTRAINT policy_rules_version_fkey FOREIGN KEY (version) REFERENCES assignment.policies(version);

-- FK CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_client_id_fkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.members(id) ON UPDATE CASCADE ON DELETE CASCADE;

-- FK CONSTRAINT: public.trainer_client_assignments trainer_client_assignments_trainer_id_fkey

ALTER TABLE ONLY public.trainer_client_assignments
    ADD CONSTRAINT trainer_client_assignments_trainer_id_fkey FOREIGN KEY (trainer_id) REFERENCES public.members(id) ON UPDATE CASCADE ON DELETE SET NULL;

-- POLICY: assignment.audit_log owner_does_all

CREATE POLICY owner_does_all ON assignment.audit_log TO postgres USING (true);

-- POLICY: assignment.audit_subjects owner_does_all

CREATE POLICY owner_does_all ON assignment.audit_subjects TO postgres USING (true);

-- POLICY: assignment.backfill_choices owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_choices TO postgres USING (true);

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

-- POLICY: assignment.backfill_selected owner_does_all

CREATE POLICY owner_does_all ON assignment.backfill_selected TO postgres USING (true);

-- POLICY: assignment.deliveries owner_does_all

CREATE POLICY owner_does_all ON assignment.deliveries TO postgres USING (true);

-- POLICY: assignment.ended_sessions owner_does_all

CREATE POLICY owner_does_all ON assignment.ended_sessions TO postgres USING (true);

-- POLICY: assignment.failures owner_does_all

CREATE POLICY owner_does_all ON assignment.failures TO postgres USING (true);

-- POLICY: assignment.member_hook_events owner_does_all

CREATE POLICY owner_does_all ON assignment.member_hook_events TO postgres USING (true);

-- POLICY: assignment.member_hook_failures owner_does_all

CREATE POLICY owner_does_all ON assignment.member_hook_failures TO postgres USING (true);

-- POLICY: assignment.outbox owner_does_all

CREATE POLICY owner_does_all ON assignment.outbox TO postgres USING (true);

-- POLICY: assignment.outbox_forgotten owner_does_all

CREATE POLICY owner_does_all ON assignment.outbox_forgotten TO postgres USING (true);

-- POLICY: assignment.outbox_gaps owner_does_all

CREATE POLICY owner_does_all ON assignment.outbox_gaps TO postgres USING (true);

-- POLICY: assignment.policies owner_does_all

CREATE POLICY owner_does_all ON assignment.policies TO postgres USING (true);

-- POLICY: assignment.policy_rules owner_does_all

CREATE POLICY owner_does_all ON assignment.policy_rules TO postgres USING (true);

-- POLICY: assignment.reconciliations owner_does_all

CREATE POLICY owner_does_all ON assignment.reconciliations TO postgres USING (true);

-- POLICY: assignment.seats owner_does_all

CREATE POLICY owner_does_all ON assignment.seats TO postgres USING (true);

-- POLICY: assignment.settings owner_does_all

CREATE POLICY owner_does_all ON assignment.settings TO postgres USING (true);

-- POLICY: assignment.trainers owner_does_all

CREATE POLICY owner_does_all ON assignment.trainers TO postgres USING (true);

-- POLICY: assignment.watched_tables owner_does_all

CREATE POLICY owner_does_all ON assignment.watched_tables TO postgres USING (true);

-- POLICY: assignment.webhook_endpoints owner_does_all

CREATE POLICY owner_does_all ON assignment.webhook_endpoints TO postgres USING (true);

-- POLICY: public.trainer_client_assignments owner_does_all

CREATE POLICY owner_does_all ON public.trainer_client_assignments TO postgres USING (true);

-- ACL: assignment.FUNCTION add_taken(p_taken assignment.trainer_count[], p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.add_taken(p_taken assignment.trainer_count[], p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION address_messages(p_limit integer)

REVOKE ALL ON FUNCTION assignment.address_messages(p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION admit(p_table regclass, p_role name, p_policy name, p_command text)

REVOKE ALL ON FUNCTION assignment.admit(p_table regclass, p_role name, p_policy name, p_command text) FROM PUBLIC;

-- ACL: assignment.FUNCTION announce(p_type text, p_assignment_ids uuid[], p_member_ids uuid[], p_run_id uuid, p_policy_version integer)

REVOKE ALL ON FUNCTION assignment.announce(p_type text, p_assignment_ids uuid[], p_member_ids uuid[], p_run_id uuid, p_policy_version integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION as_jsonb(p_row json)

REVOKE ALL ON FUNCTION assignment.as_jsonb(p_row json) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_batch(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_max_attempts integer)

REVOKE ALL ON FUNCTION assignment.assign_batch(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_max_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, p_by_force boolean, p_actor text, p_request_id text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text)

REVOKE ALL ON FUNCTION assignment.assign_member(p_member_id uuid, p_trainer_id uuid, p_notes text, p_source text, p_by_force boolean, p_actor text, p_request_id text, OUT assigned boolean, OUT trainer_id uuid, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_members(p_request assignment.request, p_member_ids uuid[], p_trainer_ids uuid[], p_rules smallint[], p_notes text[], p_replaced_ids uuid[], p_replaced_members uuid[], p_max_attempts integer)

REVOKE ALL ON FUNCTION assignment.assign_members(p_request assignment.request, p_member_ids uuid[], p_trainer_ids uuid[], p_rules smallint[], p_notes text[], p_replaced_ids uuid[], p_replaced_members uuid[], p_max_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_one(p_request assignment.request, p_member_id uuid, p_trainer_id uuid, OUT assigned boolean, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text)

REVOKE ALL ON FUNCTION assignment.assign_one(p_request assignment.request, p_member_id uuid, p_trainer_id uuid, OUT assigned boolean, OUT id uuid, OUT assignment_date timestamp with time zone, OUT source text, OUT notes text) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid, p_rows jsonb[], p_actor text)

REVOKE ALL ON FUNCTION assignment.assign_or_record(p_member_ids uuid[], p_source text, p_trainer_id uuid, p_rows jsonb[], p_actor text) FROM PUBLIC;

-- ACL: assignment.FUNCTION assign_to_trainer(p_request assignment.request, p_member_ids uuid[], p_max_attempts integer)

REVOKE ALL ON FUNCTION assignment.assign_to_trainer(p_request assignment.request, p_member_ids uuid[], p_max_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION await_lanes(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.await_lanes(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer)

REVOKE ALL ON FUNCTION assignment.backfill_step(p_run_id uuid, OUT work text, OUT lane smallint, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION carry_out_choices(p_request assignment.request, p_choices assignment.choice[], p_clients assignment.clients, p_max_attempts integer, OUT done assignment.choice[], OUT full_members uuid[], OUT full_trainers uuid[], OUT gone_ids uuid[], OUT failures assignment.member_failure[])

REVOKE ALL ON FUNCTION assignment.carry_out_choices(p_request assignment.request, p_choices assignment.choice[], p_clients assignment.clients, p_max_attempts integer, OUT done assignment.choice[], OUT full_members uuid[], OUT full_trainers uuid[], OUT gone_ids uuid[], OUT failures assignment.member_failure[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.change_backfill_status(p_run_id uuid, p_to text, p_actor text, p_reason text, p_traceparent text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.change_trainer(p_trainer_id uuid, p_change jsonb, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION check_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_condition jsonb)

REVOKE ALL ON FUNCTION assignment.check_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_condition jsonb) FROM PUBLIC;

-- ACL: assignment.FUNCTION choose(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[])

REVOKE ALL ON FUNCTION assignment.choose(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION choose_and_assign(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_clients assignment.clients, p_max_attempts integer)

REVOKE ALL ON FUNCTION assignment.choose_and_assign(p_request assignment.request, p_member_ids uuid[], p_rows jsonb[], p_clients assignment.clients, p_max_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION choose_successors(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[])

REVOKE ALL ON FUNCTION assignment.choose_successors(p_request assignment.request, p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_full uuid[], p_taken assignment.trainer_count[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION choose_trainers(p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_purpose text, p_full uuid[], p_taken assignment.trainer_count[], p_from_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.choose_trainers(p_document jsonb, p_rules assignment.policy_rules[], p_member_ids uuid[], p_rows jsonb[], p_purpose text, p_full uuid[], p_taken assignment.trainer_count[], p_from_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION choose_transfer(p_run assignment.backfill_runs, p_member_ids uuid[], OUT selected integer, OUT choices assignment.choice[])

REVOKE ALL ON FUNCTION assignment.choose_transfer(p_run assignment.backfill_runs, p_member_ids uuid[], OUT selected integer, OUT choices assignment.choice[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION claim_new_failures(p_limit integer)

REVOKE ALL ON FUNCTION assignment.claim_new_failures(p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION claim_seats(p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.claim_seats(p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION close_table(p_table regclass)

REVOKE ALL ON FUNCTION assignment.close_table(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION compile_condition(p_condition jsonb)

REVOKE ALL ON FUNCTION assignment.compile_condition(p_condition jsonb) FROM PUBLIC;

-- ACL: assignment.FUNCTION compile_rules(p_document jsonb, p_version integer)

REVOKE ALL ON FUNCTION assignment.compile_rules(p_document jsonb, p_version integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION compile_test(p_op text, p_kind text, p_value jsonb)

REVOKE ALL ON FUNCTION assignment.compile_test(p_op text, p_kind text, p_value jsonb) FROM PUBLIC;

-- ACL: assignment.FUNCTION condition_leaves(p_condition jsonb, p_pointer text)

REVOKE ALL ON FUNCTION assignment.condition_leaves(p_condition jsonb, p_pointer text) FROM PUBLIC;

-- ACL: assignment.FUNCTION count_choices(p_request assignment.request, p_choices assignment.choice[], p_rules assignment.policy_rules[], p_gone_ids uuid[], p_failures assignment.member_failure[])

REVOKE ALL ON FUNCTION assignment.count_choices(p_request assignment.request, p_choices assignment.choice[], p_rules assignment.policy_rules[], p_gone_ids uuid[], p_failures assignment.member_failure[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION count_turns(p_trainer_id uuid, p_room integer, p_members integer)

REVOKE ALL ON FUNCTION assignment.count_turns(p_trainer_id uuid, p_room integer, p_members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION count_unsampled_seats(p_percent real)

REVOKE ALL ON FUNCTION assignment.count_unsampled_seats(p_percent real) FROM PUBLIC;

-- ACL: assignment.FUNCTION database_role()

REVOKE ALL ON FUNCTION assignment.database_role() FROM PUBLIC;

-- ACL: assignment.FUNCTION deal_by_room(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_rooms integer[])

REVOKE ALL ON FUNCTION assignment.deal_by_room(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_rooms integer[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION deal_by_weight(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_weights integer[], p_rooms integer[])

REVOKE ALL ON FUNCTION assignment.deal_by_weight(p_member_ids uuid[], p_members integer[], p_trainer_ids uuid[], p_weights integer[], p_rooms integer[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION deal_out(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_met_members integer[], p_met_trainers uuid[], p_full uuid[], p_taken assignment.trainer_count[])

REVOKE ALL ON FUNCTION assignment.deal_out(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_met_members integer[], p_met_trainers uuid[], p_full uuid[], p_taken assignment.trainer_count[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION default_grantees(p_owner oid, p_schema oid, p_type "char")

REVOKE ALL ON FUNCTION assignment.default_grantees(p_owner oid, p_schema oid, p_type "char") FROM PUBLIC;

-- ACL: assignment.FUNCTION default_trainer_id()

REVOKE ALL ON FUNCTION assignment.default_trainer_id() FROM PUBLIC;

-- ACL: assignment.FUNCTION delete_endpoint(p_id uuid, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.delete_endpoint(p_id uuid, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION describe_misplaced_key(p_constraint text)

REVOKE ALL ON FUNCTION assignment.describe_misplaced_key(p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION describe_search_path()

REVOKE ALL ON FUNCTION assignment.describe_search_path() FROM PUBLIC;

-- ACL: assignment.FUNCTION describe_table(p_old regclass, p_new text)

REVOKE ALL ON FUNCTION assignment.describe_table(p_old regclass, p_new text) FROM PUBLIC;

-- ACL: assignment.FUNCTION end_assignment(p_member_id uuid, p_trainer_id uuid, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.end_assignment(p_member_id uuid, p_trainer_id uuid, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION end_assignments(p_ids uuid[], p_because text, p_actor text, p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.end_assignments(p_ids uuid[], p_because text, p_actor text, p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION end_one(p_member_id uuid, p_trainer_id uuid, p_actor text)

REVOKE ALL ON FUNCTION assignment.end_one(p_member_id uuid, p_trainer_id uuid, p_actor text) FROM PUBLIC;

-- ACL: assignment.FUNCTION end_session(p_id uuid, p_expires_at timestamp with time zone, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.end_session(p_id uuid, p_expires_at timestamp with time zone, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_decision(p_member_id uuid)

REVOKE ALL ON FUNCTION assignment.explain_decision(p_member_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_hidden_rows(p_role name)

REVOKE ALL ON FUNCTION assignment.explain_hidden_rows(p_role name) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_member_refusal(p_sqlstate text, p_table regclass, p_column name, p_constraint name, p_filled name[], p_email_column name, OUT reason text, OUT detail text)

REVOKE ALL ON FUNCTION assignment.explain_member_refusal(p_sqlstate text, p_table regclass, p_column name, p_constraint name, p_filled name[], p_email_column name, OUT reason text, OUT detail text) FROM PUBLIC;

-- ACL: assignment.FUNCTION explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text)

REVOKE ALL ON FUNCTION assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION field_path(p_field text)

REVOKE ALL ON FUNCTION assignment.field_path(p_field text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_assigned_pairs(p_member_ids uuid[], p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_assigned_pairs(p_member_ids uuid[], p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text)

REVOKE ALL ON FUNCTION assignment.find_backfill_pressure(p_max_replica_lag_ms integer, OUT throttle_because text, OUT replica_lag text, OUT lock_waiters text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_due_endpoints()

REVOKE ALL ON FUNCTION assignment.find_due_endpoints() FROM PUBLIC;

-- ACL: assignment.FUNCTION find_gone_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_gone_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_leaf_problem(p_leaf jsonb, OUT step text, OUT detail text)

REVOKE ALL ON FUNCTION assignment.find_leaf_problem(p_leaf jsonb, OUT step text, OUT detail text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_left_members(p_member_ids uuid[], p_ending uuid[], p_replaced_ids uuid[], p_replaced_members uuid[])

REVOKE ALL ON FUNCTION assignment.find_left_members(p_member_ids uuid[], p_ending uuid[], p_replaced_ids uuid[], p_replaced_members uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_locked_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_locked_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_member_hook_problems(p_filled name[])

REVOKE ALL ON FUNCTION assignment.find_member_hook_problems(p_filled name[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_members(p_ids uuid[])

REVOKE ALL ON FUNCTION assignment.find_members(p_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_met(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_purpose text, p_from_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.find_met(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[], p_purpose text, p_from_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_named_trainers(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[])

REVOKE ALL ON FUNCTION assignment.find_named_trainers(p_rule assignment.policy_rules, p_member_ids uuid[], p_rows jsonb[], p_members integer[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_partition_obstacles(p_table regclass)

REVOKE ALL ON FUNCTION assignment.find_partition_obstacles(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_policy_problems(p_document jsonb)

REVOKE ALL ON FUNCTION assignment.find_policy_problems(p_document jsonb) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_policy_stragglers(p_run assignment.backfill_runs, p_upper_id uuid)

REVOKE ALL ON FUNCTION assignment.find_policy_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_refused_members(p_member_ids uuid[], p_constraint text)

REVOKE ALL ON FUNCTION assignment.find_refused_members(p_member_ids uuid[], p_constraint text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_replaced(p_choices assignment.choice[], OUT ids uuid[], OUT member_ids uuid[], OUT notes text[])

REVOKE ALL ON FUNCTION assignment.find_replaced(p_choices assignment.choice[], OUT ids uuid[], OUT member_ids uuid[], OUT notes text[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text)

REVOKE ALL ON FUNCTION assignment.find_replica_lag(p_max_lag_ms integer, OUT lag_ms double precision, OUT standby text) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_room(p_trainer_ids uuid[], p_full uuid[], p_taken assignment.trainer_count[], p_most integer)

REVOKE ALL ON FUNCTION assignment.find_room(p_trainer_ids uuid[], p_full uuid[], p_taken assignment.trainer_count[], p_most integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_stragglers(p_run assignment.backfill_runs)

REVOKE ALL ON FUNCTION assignment.find_stragglers(p_run assignment.backfill_runs) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_transfer_stragglers(p_run assignment.backfill_runs, p_upper_id uuid)

REVOKE ALL ON FUNCTION assignment.find_transfer_stragglers(p_run assignment.backfill_runs, p_upper_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION find_undecided_members(p_version integer, p_upper_id uuid, p_reassigns boolean)

REVOKE ALL ON FUNCTION assignment.find_undecided_members(p_version integer, p_upper_id uuid, p_reassigns boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION finish_backfill(p_run_id uuid, OUT work text, OUT members integer)

REVOKE ALL ON FUNCTION assignment.finish_backfill(p_run_id uuid, OUT work text, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION first_errors(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.first_errors(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_before(p_before timestamp with time zone)

REVOKE ALL ON FUNCTION assignment.forget_before(p_before timestamp with time zone) FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_failure(p_member_id uuid, p_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.forget_failure(p_member_id uuid, p_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_gone_members()

REVOKE ALL ON FUNCTION assignment.forget_gone_members() FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_in_runs(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.forget_in_runs(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_member_events(p_limit integer)

REVOKE ALL ON FUNCTION assignment.forget_member_events(p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION forget_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.forget_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION give_back_seats(p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.give_back_seats(p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION grant_service(p_role name, p_columns name[])

REVOKE ALL ON FUNCTION assignment.grant_service(p_role name, p_columns name[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION halve_batches(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.halve_batches(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION hides_rows(p_table regclass, p_role name)

REVOKE ALL ON FUNCTION assignment.hides_rows(p_table regclass, p_role name) FROM PUBLIC;

-- ACL: assignment.FUNCTION insert_member(p_member_id uuid, p_columns name[], p_values text[])

REVOKE ALL ON FUNCTION assignment.insert_member(p_member_id uuid, p_columns name[], p_values text[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION is_ended_by_policy(p_ended_run_id uuid)

REVOKE ALL ON FUNCTION assignment.is_ended_by_policy(p_ended_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION is_iso_time(p_text text, p_with_time boolean)

REVOKE ALL ON FUNCTION assignment.is_iso_time(p_text text, p_with_time boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION is_transient(p_sqlstate text)

REVOKE ALL ON FUNCTION assignment.is_transient(p_sqlstate text) FROM PUBLIC;

-- ACL: assignment.FUNCTION is_wanted(p_type text)

REVOKE ALL ON FUNCTION assignment.is_wanted(p_type text) FROM PUBLIC;

-- ACL: assignment.FUNCTION judge_refusal(p_member_ids uuid[], p_trainer_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone_ids uuid[], OUT failures assignment.member_failure[], OUT undecided integer[])

REVOKE ALL ON FUNCTION assignment.judge_refusal(p_member_ids uuid[], p_trainer_ids uuid[], p_sqlstate text, p_message text, p_constraint text, OUT gone_ids uuid[], OUT failures assignment.member_failure[], OUT undecided integer[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean)

REVOKE ALL ON FUNCTION assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION lay_out_transfer(p_run assignment.backfill_runs)

REVOKE ALL ON FUNCTION assignment.lay_out_transfer(p_run assignment.backfill_runs) FROM PUBLIC;

-- ACL: assignment.FUNCTION list_member_fields()

REVOKE ALL ON FUNCTION assignment.list_member_fields() FROM PUBLIC;

-- ACL: assignment.FUNCTION list_told_assignments(p_message assignment.outbox)

REVOKE ALL ON FUNCTION assignment.list_told_assignments(p_message assignment.outbox) FROM PUBLIC;

-- ACL: assignment.FUNCTION list_told_failures(p_message assignment.outbox)

REVOKE ALL ON FUNCTION assignment.list_told_failures(p_message assignment.outbox) FROM PUBLIC;

-- ACL: assignment.FUNCTION lock_assigned(p_member_ids uuid[], p_trainer_ids uuid[], p_from_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.lock_assigned(p_member_ids uuid[], p_trainer_ids uuid[], p_from_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION lock_members(p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.lock_members(p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION make_all_waiting_due()

REVOKE ALL ON FUNCTION assignment.make_all_waiting_due() FROM PUBLIC;

-- ACL: assignment.FUNCTION make_failures_due(p_limit integer, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.make_failures_due(p_limit integer, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION make_waiting_due(p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.make_waiting_due(p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION match_rules(p_rules assignment.policy_rules[], p_rows jsonb[])

REVOKE ALL ON FUNCTION assignment.match_rules(p_rules assignment.policy_rules[], p_rows jsonb[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION member_tables()

REVOKE ALL ON FUNCTION assignment.member_tables() FROM PUBLIC;

-- ACL: assignment.FUNCTION mirror_all_missed()

REVOKE ALL ON FUNCTION assignment.mirror_all_missed() FROM PUBLIC;

-- ACL: assignment.FUNCTION mirror_missed(p_table regclass, p_column name, p_attributes name[])

REVOKE ALL ON FUNCTION assignment.mirror_missed(p_table regclass, p_column name, p_attributes name[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION mirror_statements(p_source text, p_column name, p_attributes name[], OUT inserts text, OUT updates text)

REVOKE ALL ON FUNCTION assignment.mirror_statements(p_source text, p_column name, p_attributes name[], OUT inserts text, OUT updates text) FROM PUBLIC;

-- ACL: assignment.FUNCTION name_partition_indexes(p_table regclass)

REVOKE ALL ON FUNCTION assignment.name_partition_indexes(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision)

REVOKE ALL ON FUNCTION assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision) FROM PUBLIC;

-- ACL: assignment.FUNCTION next_members(p_run assignment.backfill_runs, p_lane assignment.backfill_lanes, p_limit integer, OUT member_ids uuid[], OUT next_id uuid)

REVOKE ALL ON FUNCTION assignment.next_members(p_run assignment.backfill_runs, p_lane assignment.backfill_lanes, p_limit integer, OUT member_ids uuid[], OUT next_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION note_backfill_progress(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.note_backfill_progress(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION own_tables()

REVOKE ALL ON FUNCTION assignment.own_tables() FROM PUBLIC;

-- ACL: assignment.FUNCTION partition_assignments(p_partitions integer)

REVOKE ALL ON FUNCTION assignment.partition_assignments(p_partitions integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION plan_lanes(p_upper_id uuid, p_members bigint)

REVOKE ALL ON FUNCTION assignment.plan_lanes(p_upper_id uuid, p_members bigint) FROM PUBLIC;

-- ACL: assignment.FUNCTION plan_transfer_lanes(p_from_trainer_id uuid, p_max_lanes integer)

REVOKE ALL ON FUNCTION assignment.plan_transfer_lanes(p_from_trainer_id uuid, p_max_lanes integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_assign_to_trainer(p_member_ids uuid[], p_trainer_id uuid, p_taken integer)

REVOKE ALL ON FUNCTION assignment.preview_assign_to_trainer(p_member_ids uuid[], p_trainer_id uuid, p_taken integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_batch(p_run assignment.backfill_runs, p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.preview_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_policy(p_document jsonb, p_percent real)

REVOKE ALL ON FUNCTION assignment.preview_policy(p_document jsonb, p_percent real) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_step(p_run_id uuid)

REVOKE ALL ON FUNCTION assignment.preview_step(p_run_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION preview_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_max_clients integer, p_listed integer)

REVOKE ALL ON FUNCTION assignment.preview_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_max_clients integer, p_listed integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION put_endpoint(p_id uuid, p_change jsonb, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.put_endpoint(p_id uuid, p_change jsonb, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION put_policy(p_document jsonb, p_actor text, p_comment text, p_expected_version integer, p_request_id text)

REVOKE ALL ON FUNCTION assignment.put_policy(p_document jsonb, p_actor text, p_comment text, p_expected_version integer, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION read_events(p_after_xid xid8, p_after_id uuid, p_types text[], p_limit integer)

REVOKE ALL ON FUNCTION assignment.read_events(p_after_xid xid8, p_after_id uuid, p_types text[], p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION read_members(p_member_ids uuid[], OUT member_ids uuid[], OUT member_rows jsonb[])

REVOKE ALL ON FUNCTION assignment.read_members(p_member_ids uuid[], OUT member_ids uuid[], OUT member_rows jsonb[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION read_message(p_id uuid)

REVOKE ALL ON FUNCTION assignment.read_message(p_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION read_uuid(p_text text)

REVOKE ALL ON FUNCTION assignment.read_uuid(p_text text) FROM PUBLIC;

-- ACL: assignment.FUNCTION reconcile(p_slot timestamp with time zone, p_traceparent text, OUT run_id uuid, OUT repaired_seats integer, OUT waits_for uuid, OUT problems text[])

REVOKE ALL ON FUNCTION assignment.reconcile(p_slot timestamp with time zone, p_traceparent text, OUT run_id uuid, OUT repaired_seats integer, OUT waits_for uuid, OUT problems text[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_access(p_actor text, p_action text, p_after jsonb, p_request_id text)

REVOKE ALL ON FUNCTION assignment.record_access(p_actor text, p_action text, p_after jsonb, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_audit(p_actor text, p_action text, p_subject text, p_trainer_ids uuid[], p_before jsonb, p_after jsonb, p_request_id text)

REVOKE ALL ON FUNCTION assignment.record_audit(p_actor text, p_action text, p_subject text, p_trainer_ids uuid[], p_before jsonb, p_after jsonb, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[])

REVOKE ALL ON FUNCTION assignment.record_backfill_errors(p_run_id uuid, p_failures assignment.member_failure[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result)

REVOKE ALL ON FUNCTION assignment.record_batch(p_lane assignment.backfill_lanes, p_next_id uuid, p_rows integer, p_elapsed_ms double precision, p_result assignment.batch_result) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[])

REVOKE ALL ON FUNCTION assignment.record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_deliveries(p_endpoint_id uuid, p_results jsonb, OUT disabled_because text)

REVOKE ALL ON FUNCTION assignment.record_deliveries(p_endpoint_id uuid, p_results jsonb, OUT disabled_because text) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer)

REVOKE ALL ON FUNCTION assignment.record_preview(p_run_id uuid, p_preview jsonb, OUT work text, OUT members integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_sample(p_lane assignment.backfill_lanes, p_rows integer)

REVOKE ALL ON FUNCTION assignment.record_sample(p_lane assignment.backfill_lanes, p_rows integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer, p_own_tries integer, OUT tries integer, OUT paused boolean)

REVOKE ALL ON FUNCTION assignment.record_step_failure(p_run_id uuid, p_sqlstate text, p_message text, p_max_tries integer, p_own_tries integer, OUT tries integer, OUT paused boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION redeliver(p_endpoint_id uuid, p_actor text, p_message_id uuid, p_failed_since timestamp with time zone, p_request_id text)

REVOKE ALL ON FUNCTION assignment.redeliver(p_endpoint_id uuid, p_actor text, p_message_id uuid, p_failed_since timestamp with time zone, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION refresh_settings()

REVOKE ALL ON FUNCTION assignment.refresh_settings() FROM PUBLIC;

-- ACL: assignment.FUNCTION render_message(p_message assignment.outbox)

REVOKE ALL ON FUNCTION assignment.render_message(p_message assignment.outbox) FROM PUBLIC;

-- ACL: assignment.FUNCTION rendezvous_score(p_member_id uuid, p_trainer_id uuid, p_weight integer)

REVOKE ALL ON FUNCTION assignment.rendezvous_score(p_member_id uuid, p_trainer_id uuid, p_weight integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION require_visible_rows()

REVOKE ALL ON FUNCTION assignment.require_visible_rows() FROM PUBLIC;

-- ACL: assignment.FUNCTION reseal_secret(p_endpoint_id uuid, p_from text, p_to text)

REVOKE ALL ON FUNCTION assignment.reseal_secret(p_endpoint_id uuid, p_from text, p_to text) FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_after(p_attempts integer)

REVOKE ALL ON FUNCTION assignment.retry_after(p_attempts integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION retry_failures(p_limit integer, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[])

REVOKE ALL ON FUNCTION assignment.retry_failures(p_limit integer, OUT retried integer, OUT succeeded integer, OUT failed integer, OUT failed_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION run_batch(p_run assignment.backfill_runs, p_member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.run_batch(p_run assignment.backfill_runs, p_member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION run_request(p_run assignment.backfill_runs)

REVOKE ALL ON FUNCTION assignment.run_request(p_run assignment.backfill_runs) FROM PUBLIC;

-- ACL: assignment.FUNCTION sample_members(p_percent real)

REVOKE ALL ON FUNCTION assignment.sample_members(p_percent real) FROM PUBLIC;

-- ACL: assignment.FUNCTION select_clients(p_run assignment.backfill_runs, p_member_ids uuid[], OUT clients assignment.clients, OUT member_rows jsonb[])

REVOKE ALL ON FUNCTION assignment.select_clients(p_run assignment.backfill_runs, p_member_ids uuid[], OUT clients assignment.clients, OUT member_rows jsonb[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION selecting_rule(p_condition jsonb)

REVOKE ALL ON FUNCTION assignment.selecting_rule(p_condition jsonb) FROM PUBLIC;

-- ACL: assignment.FUNCTION send_test(p_endpoint_id uuid, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.send_test(p_endpoint_id uuid, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION set_announcing(p_tries integer)

REVOKE ALL ON FUNCTION assignment.set_announcing(p_tries integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION set_default_trainer(p_trainer_id uuid, p_actor text, p_request_id text)

REVOKE ALL ON FUNCTION assignment.set_default_trainer(p_trainer_id uuid, p_actor text, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION settle_all_seats()

REVOKE ALL ON FUNCTION assignment.settle_all_seats() FROM PUBLIC;

-- ACL: assignment.FUNCTION settle_seats(p_trainer_id uuid)

REVOKE ALL ON FUNCTION assignment.settle_seats(p_trainer_id uuid) FROM PUBLIC;

-- ACL: assignment.FUNCTION shorten_url(p_url text)

REVOKE ALL ON FUNCTION assignment.shorten_url(p_url text) FROM PUBLIC;

-- ACL: assignment.FUNCTION sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer)

REVOKE ALL ON FUNCTION assignment.sort_members(p_member_ids uuid[], p_trainer_id uuid, OUT unassigned uuid[], OUT already_assigned integer, OUT ended integer, OUT is_trainer integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text, p_reassigns boolean, p_request_id text)

REVOKE ALL ON FUNCTION assignment.start_backfill(p_requested_by text, p_trainer_id uuid, p_dry_run boolean, p_batch_rows integer, p_retry_of uuid, p_only_failed boolean, p_traceparent text, p_reassigns boolean, p_request_id text) FROM PUBLIC;

-- ACL: assignment.FUNCTION start_transfer(p_requested_by text, p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_notes text, p_dry_run boolean, p_batch_rows integer, p_traceparent text, p_request_id text, p_retry_of uuid, p_only_failed boolean)

REVOKE ALL ON FUNCTION assignment.start_transfer(p_requested_by text, p_from_trainer_id uuid, p_trainer_id uuid, p_member_ids uuid[], p_condition jsonb, p_notes text, p_dry_run boolean, p_batch_rows integer, p_traceparent text, p_request_id text, p_retry_of uuid, p_only_failed boolean) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_back_defaults(p_table regclass)

REVOKE ALL ON FUNCTION assignment.take_back_defaults(p_table regclass) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_deliveries(p_endpoint_id uuid, p_limit integer)

REVOKE ALL ON FUNCTION assignment.take_deliveries(p_endpoint_id uuid, p_limit integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[])

REVOKE ALL ON FUNCTION assignment.take_due_failures(p_limit integer, OUT requested_trainer_id uuid, OUT member_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_member_event(p_event_id text, p_event_type text, p_member_id uuid, p_name_column name, p_name text, p_email_column name, p_email text, OUT outcome text, OUT member_id uuid, OUT reason text, OUT detail text)

REVOKE ALL ON FUNCTION assignment.take_member_event(p_event_id text, p_event_type text, p_member_id uuid, p_name_column name, p_name text, p_email_column name, p_email text, OUT outcome text, OUT member_id uuid, OUT reason text, OUT detail text) FROM PUBLIC;

-- ACL: assignment.FUNCTION take_seats(p_trainer_ids uuid[])

REVOKE ALL ON FUNCTION assignment.take_seats(p_trainer_ids uuid[]) FROM PUBLIC;

-- ACL: assignment.FUNCTION tend_outbox(OUT filled integer, OUT forgotten integer, OUT enabled integer)

REVOKE ALL ON FUNCTION assignment.tend_outbox(OUT filled integer, OUT forgotten integer, OUT enabled integer) FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_audit_log__refuse_change()

REVOKE ALL ON FUNCTION assignment.tg_audit_log__refuse_change() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_backfill_runs__guard_status()

REVOKE ALL ON FUNCTION assignment.tg_backfill_runs__guard_status() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_failures__announce()

REVOKE ALL ON FUNCTION assignment.tg_failures__announce() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_members__assign_trainer()

REVOKE ALL ON FUNCTION assignment.tg_members__assign_trainer() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_members__follow_id()

REVOKE ALL ON FUNCTION assignment.tg_members__follow_id() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_members__forget()

REVOKE ALL ON FUNCTION assignment.tg_members__forget() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_trainer_client_assignments__announce()

REVOKE ALL ON FUNCTION assignment.tg_trainer_client_assignments__announce() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_trainer_client_assignments__keep_seats()

REVOKE ALL ON FUNCTION assignment.tg_trainer_client_assignments__keep_seats() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_trainer_client_assignments__tell_change()

REVOKE ALL ON FUNCTION assignment.tg_trainer_client_assignments__tell_change() FROM PUBLIC;

-- ACL: assignment.FUNCTION tg_watched__mirror_members()

REVOKE ALL ON FUNCTION assignment.tg_watched__mirror_members() FROM PUBLIC;

-- ACL: assignment.FUNCTION throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text)

REVOKE ALL ON FUNCTION assignment.throttle_backfill(p_run_id uuid, p_because text, p_replica_lag text, p_lock_waiters text) FROM PUBLIC;

-- ACL: assignment.FUNCTION type_kind(p_type oid, OUT oid oid, OUT element oid, OUT kind text)

REVOKE ALL ON FUNCTION assignment.type_kind(p_type oid, OUT oid oid, OUT element oid, OUT kind text) FROM PUBLIC;

-- ACL: assignment.FUNCTION unwatch(p_table text)

REVOKE ALL ON FUNCTION assignment.unwatch(p_table text) FROM PUBLIC;

-- ACL: assignment.FUNCTION watch(p_table regclass, p_column name, attributes name[])

REVOKE ALL ON FUNCTION assignment.watch(p_table regclass, p_column name, attributes name[]) FROM PUBLIC;
