import { parseConfig } from "../config.ts";
import { closeDatabase, openDatabase } from "../database/connection.ts";
import { migrateDown, migrateUp, migrationStatus } from "../database/migrate.ts";
import type { MigrationLockOptions } from "../database/migration_lock.ts";
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
      await action(server.url, context);
      return 0;
    } finally {
      await server.close();
    }
  },
};

type Action = (databaseUrl: string, context: CommandContext) => Promise<void>;

function parseAction(args: readonly string[]): Action {
  switch (args.join(" ")) {
    case "":
    case "up":
      return async (databaseUrl, context) =>
        report(await migrateUp(databaseUrl, waitingFor(context)), "applied", context);
    case "down":
      return async (databaseUrl, context) =>
        report(await migrateDown(databaseUrl, { all: false, ...waitingFor(context) }), "taken back", context);
    case "down --all":
      return async (databaseUrl, context) =>
        report(await migrateDown(databaseUrl, { all: true, ...waitingFor(context) }), "taken back", context);
    case "status":
      return printStatus;
    default:
      throw new UsageError("migrate takes up, down, down --all or status");
  }
}

function waitingFor({ print, signal }: CommandContext): MigrationLockOptions {
  return { signal, onWait: (holder) => print(`waiting for another migration: ${holder}`) };
}

function report(versions: string[], what: string, { print }: CommandContext): void {
  for (const version of versions) print(`${what}: ${version}`);
  if (versions.length === 0) print("nothing to do");
}

const printStatus: Action = async (databaseUrl, { print }) => {
  const sql = openDatabase(databaseUrl, { max: 1, applicationName: "trainer-assignment migrate" });
  try {
    for (const { file, applied } of await migrationStatus(sql)) {
      print(`${applied ? "applied" : "pending"}  ${file}`);
    }
  } finally {
    await closeDatabase(sql);
  }
};
