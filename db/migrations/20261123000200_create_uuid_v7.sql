-- Time-ordered ids (UUID version 7, RFC 9562): PostgreSQL 18 has a function for them, older versions get one in SQL.
-- Locks: none. Reversible.

-- migrate:up
do $$
begin
  if to_regprocedure('pg_catalog.uuidv7()') is not null then
    create function assignment.uuid_v7()
      returns uuid
      volatile
      parallel safe
      language sql
    as 'select pg_catalog.uuidv7()';
  else
    -- 48 bits of milliseconds, 4 bits of version, 12 bits of fractions of a millisecond, then the last eight bytes of a
    -- version 4 UUID: the variant and 62 random bits.
    create function assignment.uuid_v7()
      returns uuid
      volatile
      parallel safe
      language sql
    as $uuid$
      select encode(
        int8send(((us / 1000) << 16) | (7 << 12) | ((us % 1000) * 4096 / 1000))
          || substring(uuid_send(gen_random_uuid()) from 9),
        'hex'
      )::uuid
      from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us) as instant
    $uuid$;
  end if;
end;
$$;

comment on function assignment.uuid_v7() is 'Returns a new UUID version 7. It sorts by the time of its creation.';

-- migrate:down
drop function if exists assignment.uuid_v7();
