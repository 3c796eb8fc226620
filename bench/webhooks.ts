import { createEndpoint } from "../src/webhooks/endpoints.ts";
import { createKey, seal } from "../src/webhooks/key.ts";
import { createSecret } from "../src/webhooks/sign.ts";
import { SIGN_UP, signUpRate } from "./signup.ts";
import { type Child, startChild } from "./support/child.ts";
import { type Claim, inform, judge } from "./support/claim.ts";
import { addMembers } from "./support/data.ts";
import { residentMb, watchMemory } from "./support/memory.ts";
import { alternate } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService } from "./support/service.ts";
import { quantile, ratios } from "./support/statistics.ts";

const REFUSED = ["http://127.0.0.1:9", "http://127.0.0.1:13", "http://127.0.0.1:17"];
const GOOD = 5;
const SIGNUP_EVERY_MS = 5;

interface Stats {
  received: number;
  firstAt: number;
  lastAt: number;
  waits: number[];
}

/** What messages cost those who cause them, and how fast they reach those who want them. */
export const webhooks: Claim = {
  name: "webhooks",
  summary: "messages to one receiver; ten endpoints of which five are down or slow; what a signup pays",
  async run({ server, isFull, say }) {
    const key = createKey();
    const keys = [Uint8Array.fromBase64(key)];
    const figures = [];

    say("signups with and without somebody who wants to hear of them, 1 client, alternating");
    const priced = await server.createDatabase();
    await addMembers(priced.sql, 10_000);
    const { id } = await createEndpoint(priced.sql, {
      id: crypto.randomUUID(),
      types: ["assignments.created"],
    }, "bench");
    const wish = (enabled: boolean) => async () => {
      await priced.sql`select assignment.put_endpoint(${id}, ${
        JSON.stringify({ enabled })
      }::text::jsonb, 'bench')`;
      await priced.settle();
    };
    const seconds = isFull ? 10 : 3;
    const rate = await alternate(isFull ? 7 : 3, [
      { name: "without", prepare: wish(false), run: () => signUpRate(priced, SIGN_UP, 1, seconds) },
      { name: "with", prepare: wish(true), run: () => signUpRate(priced, SIGN_UP, 1, seconds) },
    ]);
    figures.push(inform("signup with a message / without, rate", "", ratios(rate("with"), rate("without"))));
    await priced.drop();

    const messages = isFull ? 100_000 : 10_000;
    say(`${messages.toLocaleString("en")} messages to one receiver`);
    const busy = await server.createDatabase();
    const receiver = await startReceiver();
    await addEndpoint(busy, keys, `${receiver.url}/`);
    await busy.sql`
      insert into assignment.outbox (type, policy_version)
      select 'policy.changed', 1 from generate_series(1, ${messages}::integer)
    `;
    await busy.sql`analyze`;
    const service = await startWithKey(busy, key);
    const idleMb = residentMb(service.pid);
    const memory = watchMemory(service.pid);
    let stats = await readStats(receiver);
    while (stats.received < messages) stats = await after(200, () => readStats(receiver));
    figures.push(
      judge("messages a second to one receiver", "", [
        (stats.received - 1) / (stats.lastAt - stats.firstAt) * 1000,
      ], { atLeast: 2000 }),
      inform("service's resident memory above idle", " MB", [memory.most() - idleMb]),
    );
    await service.stop();
    await receiver.stop();
    await busy.drop();

    say(`ten endpoints: ${REFUSED.length} down, one that answers in 14 s, one that drips, ${GOOD} good ones`);
    const mixed = await server.createDatabase();
    const good = await Promise.all(Array.from({ length: GOOD }, startReceiver));
    const bad = await startReceiver();
    for (const { url } of good) await addEndpoint(mixed, keys, `${url}/`);
    for (const url of [...REFUSED, `${bad.url}/slow`, `${bad.url}/drip`]) await addEndpoint(mixed, keys, url);
    const served = await startWithKey(mixed, key);
    const until = performance.now() + (isFull ? 60_000 : 20_000);
    while (performance.now() < until) {
      await mixed.sql`insert into public.members default values`;
      await new Promise((later) => setTimeout(later, SIGNUP_EVERY_MS));
    }
    await new Promise((later) => setTimeout(later, 2000));
    const waits = (await Promise.all(good.map(readStats))).flatMap((one) => one.waits);
    figures.push(
      judge("p99 from a signup to the good receivers", " ms", [quantile(waits, 0.99)], { atMost: 1000 }),
      inform("messages to the good receivers", "", [waits.length]),
    );
    await served.stop();
    for (const child of [...good, bad]) await child.stop();
    await mixed.drop();
    return figures;
  },
};

async function startReceiver(): Promise<Child> {
  return await startChild("node", ["receiver.js"], { cwd: `${import.meta.dirname}/peers`, environment: {} });
}

async function startWithKey({ url }: BenchDatabase, key: string): Promise<Child> {
  return await startService(url, { WEBHOOK_KEY: key, WEBHOOK_ALLOW_PRIVATE: "true" });
}

async function addEndpoint({ sql }: BenchDatabase, keys: Uint8Array[], url: string): Promise<void> {
  const id = crypto.randomUUID();
  const secret = await seal(keys, id, createSecret());
  await createEndpoint(sql, { id, url, types: ["assignments.created", "policy.changed"], secret }, "bench");
}

async function readStats({ url }: Child): Promise<Stats> {
  return await (await fetch(`${url}/stats`)).json();
}

async function after<T>(ms: number, work: () => Promise<T>): Promise<T> {
  await new Promise((later) => setTimeout(later, ms));
  return await work();
}
