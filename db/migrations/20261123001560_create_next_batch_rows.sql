-- Adapts the size of batches to the speed of the database, so that each takes about 250 ms.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.next_batch_rows(p_rows integer, p_row_us real[], p_last_ms double precision)
  returns integer
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select greatest(100, least(20000, case
    when p_last_ms >= 5 * 250 then p_rows * 250 / p_last_ms
    else least(p_rows * 1.5, 250000 / greatest(
      0.1,
      (select percentile_disc(0.9) within group (order by us) from unnest(p_row_us) as recent (us))
    ))
  end))::integer
$$;

revoke execute on function assignment.next_batch_rows(integer, real[], double precision) from public;
comment on function assignment.next_batch_rows(integer, real[], double precision) is
  'The size of the next batch: aims at 250 ms by the 90th percentile of the recent microseconds a row; grows at most 1.5×,
shrinks at once when the last batch took five times the aim; 100 to 20,000 rows.';

-- migrate:down
drop function if exists assignment.next_batch_rows(integer, real[], double precision);
