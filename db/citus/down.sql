-- Takes back what the other files of this folder made, before the migrations take back their own. The rows of members stay
-- distributed.

drop view if exists assignment.backfill_progress;
drop view if exists assignment.members_trigger;
drop schema assignment_shards cascade;
drop type assignment.backfill_run cascade;

drop function
  assignment.shard_names(bigint),
  assignment.make_shard_functions(bigint),
  assignment.call_shard(bigint, text, jsonb, jsonb),
  assignment.on_shard(oid, text, jsonb, jsonb),
  assignment.begin_change(uuid),
  assignment.ask_shard(regclass, uuid, text, jsonb, boolean, jsonb),
  assignment.note_trainers(uuid[], uuid[]),
  assignment.note_policy_trainers(),
  assignment.look_up(text, jsonb),
  assignment.refresh_known_trainers(),
  assignment.put_policy_here(jsonb, text, text, integer, text),
  assignment.is_room_known(uuid),
  assignment.find_place(),
  assignment.claim_seats_here(uuid[]),
  assignment.overbook_seats(uuid[], integer[]),
  assignment.keep_seats(jsonb),
  assignment.keep_seats_by_name(uuid, jsonb),
  assignment.add_seats(jsonb),
  assignment.release_seats(jsonb),
  assignment.count_seats(jsonb),
  assignment.lock_free_seats(boolean),
  assignment.release_at(uuid, uuid, integer),
  assignment.bring_seats(uuid, text, jsonb),
  assignment.set_off_seats(uuid, integer),
  assignment.reopen_trainers(),
  assignment.count_free_seats(),
  assignment.take_free_seats(jsonb, assignment.trainer_count[]),
  assignment.find_place_of(uuid),
  assignment.estimate_shard(jsonb),
  assignment.draft_shard(jsonb),
  assignment.preview_policy_here(jsonb, real),
  assignment.choose_shard(jsonb),
  assignment.assign_new(uuid[]),
  assignment.forget_shard(jsonb),
  assignment.find_places(),
  assignment.prepare_nodes(),
  assignment.lay_out(assignment.backfill_runs, uuid, bigint),
  assignment.step_shard(jsonb),
  assignment.preview_shard(jsonb),
  assignment.record_shard(jsonb),
  assignment.sweep_shard(jsonb),
  assignment.sweep_shards(assignment.backfill_runs, boolean),
  assignment.count_lanes(uuid),
  assignment.list_choices(uuid),
  assignment.list_rule_names(integer),
  assignment.list_samples(uuid),
  assignment.retry_here(integer),
  assignment.retry_shard(jsonb),
  assignment.assign_one_here(assignment.request, uuid, uuid),
  assignment.assign_shard(jsonb),
  assignment.end_one_here(uuid, uuid, text),
  assignment.end_shard(jsonb),
  assignment.signup_shard(jsonb),
  assignment.assign_or_record_here(uuid[], text, uuid, jsonb[], text),
  assignment.explain_decision_here(uuid),
  assignment.explain_shard(jsonb),
  assignment.grant_service_here(name, name[]),
  assignment.check_shard(uuid[]),
  assignment.check_here(uuid[]),
  assignment.check_members(uuid[]),
  assignment.find_trigger_state(),
  assignment.note(uuid, text, jsonb),
  assignment.find_node_places(),
  assignment.read_notes_here(integer),
  assignment.drop_notes_here(jsonb),
  assignment.collect_notes(uuid, integer),
  assignment.drop_notes(uuid, jsonb),
  assignment.take_gone(jsonb),
  assignment.forget_here(uuid[]),
  assignment.note_line(uuid, text, jsonb, text, uuid[]),
  assignment.take_lines(jsonb),
  assignment.commit_together(),
  assignment.is_noted(text),
  assignment.note_messages(text, uuid[], uuid[]),
  assignment.take_messages(jsonb);

drop table assignment.runs_by_policy;
drop table assignment.backfill_places;
drop table assignment.nodes;
drop table assignment.places;
drop table assignment.full_trainers;
drop table assignment.seat_changes;
drop table assignment.known_trainers;
drop table assignment.trainers_looked_up;
drop table assignment.notes;
drop table assignment.wishes;
drop table assignment.witness;
