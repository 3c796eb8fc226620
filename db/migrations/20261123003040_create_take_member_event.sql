-- Takes an event of the identity provider: remembers it and creates the member, in one sub-transaction, so that neither is
-- there without the other. The trigger on members assigns the member as ever.
-- Locks: none by the migration. Reversible.

-- migrate:up
create function assignment.take_member_event(
  p_event_id text,
  p_event_type text,
  p_member_id uuid,
  p_name_column name,
  p_name text,
  p_email_column name,
  p_email text,
  out outcome text,
  out member_id uuid,
  out reason text,
  out detail text
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
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

revoke execute on function assignment.take_member_event(text, text, uuid, name, text, name, text) from public;
comment on function assignment.take_member_event(text, text, uuid, name, text, name, text) is
  'Creates the member of an event, once. outcome: created; known: the member existed; duplicate: the event was taken before;
refused: kept in member_hook_failures, with the reason and what to do. Transient errors are raised.';

-- migrate:down
drop function if exists assignment.take_member_event(text, text, uuid, name, text, name, text);
