-- Adapts the size of batches to the speed of the database: each should take about 250 ms.
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
  'Rows of the next batch, so that it takes 250 ms at the 90th percentile of the recent times. Between 100 and 20,000.
It grows at most by half, and shrinks at once when the last batch took five times as long.';

-- migrate:down
drop function if exists assignment.next_batch_rows(integer, real[], double precision);
