import type { KnownBug } from "./planted_bug.ts";

/** Mistakes in how the service holds its connections. */
export const networkBugs: readonly KnownBug[] = [
  {
    name: "a lost connection is kept",
    caughtBy: ["network"],
    sources: [{
      file: "src/database/driver/dead_connections.ts",
      from: "socket.destroy();",
      to: "void socket;",
    }],
  },
  {
    name: "the driver makes its sockets itself",
    caughtBy: ["network"],
    sources: [{ file: "src/database/connection.ts", from: "...{ socket },", to: "" }],
  },
];
