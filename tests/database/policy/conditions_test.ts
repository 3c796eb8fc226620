/** What each operator says of columns of each type: a table of types, of members' values, and of who matches. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import type { Condition } from "../../../src/policy/condition.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { findProblems, policyOf } from "../../support/policies.ts";
import { NUMBER_AND_TIME_COLUMNS } from "./column_types/numbers_and_times.ts";
import { OTHER_COLUMNS } from "./column_types/structures.ts";
import { TEXT_COLUMNS } from "./column_types/texts.ts";

const COLUMNS = [...TEXT_COLUMNS, ...NUMBER_AND_TIME_COLUMNS, ...OTHER_COLUMNS];

for (const { type, column = "value", prepare = "", values, matches, problems = [] } of COLUMNS) {
  describe(`a condition on a column of type ${type}`, () => {
    let database: TestDatabase;
    let sql: Sql;
    beforeAll(async () => {
      database = await testDatabase();
      sql = database.sql;
      await sql.unsafe(`delete from public.members; ${prepare}`);
      if (!prepare.includes("add column")) {
        await sql.unsafe(`alter table public.members add column "${column.replaceAll('"', '""')}" ${type}`);
      }
      const names = Object.keys(values).map((name) => `('${name}', ${values[name]})`);
      const into = column === "value" && prepare.includes("generated") ? "source" : column;
      await sql.unsafe(
        `insert into public.members (display_name, "${into.replaceAll('"', '""')}") values ${
          names.join(", ")
        }`,
      );
    });
    afterAll(() => database.drop());

    for (const [op, value, expected, path = ""] of matches) {
      it(`${path} ${op} ${describeValue(value)} matches: ${expected.join(", ") || "nobody"}`, async () => {
        const when = leafOf(`${column}${path}`, op, value);
        assertEquals(await findProblems(sql, when), []);
        assertEquals(await findMatched(sql, when), expected.toSorted());
      });
    }

    for (const [op, value, step, detail, path = ""] of problems) {
      it(`${path} ${op} ${describeValue(value)} is refused`, async () => {
        assertEquals(await findProblems(sql, leafOf(`${column}${path}`, op, value)), [
          { pointer: `/rules/0/when${step}`, detail },
        ]);
      });
    }
  });
}

describe("a condition", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe(`
      delete from public.members;
      alter table public.members add column plan text, add column seats integer;
      insert into public.members (display_name, plan, seats) values
        ('both', 'pro', 5), ('plan', 'pro', null), ('seats', 'basic', 5), ('none', null, null);
    `);
  });
  afterAll(() => database.drop());

  const pro: Condition = { field: "plan", op: "eq", value: "pro" };
  const five: Condition = { field: "seats", op: "eq", value: 5 };

  for (
    const [what, when, expected] of [
      ["all needs each of them", { all: [pro, five] }, ["both"]],
      ["any needs one of them", { any: [pro, five] }, ["both", "plan", "seats"]],
      ["not takes whom it does not match, absent fields too", { not: pro }, ["none", "seats"]],
      ["not of all", { not: { all: [pro, five] } }, ["none", "plan", "seats"]],
      ["not of any", { not: { any: [pro, five] } }, ["none"]],
      ["not of not", { not: { not: pro } }, ["both", "plan"]],
      ["not of missing", { not: { field: "plan", op: "missing" } }, ["both", "plan", "seats"]],
    ] as [string, Condition, string[]][]
  ) {
    it(`${what}`, async () => assertEquals(await findMatched(sql, when), expected));
  }
});

function leafOf(field: string, op: string, value: unknown): Condition {
  return { field, op, ...(value === undefined ? {} : { value }) } as Condition;
}

function describeValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The display names of the members whom a condition matches. */
async function findMatched(sql: Sql, when: Condition): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select m.member_rows[i] ->> 'display_name' as name
    from assignment.read_members(array(select id from public.members)) as m
    cross join assignment.match_rules(
      array(select r from assignment.compile_rules(${
    sql.json(policyOf(when) as never)
  }, 0) as r), m.member_rows
    ) as matched
    cross join unnest(matched.matched) as i
  `;
  return rows.map(({ name }) => name).toSorted();
}
