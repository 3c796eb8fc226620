-- Says why the table members refused a member of the hook, and what to do.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.explain_member_refusal(
  p_sqlstate text,
  p_table regclass,
  p_column name,
  p_constraint name,
  p_filled name[],
  p_email_column name,
  out reason text,
  out detail text
)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
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

revoke execute on function assignment.explain_member_refusal(text, regclass, name, name, name[], name) from public;
comment on function assignment.explain_member_refusal(text, regclass, name, name, name[], name) is
  'The reason and the detail of a failure of the member hook, from the diagnostics of an error. Quotes no value of a row.';

-- migrate:down
drop function if exists assignment.explain_member_refusal(text, regclass, name, name, name[], name);
