import { startTestServer } from "./tests/support/servers.ts";
const s = await startTestServer(Deno.args[0] as "18");
console.log(s.url, s.folder);
await new Promise<void>((r) => Deno.addSignalListener("SIGTERM", () => r()));
await s.remove();
