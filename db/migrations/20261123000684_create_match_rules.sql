-- Finds out which members each rule matches. Members with equal values of all fields that the rules read are evaluated once.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.match_rules(p_rules assignment.policy_rules[], p_rows jsonb[])
  returns table (rule smallint, matched integer[])
  stable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set work_mem = '32MB'
  set jit = off
  language plpgsql
as $$
declare
  v_rule assignment.policy_rules;
  v_rules assignment.policy_rules[] := array(  -- a rule that reads a dropped or renamed column matches nobody
    select r
    from unnest(p_rules) as r
    where not exists (select from unnest(r.asks) as asked (path) where not p_rows[1] ? (asked.path::text[])[1])
  );
  v_asked text[] := array(select distinct unnest(r.asks) from unnest(v_rules) as r);
  v_nested jsonpath[] := array(  -- jsonpath itself, because it looks into the items of arrays, unlike #>
    select ('$.' || (
      select string_agg(to_json(key)::text, '.' order by place) from unnest(path::text[]) with ordinality as k (key, place)
    ))::jsonpath
    from unnest(v_asked) as path
    where cardinality(path::text[]) > 1
  );
  v_unasked text[] := array(
    select jsonb_object_keys(p_rows[1])
    except
    select (path::text[])[1] from unnest(v_asked) as path where cardinality(path::text[]) = 1
  );
  v_texts jsonb := (  -- columns whose values compare by another form than to_jsonb gives
    select jsonb_object_agg((asked.path::text[])[1], asked.kind)
    from unnest(v_rules) as r
    cross join unnest(r.asks, r.kinds) as asked (path, kind)
    where asked.kind in ('char', 'citext', 'citext[]')
  );
begin
  return query
  with keyed as materialized (
    select
      r.index::integer,
      r.row,
      r.row - v_unasked as key,
      case
        when cardinality(v_nested) > 0
        then (select jsonb_agg(jsonb_path_query_array(r.row, path) order by place) from unnest(v_nested) with ordinality as n (path, place))
      end as nested_key
    from unnest(p_rows) with ordinality as r (row, index)
  ),
  groups as materialized (
    select array_agg(k.index) as members, min(k.index) as sample
    from keyed k
    group by k.key, k.nested_key
  ),
  samples as materialized (
    select g.members, g.sample, k.row || coalesce(
      (
        select jsonb_object_agg(c.name, case c.kind when 'char' then to_jsonb(rtrim(k.row ->> c.name)) else lower(text)::jsonb end)
        from jsonb_each_text(v_texts) as c (name, kind)
        cross join lateral (select (k.row -> c.name)::text as text) as t
        where k.row ->> c.name is not null
      ),
      '{}'
    ) as row
    from groups g
    join keyed k on k.index = g.sample
  ),
  matches as (
    select s.members, s.sample, r.rule, r.choose = 'nobody' or (r.when_full = 'wait' and cardinality(r.trainer_ids) > 1) as is_final
    from samples s
    join unnest(v_rules) as r
      on r.predicate is null or jsonb_path_match_tz(s.row, r.predicate, silent => true)
  ),
  needed as (  -- rules after one that always decides are not needed
    select m.members, m.rule
    from (
      select m.members, m.rule, bool_or(m.is_final) over (
        partition by m.sample order by m.rule rows between unbounded preceding and 1 preceding
      ) as is_decided
      from matches m
    ) as m
    where m.is_decided is not true
  )
  select n.rule, array_agg(member.index order by member.index)
  from needed n
  cross join lateral unnest(n.members) as member (index)
  group by n.rule
  order by n.rule;
exception when others then
  if assignment.is_transient(sqlstate) then
    raise;
  elsif cardinality(p_rules) = 1 then
    raise warning 'trainer assignment: rule % (%) matches nobody: %', p_rules[1].rule, p_rules[1].name, sqlerrm;
    return;
  end if;
  foreach v_rule in array p_rules loop  -- each by itself: a rule that raises must not hide the others
    return query select * from assignment.match_rules(array[v_rule], p_rows);
  end loop;
end;
$$;

revoke execute on function assignment.match_rules(assignment.policy_rules[], jsonb[]) from public;
comment on function assignment.match_rules(assignment.policy_rules[], jsonb[]) is
  'For each rule, the members that it matches, by their position in p_rows. A rule that raises matches nobody,
with a warning.';

-- migrate:down
drop function if exists assignment.match_rules(assignment.policy_rules[], jsonb[]);
