-- A view that is asked beside distributed tables must not look as if it took part in the distribution: what it says comes
-- out of a function then.

do $$
begin
  execute format(
    'create function assignment.find_trigger_state()
       returns table (state text, bypass text, tables text, remedy text, is_fine boolean)
       stable
       security definer
       set search_path = pg_catalog, pg_temp
       language plpgsql
     as $body$
     #variable_conflict use_column
     begin
       return query %s
     end;
     $body$',
    pg_get_viewdef('assignment.members_trigger'::regclass)
  );
end;
$$;

create or replace view assignment.members_trigger as
select f.state, f.bypass, f.tables collate "C" as tables, f.remedy collate "C" as remedy, f.is_fine
from assignment.find_trigger_state() as f;
