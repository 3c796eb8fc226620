-- Copies what the trigger reads from the policy in force and the trainers' capacities.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.refresh_settings()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
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

revoke execute on function assignment.refresh_settings() from public;
comment on function assignment.refresh_settings() is 'Makes the settings match the policy in force and the trainers'' capacities.';

-- migrate:down
drop function if exists assignment.refresh_settings();
