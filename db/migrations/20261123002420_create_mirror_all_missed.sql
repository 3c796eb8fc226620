-- Mirrors the rows that the triggers missed, of all watched tables. Each reconciliation calls it first.
-- It never raises: one broken table must not stop the reconciliation.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.mirror_all_missed()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
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

revoke execute on function assignment.mirror_all_missed() from public;
comment on function assignment.mirror_all_missed() is
  'Mirrors the missed rows of every watched table, and records the result in watched_tables.';

-- migrate:down
drop function if exists assignment.mirror_all_missed();
