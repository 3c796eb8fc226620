import type { Sql } from "../../src/database/sql.ts";
import { changeFunction, type KnownBug } from "./planted_bug.ts";

/** Makes the trigger's function anew. */
async function replaceTrigger(sql: Sql, body: string): Promise<void> {
  await sql.unsafe(`
    create or replace function assignment.tg_members__assign_trainer()
      returns trigger
      volatile
      security definer
      set search_path = pg_catalog, pg_temp
      language plpgsql
    as $$ begin ${body} end $$
  `);
}

/** Makes a procedure of the step's function, which commits the moved cursor before it assigns anybody. */
async function splitStep(sql: Sql): Promise<void> {
  const [{ body }] = await sql<[{ body: string }]>`
    select prosrc as body from pg_proc where oid = 'assignment.backfill_step'::regproc
  `;
  const assigns = "v_result := assignment.run_batch(";
  if (!body.includes(assigns)) throw new Error(`assignment.backfill_step does not contain: ${assigns}`);
  const moves = `
    if v_next_id is not null then
      update assignment.backfill_lanes l
      set next_id = v_next_id
      where l.run_id = p_run_id and l.lane = v_lane.lane;
      commit;
      perform pg_sleep(0.1);
    end if;
  `;
  await sql.unsafe(`
    create procedure assignment.backfill_step_in_two(
      p_run_id uuid, inout work text, inout lane smallint, inout members integer
    )
    language plpgsql
    as $$${body.replace(assigns, () => moves + assigns)}$$
  `);
}

