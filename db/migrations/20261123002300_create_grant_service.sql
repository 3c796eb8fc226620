-- Grants the role of the service the rights that it needs: select assignment.grant_service('…role…'), and with the columns
-- of members that have names and e-mails under other names: select assignment.grant_service('…role…', '{full_name,mail}').
-- Policies for the day on which row-level security is enabled are created along: the role and the owner then still see every
-- row of this service's tables.
-- Locks: none by the migration. The function takes access exclusive on each table that a role may read for the first time,
-- for milliseconds, and gives up after 2 s.
-- Reversible: the down revokes what was granted on a table of another owner, because `drop owned by` does not. Other rights
-- on members and on the schema public remain until the role is dropped.

-- migrate:up
create function assignment.grant_service(p_role name, p_columns name[] default null)
  returns void
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
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

revoke execute on function assignment.grant_service(name, name[]) from public;
comment on function assignment.grant_service(name, name[]) is
  'Grants a role what the service needs: EXECUTE on the functions that it calls, SELECT on the tables that it reads.
Call it as the owner of the schema, and again after each migration. p_columns: which columns of members it may read beside
the id; by default those that it may read already, at first email and display_name if there are such. Rights stay.
Undo: migrate down --all, then drop owned by …role….';

-- migrate:down
do $$
declare
  v_grant record;
begin
  for v_grant in
    select a.attname, r.grantee::regrole as grantee
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid
    cross join aclexplode(a.attacl) r
    where c.oid = to_regclass('public.members')
      and r.privilege_type = 'SELECT'
      and r.grantor = current_user::regrole
      and r.grantor <> c.relowner
      and r.grantee <> 0
    order by a.attnum
  loop
    execute format('revoke select (%I) on public.members from %s', v_grant.attname, v_grant.grantee);
  end loop;
end;
$$;
drop function if exists assignment.grant_service(name, name[]);
