import { changeFunction, type KnownBug } from "./planted_bug.ts";

/** Mistakes in messages to consumers; each with the rule meant for it. */
export const webhookBugs: readonly KnownBug[] = [
  {
    name: "a message is written after the commit",
    caughtBy: ["webhooks", "everyday"],
    breaks: "a message is written in the transaction of its change",
    async database(sql) {
      await sql.unsafe(`
        create table public.later (type text, assignment_ids uuid[], member_ids uuid[], run_id uuid, policy_version integer);
        create function public.write_later() returns void language sql as $$
          with changes as (delete from public.later returning *)
          insert into assignment.outbox (type, assignment_ids, member_ids, run_id, policy_version) select * from changes
        $$;
      `);
      await changeFunction(
        sql,
        "announce",
        "if p_assignment_ids is null and",
        `insert into public.later values (p_type, p_assignment_ids, p_member_ids, p_run_id, p_policy_version);
         return true;
         if p_assignment_ids is null and`,
      );
      await changeFunction(sql, "address_messages", "begin\n", "begin\n  perform public.write_later();\n");
    },
  },
  {
    name: "a statement is told of by its first assignment",
    isExtra: true,
    caughtBy: ["webhooks", "everyday"],
    breaks: "each assignment that was made or ended is told of, once",
    database: (sql) =>
      changeFunction(sql, "announce", "group by (i.place - 1) / 500", "where i.place = 1 group by true"),
  },
  {
    name: "a delivery counts before the answer",
    caughtBy: ["webhooks", "everyday"],
    breaks: "what counts as delivered was accepted",
    async database(sql) {
      await changeFunction(
        sql,
        "take_deliveries",
        "next_attempt_at = now() + interval '2 minutes'",
        "status = 'delivered', ended_at = now(), next_attempt_at = null",
      );
    },
  },
  {
    name: "each attempt has a new id",
    caughtBy: ["webhooks", "everyday"],
    breaks: "every attempt carries the message's id, and tells what the message tells of",
    database: (sql) =>
      changeFunction(
        sql,
        "take_deliveries",
        "select d.message_id, assignment.render",
        "select gen_random_uuid(), assignment.render",
      ),
  },
  {
    name: "messages are ordered by their ids alone",
    caughtBy: ["webhooks", "everyday"],
    breaks: "no message appears behind a cursor",
    async database(sql) {
      await changeFunction(
        sql,
        "read_events",
        "(m.xid, m.id) > (v_after_xid, v_after_id)",
        "m.id > v_after_id",
      );
      await changeFunction(
        sql,
        "read_events",
        "and m.xid < v_horizon\n      and m.is_test_for is null",
        "and m.is_test_for is null",
      );
      await changeFunction(
        sql,
        "read_events",
        "order by m.xid, m.id\n    limit p_limit",
        "order by m.id\n    limit p_limit",
      );
      await changeFunction(sql, "read_events", "order by 1, 2;", "order by 2;");
    },
  },
  {
    name: "messages overtake those of older transactions",
    isExtra: true,
    caughtBy: ["webhooks", "everyday"],
    breaks: "no message appears behind a cursor",
    database: (sql) =>
      changeFunction(
        sql,
        "read_events",
        "pg_snapshot_xmin(pg_current_snapshot())",
        "pg_snapshot_xmax(pg_current_snapshot())",
      ),
  },
  {
    name: "messages that came meanwhile count as addressed",
    isExtra: true,
    caughtBy: ["webhooks", "everyday"],
    breaks: "each message is for each endpoint that wants it, and for no other",
    database: (sql) =>
      changeFunction(
        sql,
        "address_messages",
        "update assignment.outbox set is_addressed = true where id = any (v_ids)",
        "perform pg_sleep(0.02); update assignment.outbox set is_addressed = true where not is_addressed",
      ),
  },
  {
    name: "a failed attempt is never due again",
    caughtBy: ["webhooks", "everyday"],
    breaks: "nothing is given up before its last attempt",
    async database(sql) {
      await changeFunction(
        sql,
        "record_deliveries",
        "when r.retry_in_ms is null then 'failed'",
        "when true then 'failed'",
      );
      await changeFunction(
        sql,
        "record_deliveries",
        "when r.outcome = 'failed' and r.retry_in_ms is not null then",
        "when false then",
      );
      await changeFunction(
        sql,
        "record_deliveries",
        "when r.outcome <> 'failed' or r.retry_in_ms is null then now()",
        "when true then now()",
      );
    },
  },
  {
    name: "an assignment fails with the outbox",
    caughtBy: ["webhooks"],
    breaks: "each member has exactly one of assignment, failure, ended assignment",
    async database(sql) {
      await changeFunction(
        sql,
        "announce",
        "exception when others or assert_failure then\n",
        "exception when others or assert_failure then\n  raise;\n",
      );
      const triggerFunctions = ["tg_trainer_client_assignments__announce", "tg_failures__announce"];
      for (const name of triggerFunctions) {
        await changeFunction(
          sql,
          name,
          "exception when others or assert_failure then\n",
          "exception when others or assert_failure then\n  raise;\n",
        );
      }
    },
  },
  {
    name: "what the outbox refused is forgotten",
    isExtra: true,
    caughtBy: ["webhooks"],
    breaks: "each assignment that was made or ended is told of, once",
    database: (sql) =>
      changeFunction(
        sql,
        "announce",
        "exception when others or assert_failure then\n  begin",
        "exception when others or assert_failure then\n  return false;\n  begin",
      ),
  },
];
