/** Sends one message to the URL given, private or not, and prints what came of it. */
import { createSender } from "../../src/webhooks/send.ts";

const [url = ""] = Deno.args;
const sender = createSender({ allowPrivate: true });
const outcome = await sender.post({ url, headers: {}, body: "{}" }, new AbortController().signal);
console.log(JSON.stringify(outcome));
sender.close();
