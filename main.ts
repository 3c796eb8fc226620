import { awaitLostAncestor } from "./src/commands/ancestors.ts";
import { runCommand } from "./src/commands/command_line.ts";
import "./src/commands/resolved_packages.ts";

// One Ctrl-C arrives twice: from the terminal, and passed on by `deno task`. Only a later one means "at once".
const REPEAT_AFTER_MS = 1000;

const stop = new AbortController();
let stoppedAt = 0;
for (const signal of stopSignals()) Deno.addSignalListener(signal, onStopSignal);
if (Deno.env.get("npm_command") === "exec") {
  awaitLostAncestor(stop.signal).then((isLost) => isLost && stop.abort());
}
Deno.exit(await runCommand(Deno.args, Deno.env.toObject(), stop.signal));

function onStopSignal(): void {
  if (!stop.signal.aborted) {
    stoppedAt = Date.now();
    stop.abort();
  } else if (Date.now() - stoppedAt > REPEAT_AFTER_MS) {
    Deno.exit(130);
  }
}

function stopSignals(): Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
}
