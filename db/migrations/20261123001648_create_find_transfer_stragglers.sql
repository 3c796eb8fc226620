-- Finds the clients that a transfer missed: they still have the trainer, and no error is recorded.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_transfer_stragglers(p_run assignment.backfill_runs, p_upper_id uuid)
  returns setof uuid
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
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

revoke execute on function assignment.find_transfer_stragglers(assignment.backfill_runs, uuid) from public;
comment on function assignment.find_transfer_stragglers(assignment.backfill_runs, uuid) is
  'The proof of a transfer as a query: selected clients whom the trainer had when it started (by assignments up to p_upper_id),
still has, and who are not among its errors.';

-- migrate:down
drop function if exists assignment.find_transfer_stragglers(assignment.backfill_runs, uuid);
