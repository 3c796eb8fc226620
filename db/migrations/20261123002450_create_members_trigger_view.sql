-- Tells whether every new member gets assigned, for /readyz, the metrics and the admin page.
-- It reads only the system catalogs and tables of this service, so it works even when members was renamed or dropped.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.members_trigger as
with recursive
members as (
  select to_regclass('public.members') as relid
),
trigger as (
  select t.tgenabled
  from pg_catalog.pg_trigger t
  join members m on m.relid = t.tgrelid
  where t.tgname = 'members_assign_trainer_after_insert'
),
children (relid) as (
  -- A statement trigger fires only for the table that the statement names. Inserts usually name the partitioned table,
  -- not its partitions; but inserts into a child table name the child.
  select i.inhrelid
  from pg_catalog.pg_inherits i
  join members m on m.relid = i.inhparent
  join pg_catalog.pg_class c on c.oid = i.inhparent and c.relkind <> 'p'
  union
  select i.inhrelid
  from pg_catalog.pg_inherits i
  join children c on c.relid = i.inhparent
),
bypasses as (
  select
    1 as rank,
    'children' as bypass,
    string_agg(format('%I.%I', n.nspname, c.relname), ', ' order by n.nspname, c.relname) as tables
  from children
  join pg_catalog.pg_class c on c.oid = children.relid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  having count(*) > 0
  union all
  select 2 as rank, 'subscription' as bypass, null as tables
  from pg_catalog.pg_subscription_rel s
  join members m on m.relid = s.srrelid
  union all
  select 3 as rank, 'replica_role' as bypass, null as tables
  from pg_catalog.pg_db_role_setting s
  where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
    and 'session_replication_role=replica' = any (s.setconfig)
    and not exists (select from trigger where tgenabled = 'A')
  union all
  select 4 as rank, 'not_mirrored' as bypass, string_agg(table_name, ', ' order by table_name) as tables
  from assignment.watched_state
  where remedy is not null
  having count(*) > 0
),
states as (
  select coalesce(
    (select case when tgenabled in ('O', 'A') then 'enabled' else 'disabled' end from trigger),
    'missing'
  ) as state
)
select
  s.state,
  b.bypass,
  b.tables,
  case b.bypass
    when 'not_mirrored'
    then (select string_agg(remedy, '; ' order by table_name) from assignment.watched_state where remedy is not null)
  end as remedy,
  s.state = 'enabled' and b.bypass is null as is_fine
from states s
left join (select bypass, tables from bypasses order by rank limit 1) as b on true;

comment on view assignment.members_trigger is
  'One row: whether the trigger assigns every inserted member. state: enabled, disabled or missing.
bypass: how members can be added without firing an enabled trigger (children, subscription, replica_role, not_mirrored),
and by which tables; null: the catalogs show none. remedy: what to run about tables that are not mirrored.';

-- migrate:down
drop view if exists assignment.members_trigger;
