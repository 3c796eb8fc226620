-- Whom the policy gave the members of a run to. Counted for each lane, so that lanes do not wait for each other.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.backfill_choices (
  run_id uuid not null,
  lane smallint not null,
  rule smallint not null,
  trainer_id uuid not null,
  members bigint not null,
  constraint backfill_choices_pkey primary key (run_id, lane, rule, trainer_id),
  constraint backfill_choices_run_id_fkey foreign key (run_id) references assignment.backfill_runs (id) on delete cascade
);

comment on table assignment.backfill_choices is 'How many members each rule gave to each trainer, in each lane of a run.';
comment on column assignment.backfill_choices.rule is 'Position in the policy of the run, from 1. 0: the default trainer.';

-- migrate:down
drop table if exists assignment.backfill_choices;
