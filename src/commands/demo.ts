import { parseConfig } from "../config.ts";
import { addDemoMembers, countMembersWithoutTrainer, isOwnMembersTable } from "./demo_members.ts";
import { OperatorError } from "../errors.ts";
import { type Command, UsageError } from "./command.ts";
import { openCommandDatabase } from "./open_database.ts";

/** Adds members that predate the trigger, so that there is something to backfill. */
export const demo: Command = {
  usage: "[COUNT]",
  summary: "add COUNT (1000) invented members that have no trainer yet",
  async run({ args, environment, print }) {
    const count = parseCount(args);
    const database = await openCommandDatabase(parseConfig(environment));
    try {
      if (!await isOwnMembersTable(database.sql)) {
        throw new OperatorError(
          "public.members is an application's own table: demo adds no invented members to it",
        );
      }
      await addDemoMembers(database.sql, count);
      const lacking = await countMembersWithoutTrainer(database.sql);
      print(
        `Added ${count.toLocaleString("en")} member(s). Without a trainer now: ${
          lacking.toLocaleString("en")
        }.`,
      );
      print("Give them one with `deno task backfill`, or POST /v1/backfills.");
      return 0;
    } finally {
      await database.close();
    }
  },
};

function parseCount([count = "1000", ...rest]: readonly string[]): number {
  if (!/^[1-9]\d{0,6}$/.test(count) || Number(count) > 1_000_000 || rest.length > 0) {
    throw new UsageError("COUNT is a whole number from 1 to 1000000");
  }
  return Number(count);
}
