import { changeFunction, type KnownBug } from "./planted_bug.ts";

/** Mistakes in how the policy is followed. */
export const policyBugs: readonly KnownBug[] = [
  {
    name: "a seat is taken twice",
    caughtBy: ["by_rules"],
    async database(sql) {
      await changeFunction(sql, "claim_seats", "for update skip locked", "");
      await changeFunction(sql, "claim_seats", "from taken t group by", "from free t group by");
    },
  },
  {
    name: "a seat is never given back",
    caughtBy: ["by_rules", "kills"],
    database: (sql) =>
      changeFunction(sql, "give_back_seats", "generate_series(1, g.seats", "generate_series(2, g.seats"),
  },
  {
    name: "a rule is skipped",
    caughtBy: ["by_rules", "kills"],
    database: (sql) =>
      changeFunction(
        sql,
        "match_rules",
        "unbounded preceding and 1 preceding",
        "unbounded preceding and current row",
      ),
  },
  {
    name: "an ended pair is revived",
    caughtBy: ["by_rules"],
    database: (sql) =>
      changeFunction(sql, "find_met", "group by w.index", "where a.status = 'active' group by w.index"),
  },
  {
    name: "the wrong version is recorded",
    caughtBy: ["by_rules"],
    database: (sql) =>
      changeFunction(
        sql,
        "assign_members",
        "p_request.policy_version,",
        "case when p_request.policy_version is not null then (select max(version) from assignment.policies) end,",
      ),
  },
];
