import { changeFunction, type KnownBug } from "./planted_bug.ts";

/** Mistakes in transfers, in what rows tell of themselves, and in the audit log; each with the rule meant for it. */
export const historyBugs: readonly KnownBug[] = [
  {
    name: "the former assignment is not ended",
    caughtBy: ["by_rules"],
    breaks: "whom a transfer gives a trainer, it takes from the former one",
    database: (sql) =>
      changeFunction(
        sql,
        "carry_out_choices",
        "v_replaced_ids := p_clients.assignment_ids",
        "v_replaced_ids := '{}'",
      ),
  },
  {
    name: "the former assignment is ended although the new one failed",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "whom a run takes from a trainer has another",
    database: (sql) =>
      changeFunction(
        sql,
        "carry_out_choices",
        "r.member_id in (select unnest(v_members))",
        "true",
      ),
  },
  {
    name: "the policy chooses the trainer who is left",
    caughtBy: ["by_rules"],
    breaks: "a run gives nobody back to whom it takes them from",
    database: (sql) =>
      changeFunction(sql, "choose_successors", "p_full || p_request.from_trainer_id ||", "p_full ||"),
  },
  {
    name: "a transfer makes again what was ended by hand",
    caughtBy: ["by_rules"],
    breaks: "no run makes again what was ended by hand",
    database: (sql) =>
      changeFunction(
        sql,
        "choose_successors",
        "(a.status = 'active' or coalesce(a.ended_because, 'direct') not in ('transfer', 'reassign'))",
        "a.status = 'active'",
      ),
  },
  {
    name: "the proof of a transfer finds nobody",
    caughtBy: ["by_rules"],
    breaks: "a transfer leaves nobody behind without saying so",
    database: (sql) =>
      changeFunction(
        sql,
        "find_transfer_stragglers",
        "and a.id <= p_upper_id",
        "and false and a.id <= p_upper_id",
      ),
  },
  {
    name: "a transfer takes no seats",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "seats are as many as the clients leave",
    database: (sql) =>
      changeFunction(
        sql,
        "assign_members",
        "if p_request.by_force then",
        "if p_request.purpose = 'transfer' then null; elsif p_request.by_force then",
      ),
  },
  {
    name: "a transfer moves more than the selection",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "a transfer moves only whom it is asked to",
    database: (sql) =>
      changeFunction(sql, "next_members", "elsif p_run.only_selected then", "elsif false then"),
  },
  {
    name: "a condition selects everybody",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "a transfer moves only whom it is asked to",
    database: (sql) =>
      changeFunction(sql, "select_clients", "if p_run.condition is not null then", "if false then"),
  },
  {
    name: "reassigning ends what a person assigned",
    caughtBy: ["by_rules"],
    breaks: "a run leaves what a person assigned",
    database: (sql) => changeFunction(sql, "find_replaced", "and a.policy_version is not null", ""),
  },
  {
    name: "a row says the owner ended it",
    caughtBy: ["by_rules"],
    breaks: "one line for each assignment made or ended by hand",
    database: (sql) =>
      changeFunction(sql, "end_assignments", "ended_by = p_actor", "ended_by = current_user"),
  },
  {
    name: "a row does not say which run ended it",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "what a run ended says which run, and by whom",
    database: (sql) =>
      changeFunction(sql, "end_assignments", "ended_run_id = p_run_id", "ended_run_id = null"),
  },
  {
    name: "a retry says that the trigger assigned",
    isExtra: true,
    caughtBy: ["everyday"],
    breaks: "a row says who assigned",
    database: (sql) =>
      changeFunction(sql, "retry_failures", "v_request.actor := 'retry'", "v_request.actor := 'trigger'"),
  },
  {
    name: "a new policy is not in the audit log",
    caughtBy: ["by_rules"],
    breaks: "one line for each version of the policy",
    async database(sql) {
      await sql.unsafe(`
        create function public.record_nothing(
          p_actor text, p_action text, p_subject text, p_before jsonb, p_after jsonb, p_request_id text
        ) returns void language sql as ''
      `);
      await changeFunction(sql, "put_policy", "assignment.record_audit(", "public.record_nothing(");
    },
  },
  {
    name: "the next step writes the line of a new policy",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "a line is written in the transaction of its change",
    async database(sql) {
      await sql.unsafe(`
        create table public.later (like assignment.audit_log);
        alter table public.later drop column id, drop column at, drop column database_role;
        create function public.record_later(
          p_actor text, p_action text, p_subject text, p_before jsonb, p_after jsonb, p_request_id text
        ) returns void language sql as $$
          insert into public.later (actor, action, subject, trainer_ids, before, after, request_id)
          values (p_actor, p_action, p_subject, '{}', p_before, p_after, p_request_id)
        $$;
        create function public.write_later() returns void language sql as $$
          with lines as (delete from public.later returning *)
          select assignment.record_audit(actor, action, subject, trainer_ids, before, after, request_id) from lines
        $$;
      `);
      await changeFunction(sql, "put_policy", "assignment.record_audit(", "public.record_later(");
      await changeFunction(
        sql,
        "record_batch",
        "if p_rows > 0 then",
        "perform public.write_later(); if p_rows > 0 then",
      );
    },
  },
  {
    name: "who ends nothing is in the audit log",
    isExtra: true,
    caughtBy: ["everyday"],
    breaks: "one line for each journaled change, none without",
    database: (sql) =>
      changeFunction(
        sql,
        "end_assignment",
        "return false;",
        `perform assignment.record_audit(p_actor, 'assignment.ended', p_request_id => p_request_id); return false;`,
      ),
  },
  {
    name: "a pause is told twice",
    isExtra: true,
    caughtBy: ["everyday"],
    breaks: "one line for each event of a run",
    database: (sql) =>
      changeFunction(
        sql,
        "change_backfill_status",
        "update assignment.backfill_runs",
        `perform assignment.record_audit(p_actor, 'run.' || p_to, 'run:' || p_run_id) where p_to = 'paused';
         update assignment.backfill_runs`,
      ),
  },
  {
    name: "what another program ends is not told",
    caughtBy: ["by_rules"],
    breaks: "one line for each statement past the service",
    async database(sql) {
      await changeFunction(
        sql,
        "tg_trainer_client_assignments__tell_change",
        "if v_changed.ids <> '{}'",
        "if false",
      );
    },
  },
  {
    name: "what another program ends names the owner",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "what was ended past the service says by which role",
    database: (sql) =>
      changeFunction(
        sql,
        "tg_trainer_client_assignments__tell_change",
        "ended_by = v_role",
        "ended_by = 'owner'",
      ),
  },
  {
    name: "deleted members are told by name",
    isExtra: true,
    caughtBy: ["by_rules"],
    breaks: "the log tells nothing of clients who have left",
    database: (sql) =>
      changeFunction(
        sql,
        "tg_members__forget",
        "jsonb_build_object('members', cardinality(v_ids))",
        "jsonb_build_object('members', v_ids)",
      ),
  },
];
