import type { KnownBug } from "./planted_bug.ts";

/** Mistakes in the service, each of which somebody could make, and the experiment with hostile callers that must notice. */
export const hostileBugs: readonly KnownBug[] = [
  {
    name: "any Host is taken",
    caughtBy: ["malformed"],
    sources: [{ file: "src/service.ts", from: ", refuseOddHosts", to: "" }],
  },
  {
    name: "a body that breaks off is our fault",
    caughtBy: ["malformed"],
    sources: [{
      file: "src/http/error_handler.ts",
      from: "if (isBrokenBody(error))",
      to: "if (!isBrokenBody)",
    }],
  },
  {
    name: "a pattern that backtracks",
    caughtBy: ["long_strings"],
    sources: [{
      file: "src/http/observe.ts",
      from: "const SANE_REQUEST_ID = /^[\\w.=-]{1,64}$/;",
      to: "const SANE_REQUEST_ID = /^([\\w.=-]+)+$/;",
    }],
  },
  {
    name: "the log escapes nothing",
    caughtBy: ["poisoned_logs"],
    sources: [{ file: "src/telemetry/log.ts", from: "write(escapeControls(", to: "write(String(" }],
  },
  {
    name: "a stream keeps its place",
    caughtBy: ["crowds"],
    sources: [{ file: "src/http/run_events.ts", from: "      giveBackSlot();", to: "" }],
  },
  {
    name: "the listener is lost for good",
    caughtBy: ["crowds"],
    sources: [{ file: "src/http/listener.ts", from: "      reopen();\n    });", to: "    });" }],
  },
  {
    name: "the start tells the database's address",
    caughtBy: ["canaries"],
    sources: [{
      file: "src/commands/start.ts",
      from: 'log.info({ address }, "listening")',
      to: 'log.info({ address, url: database.url }, "listening")',
    }],
  },
  {
    name: "every request is remembered",
    caughtBy: ["malformed"],
    sources: [{
      file: "src/http/observe.ts",
      from: '    c.set("requestId", requestId);',
      to: '    c.set("requestId", requestId);\n    kept.push(new Array(40_000).fill(startedAt));',
    }, {
      file: "src/http/observe.ts",
      from: "const SLOW_MS = 1000;",
      to: "const SLOW_MS = 1000;\nconst kept: number[][] = [];",
    }],
  },
  {
    name: "every request leaves a file open",
    caughtBy: ["soak"],
    sources: [{
      file: "src/http/observe.ts",
      from: '    c.set("requestId", requestId);',
      to: '    c.set("requestId", requestId);\n    Deno.openSync("deno.json");',
    }],
  },
];
