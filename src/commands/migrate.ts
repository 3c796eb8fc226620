import { parseConfig } from "../config.ts";
import { closeDatabase, openDatabase } from "../database/connection.ts";
import { migrateDown, migrateUp, migrationStatus } from "../database/migrate.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { openCommandServer } from "./open_database.ts";

/** Brings the database to the newest state, or takes migrations back. */
export const migrate: Command = {
  usage: "[up | down [--all] | status]",
  summary: "bring the database up to date; down takes the newest migration back",
  async run(context) {
    const action = parseAction(context.args);
    const server = await openCommandServer(parseConfig(context.environment), "task");
    try {
      await action(server.url, context.print);
      return 0;
    } finally {
      await server.close();
    }
  },
};

type Action = (databaseUrl: string, print: CommandContext["print"]) => Promise<void>;

function parseAction(args: readonly string[]): Action {
  switch (args.join(" ")) {
    case "":
    case "up":
      return async (databaseUrl, print) => report(await migrateUp(databaseUrl), "applied", print);
    case "down":
      return async (databaseUrl, print) =>
        report(await migrateDown(databaseUrl, { all: false }), "taken back", print);
    case "down --all":
      return async (databaseUrl, print) =>
        report(await migrateDown(databaseUrl, { all: true }), "taken back", print);
    case "status":
      return printStatus;
    default:
      throw new UsageError("migrate takes up, down, down --all or status");
  }
}

function report(versions: string[], what: string, print: CommandContext["print"]): void {
  for (const version of versions) print(`${what}: ${version}`);
  if (versions.length === 0) print("nothing to do");
}

const printStatus: Action = async (databaseUrl, print) => {
  const sql = openDatabase(databaseUrl, { max: 1, applicationName: "trainer-assignment migrate" });
  try {
    for (const { file, applied } of await migrationStatus(sql)) {
      print(`${applied ? "applied" : "pending"}  ${file}`);
    }
  } finally {
    await closeDatabase(sql);
  }
};