/** Mistakes in the database: each is one that somebody could make in a migration. */
export const databaseBugs: readonly KnownBug[] = [
  {
    name: "the unique index is gone",
    caughtBy: ["everyday"],
    async database(sql) {
      await sql`drop index public.trainer_client_assignments_active_key`;
      await changeFunction(
        sql,
        "assign_members",
        "on conflict (client_id, trainer_id) where status = 'active' do nothing",
        "",
      );
    },
  },
  {
    name: "the unique index forgets its predicate",
    isExtra: true,
    caughtBy: ["everyday"],
    async database(sql) {
      await sql`drop index public.trainer_client_assignments_active_key`;
      await sql`
        create unique index trainer_client_assignments_active_key
          on public.trainer_client_assignments (client_id, trainer_id)
      `;
    },
  },
  {
    name: "a run revives ended assignments",
    caughtBy: ["everyday"],
    database: (sql) => changeFunction(sql, "assign_to_trainer", "p_request.purpose <> 'first'", "false"),
  },
  {
    name: "a batch is counted twice",
    caughtBy: ["everyday", "kills", "dropped_replies", "frozen"],
    database: (sql) =>
      changeFunction(
        sql,
        "record_batch",
        "successful = successful + p_result.successful",
        "successful = successful + 2 * p_result.successful",
      ),
  },
  {
    name: "failed members count as successful",
    isExtra: true,
    caughtBy: ["everyday"],
    database: (sql) =>
      changeFunction(
        sql,
        "record_batch",
        "successful = successful + p_result.successful",
        "successful = successful + p_result.successful + cardinality(p_result.failures)",
      ),
  },
  {
    name: "a full disk is a member's fault",
    caughtBy: ["disk_full"],
    database: (sql) => changeFunction(sql, "is_transient", "'53', ", ""),
  },
  {
    name: "steps do not lock their lane",
    caughtBy: ["everyday", "frozen"],
    // The others read the same lane meanwhile, however few processors there are.
    database: (sql) =>
      changeFunction(sql, "backfill_step", "for update skip locked;", "; perform pg_sleep(0.02);"),
  },
  {
    name: "the cursor skips a member at the edge of a batch",
    caughtBy: ["frozen", "kills", "dropped_replies"],
    async database(sql) {
      await changeFunction(
        sql,
        "next_members",
        "order by m.id\n      limit p_limit + 1",
        "order by m.id\n      limit p_limit + 2",
      );
      await changeFunction(sql, "next_members", "[p_limit + 1]", "[p_limit + 2]");
    },
  },
  {
    name: "the cursor moves before the rows",
    isExtra: true,
    caughtBy: ["kills"],
    database: splitStep,
    sources: [
      {
        file: "src/runs/steps.ts",
        from: "select work, members\n    from assignment.backfill_step(${runId})",
        to: "call assignment.backfill_step_in_two(${runId}, null, null, null)",
      },
      // One step at a time, and the rest between its two parts: only whom a crash meets there is lost.
      { file: "src/runs/drive.ts", from: "{ length: options.lanes }", to: "{ length: 1 }" },
      { file: "src/runs/drive.ts", from: "* options.restRatio", to: "* 0" },
    ],
  },
  {
    name: "the closing proof finds nobody",
    caughtBy: ["everyday"],
    database: (sql) =>
      changeFunction(
        sql,
        "find_stragglers",
        "where m.id <= v_upper_id",
        "where false and m.id <= v_upper_id",
      ),
  },
  {
    name: "a run succeeds whatever failed",
    isExtra: true,
    caughtBy: ["everyday"],
    database: (sql) =>
      changeFunction(
        sql,
        "finish_backfill",
        "set status = case when v_remaining = 0 and v_counts.failed = 0",
        "set status = case when true",
      ),
  },
  {
    name: "failures are swallowed",
    caughtBy: ["everyday", "causes", "locks"],
    database: (sql) =>
      changeFunction(sql, "assign_or_record", "if cardinality(v_failures) > 0 then", "if false then"),
  },
  {
    name: "a member is taken for gone without looking",
    caughtBy: ["causes", "everyday"],
    database: (sql) =>
      changeFunction(
        sql,
        "judge_refusal",
        "gone_ids := assignment.find_gone_members(p_member_ids);",
        "gone_ids := p_member_ids;",
      ),
  },
  {
    name: "a retry forgets whom it could not assign",
    isExtra: true,
    caughtBy: ["everyday"],
    database: (sql) =>
      changeFunction(
        sql,
        "retry_failures",
        "and f.member_id not in (select member_id from unnest(v_failures))",
        "",
      ),
  },
  {
    name: "the trigger looks at the first row of a statement",
    caughtBy: ["everyday", "kills", "dropped_replies"],
    database: (sql) =>
      replaceTrigger(
        sql,
        "perform assignment.assign_or_record(array(select id from new_members limit 1), 'trigger'); return null;",
      ),
  },
  {
    name: "a row trigger without a handler",
    isExtra: true,
    caughtBy: ["everyday", "causes", "locks"],
    async database(sql) {
      await sql.unsafe(`
        create function public.assign_trainer() returns trigger language plpgsql security definer as $$
        begin
          if new.id <> assignment.default_trainer_id() then
            insert into public.trainer_client_assignments (trainer_id, client_id, source, policy_version)
            values (assignment.default_trainer_id(), new.id, 'trigger', 1);
          end if;
          return null;
        end;
        $$;
        drop trigger members_assign_trainer_after_insert on public.members;
        create trigger members_assign_trainer_after_insert after insert on public.members
          for each row execute function public.assign_trainer();
      `);
    },
  },
  {
    name: "the handler catches one class of error",
    isExtra: true,
    caughtBy: ["everyday", "causes", "locks"],
    database: (sql) =>
      replaceTrigger(
        sql,
        `insert into public.trainer_client_assignments (trainer_id, client_id, source, policy_version)
         select assignment.default_trainer_id(), id, 'trigger', 1 from new_members order by id
         on conflict (client_id, trainer_id) where status = 'active' do nothing;
         return null;
         exception when check_violation or unique_violation then
           perform assignment.assign_or_record(array(select id from new_members), 'trigger');
           return null;`,
      ),
  },
  {
    name: "a deferred foreign key",
    caughtBy: ["everyday", "causes"],
    async database(sql) {
      await sql`
        alter table public.trainer_client_assignments
          alter constraint trainer_client_assignments_trainer_id_fkey deferrable initially deferred
      `;
    },
  },
  {
    name: "no foreign key",
    isExtra: true,
    caughtBy: ["everyday"],
    async database(sql) {
      await sql`alter table public.trainer_client_assignments drop constraint trainer_client_assignments_trainer_id_fkey`;
    },
  },
  {
    name: "a signup waits for locks as long as it takes",
    caughtBy: ["locks"],
    async database(sql) {
      await sql`alter function assignment.tg_members__assign_trainer() set lock_timeout = 0`;
      await sql`alter function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) set lock_timeout = 0`;
    },
  },
  {
    name: "changes of status are not recorded",
    caughtBy: ["everyday", "kills"],
    async database(sql) {
      await sql`drop trigger backfill_runs_guard_status_after_write on assignment.backfill_runs`;
    },
  },
  {
    name: "changes of status are recorded twice",
    isExtra: true,
    caughtBy: ["everyday", "kills"],
    async database(sql) {
      await sql`
        create trigger backfill_runs_guard_status_again
          after insert or update of status on assignment.backfill_runs
          for each row execute function assignment.tg_backfill_runs__guard_status()
      `;
    },
  },
];
