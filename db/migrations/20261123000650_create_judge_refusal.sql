-- What a refused assignment means: the member is gone, a foreign key points elsewhere, or a trigger's function does not
-- find its tables. A violated key alone proves nothing: it keeps pointing at a table that was renamed.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.member_failure as (member_id uuid, sqlstate text, message text);

comment on type assignment.member_failure is 'A member who could not be assigned, and why.';

create function assignment.find_gone_members(p_member_ids uuid[])
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- an error, where policies would hide rows, rather than taking their members for gone
  set enable_seqscan = off  -- the statistics may be from before the table grew
  language plpgsql
as $$
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

create function assignment.describe_misplaced_key(p_constraint text)
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
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
$$;

-- Functions of triggers on the assignments that do not set their own search_path: they run under ours.
create function assignment.describe_search_path()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
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

create function assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text)
  returns assignment.member_failure
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_misplaced_key text;
  v_search_path text;
begin
  if p_sqlstate = '23503' then
    v_misplaced_key := assignment.describe_misplaced_key(p_constraint);
  elsif p_sqlstate in ('42P01', '42704', '42883')  -- a table, a type, a function that is not found
    and p_message !~ '\m(assignment|public)\.'  -- has its schema already
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

-- Nobody, where the key is right, or where the owner of this function may not look: each is tried then.
create function assignment.find_refused_members(p_member_ids uuid[], p_constraint text)
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off
  language plpgsql
as $$
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
$$;

create function assignment.judge_refusal(
  p_member_ids uuid[],
  p_sqlstate text,
  p_message text,
  p_constraint text,
  out gone integer,
  out failures assignment.member_failure[],
  out undecided_ids uuid[]
)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
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

revoke execute on function assignment.find_gone_members(uuid[]) from public;
revoke execute on function assignment.describe_misplaced_key(text) from public;
revoke execute on function assignment.describe_search_path() from public;
revoke execute on function assignment.explain_refusal(uuid, text, text, text) from public;
revoke execute on function assignment.find_refused_members(uuid[], text) from public;
revoke execute on function assignment.judge_refusal(uuid[], text, text, text) from public;
comment on function assignment.find_gone_members(uuid[]) is
  'Which of the members public.members lacks. Null where the owner of this function may not see all of it.';
comment on function assignment.describe_misplaced_key(text) is
  'Where a foreign key of trainer_client_assignments points instead of at public.members (id), and the statement that mends it. Null where it is right.';
comment on function assignment.describe_search_path() is
  'What to do about triggers on trainer_client_assignments whose functions rely on a search_path. Null where none does.';
comment on function assignment.explain_refusal(uuid, text, text, text) is
  'The failure to record for an error: TA009 where a foreign key points elsewhere, else the error itself, with what to do about it.';
comment on function assignment.find_refused_members(uuid[], text) is
  'Which of the members a foreign key refuses because it points elsewhere.';
comment on function assignment.judge_refusal(uuid[], text, text, text) is
  'What an error says of the members of one statement: how many are gone, who fails and why, and whom it does not tell of.
A member is gone only where public.members lacks the id.';

-- migrate:down
drop function if exists assignment.judge_refusal(uuid[], text, text, text);
drop function if exists assignment.find_refused_members(uuid[], text);
drop function if exists assignment.explain_refusal(uuid, text, text, text);
drop function if exists assignment.describe_search_path();
drop function if exists assignment.describe_misplaced_key(text);
drop function if exists assignment.find_gone_members(uuid[]);
drop type if exists assignment.member_failure;
