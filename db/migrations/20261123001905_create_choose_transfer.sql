-- Decides what a transfer would do with clients. Writes nothing.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.choose_transfer(
  p_run assignment.backfill_runs,
  p_member_ids uuid[],
  out selected integer,
  out choices assignment.choice[]
)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
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

revoke execute on function assignment.choose_transfer(assignment.backfill_runs, uuid[]) from public;
comment on function assignment.choose_transfer(assignment.backfill_runs, uuid[]) is
  'How many of the clients the transfer selects, and what choose says of those.';

-- migrate:down
drop function if exists assignment.choose_transfer(assignment.backfill_runs, uuid[]);
