-- Inserts a member with what the event has. The application's own triggers run with the search_path of the session, as
-- they do for any other insert, but with the temporary schema behind it: they run with the rights of the owner.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.insert_member(p_member_id uuid, p_columns name[], p_values text[])
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
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
$$;

revoke execute on function assignment.insert_member(uuid, name[], text[]) from public;
comment on function assignment.insert_member(uuid, name[], text[]) is
  'Inserts a member with those of the columns that exist, that have a value and that the calling role may read. Returns the
id, or null if the member exists.';

-- migrate:down
drop function if exists assignment.insert_member(uuid, name[], text[]);
