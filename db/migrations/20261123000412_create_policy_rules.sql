-- The compiled rules of each version of the policy, which choose_trainers reads.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.policy_rules (
  version integer not null,
  rule smallint not null,
  name text not null,
  predicate jsonpath,
  asks text[] not null,
  kinds text[] not null,
  choose text not null,
  field text[],
  trainer_ids uuid[] not null,
  weights integer[] not null,
  when_full text not null,
  constraint policy_rules_pkey primary key (version, rule),
  constraint policy_rules_version_fkey foreign key (version) references assignment.policies (version),
  constraint choose_is_known check (choose in ('nobody', 'field', 'all', 'spread', 'most_room')),
  constraint when_full_is_known check (when_full in ('next', 'wait')),
  constraint field_belongs_to_choose check ((field is not null) = (choose = 'field')),
  constraint trainers_belong_to_choose check ((cardinality(trainer_ids) > 0) = (choose in ('all', 'spread', 'most_room'))),
  constraint each_field_has_a_kind check (cardinality(asks) = cardinality(kinds)),
  constraint each_trainer_has_a_weight check (cardinality(trainer_ids) = cardinality(weights))
);

comment on table assignment.policy_rules is 'The rules of each version, as compile_rules compiled them.';
comment on column assignment.policy_rules.rule is
  'Position in the document, from 1. The first rule that matches a member and has a trainer to give decides.';
comment on column assignment.policy_rules.predicate is 'Condition on the member''s row as jsonb. Null: every member.';
comment on column assignment.policy_rules.asks is
  'Fields that predicate and field read, each a path of keys as a text array literal. Members with equal values of all of
them match the same rules.';
comment on column assignment.policy_rules.kinds is
  'The kind that the column of each field had when the rule was compiled, as member_columns names it.';
comment on column assignment.policy_rules.field is 'For choose = field: the path to the trainer''s id in the member''s row.';
comment on column assignment.policy_rules.trainer_ids is
  'No foreign keys: the application may delete a trainer, who is then not chosen.';

-- migrate:down
drop table if exists assignment.policy_rules;
