import type { Sql } from "../../src/database/sql.ts";

/** Something that makes assignments fail. */
export interface Cause {
  /** Brings it about; what it returns lifts it again. */
  bring(sql: Sql): Promise<() => Promise<unknown>>;
  /** Nothing can be recorded either: only the reconciliation finds the members. */
  unrecorded?: boolean;
  /** An assignment may succeed now and then all the same. */
  mayPass?: boolean;
}

/** By name; each from one statement that does harm and one that repairs it. */
export const causes: Readonly<Record<string, Cause>> = {
  "the default trainer is not a member": statements(
    "update assignment.settings set default_trainer_id = '00000000-0000-4000-8000-000000000000'",
    "update assignment.settings set default_trainer_id = 'd18a21c8-be77-496f-a2fd-ec6479ecba6d'",
  ),
  "the settings are empty": statements(
    "delete from assignment.settings",
    "insert into assignment.settings (default_trainer_id) values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d')",
  ),
  "the settings are gone": statements(
    "alter table assignment.settings rename to settings_gone",
    "alter table assignment.settings_gone rename to settings",
  ),
  "the assignments table is gone": statements(
    "alter table public.trainer_client_assignments rename to assignments_gone",
    "alter table public.assignments_gone rename to trainer_client_assignments",
  ),
  "a column of the assignments is gone": statements(
    "alter table public.trainer_client_assignments rename column source to source_gone",
    "alter table public.trainer_client_assignments rename column source_gone to source",
  ),
  "a new column wants a value": statements(
    "alter table public.trainer_client_assignments add column price numeric, add constraint price_given check (price is not null) not valid",
    "alter table public.trainer_client_assignments drop column price",
  ),
  "a check refuses the row": statements(
    "alter table public.trainer_client_assignments add constraint no_more check (false) not valid",
    "alter table public.trainer_client_assignments drop constraint no_more",
  ),
  "a trigger raises": trigger("raise exception 'refused'"),
  "a trigger divides by zero": trigger("perform 1 / 0"),
  "a trigger fails an assertion": trigger("assert false"),
  "a trigger keeps the row out without a word": trigger("return null"),
  "a check refuses the row, and a function of ours is gone": statements(
    `alter table public.trainer_client_assignments add constraint no_more check (false) not valid;
     alter function assignment.default_trainer_id rename to default_trainer_id_gone`,
    `alter table public.trainer_client_assignments drop constraint no_more;
     alter function assignment.default_trainer_id_gone rename to default_trainer_id`,
  ),
  "the rights are revoked": statements(
    `create role without_rights;
     grant usage, create on schema assignment to without_rights;
     grant select, insert, update on assignment.failures to without_rights;
     grant execute on function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) to without_rights;
     alter function assignment.tg_members__assign_trainer() owner to without_rights;
     alter function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) owner to without_rights`,
    `alter function assignment.tg_members__assign_trainer() owner to current_user;
     alter function assignment.assign_or_record(uuid[], text, uuid, jsonb[], text) owner to current_user;
     drop owned by without_rights;
     drop role without_rights`,
  ),
  "another session has locked the assignments": {
    async bring(sql) {
      const session = await sql.reserve();
      await session`begin`;
      await session`lock table public.trainer_client_assignments in access exclusive mode`;
      return async () => {
        await session`rollback`.catch(() => {});
        session.release();
      };
    },
  },
  "the failures table is gone as well": {
    unrecorded: true,
    ...statements(
      `alter table public.trainer_client_assignments add constraint no_more check (false) not valid;
       alter table assignment.failures rename to failures_gone`,
      `alter table public.trainer_client_assignments drop constraint no_more;
       alter table assignment.failures_gone rename to failures`,
    ),
  },
};

function statements(harm: string, repair: string): Cause {
  return {
    async bring(sql) {
      await sql.unsafe(harm);
      return () => sql.unsafe(repair);
    },
  };
}

function trigger(action: string): Cause {
  return statements(
    `create function public.interfere() returns trigger language plpgsql as $$ begin ${action}; return new; end $$;
     create trigger interfere before insert on public.trainer_client_assignments
       for each row execute function public.interfere()`,
    "drop function public.interfere() cascade",
  );
}
