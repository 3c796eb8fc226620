import type { Sql } from "../src/database/sql.ts";
import { type Claim, type Figure, inform, judge } from "./support/claim.ts";
import { callService, startService } from "./support/service.ts";
import type { Child } from "./support/child.ts";

/** What people type: a rare name, a part of an e-mail, a frequent part, a short one, an id's beginning, nothing. */
const TEXTS = {
  "a rare name": "Renate Quandt",
  "a part of an e-mail": "77777@ex",
  "a part of every e-mail": "example.com",
  "a frequent first name": "anna",
  "two letters": "zu",
  "the beginning of an id": "4711abcd",
  "what nobody has": "nobody at all",
};

/** The search for members by name over HTTP, with and without trigram indexes. */
export const search: Claim = {
  name: "search",
  summary: "search by a part of a name or e-mail among 1,000,000 members, with trigram indexes and without",
  async run({ server, isFull, say }) {
    const members = isFull ? 1_000_000 : 100_000;
    const database = await server.createDatabase();
    await addNamedMembers(database.sql, members);
    const service = await startService(database.url);
    const rounds = isFull ? 15 : 5;
    say(`${members.toLocaleString("en")} members, each text ${rounds} times`);
    const without = await measure(service, "without an index", rounds);
    say("creating the indexes");
    await database.sql`create extension pg_trgm`;
    await database.sql`
      create index members_search on public.members using gin (display_name gin_trgm_ops, email gin_trgm_ops)
    `;
    await database.sql`vacuum (analyze) public.members`;
    const indexed = await measure(service, "with the index", rounds);
    await service.stop();
    await database.drop();
    return [...indexed, ...without];
  },
};

async function measure(service: Child, how: string, rounds: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  const all: number[] = [];
  for (const [what, text] of Object.entries(TEXTS)) {
    const times: number[] = [];
    const path = `/v1/members?search=${encodeURIComponent(text)}`;
    await callService(service, "GET", path); // warms the connection and its plans
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      await callService(service, "GET", path);
      times.push(performance.now() - began);
    }
    figures.push(inform(`${what}, ${how}`, " ms", times));
    all.push(...times);
  }
  return [judge(`longest, ${how}`, " ms", [Math.max(...all)], { atMost: 200 }), ...figures];
}

/** Adds members with names and e-mails past the trigger: 400 first names, 5,000 last names, one rare one. */
async function addNamedMembers(sql: Sql, count: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into public.members (email, display_name)
      select
        'member' || n || '@example.com',
        case n
          when ${count} then 'Renate Quandt'
          else initcap(case when n % 400 = 7 then 'anna' else translate(left(md5((n % 400)::text), 6), '0123456789', 'aeiounrslt') end)
            || ' ' || initcap(translate(left(md5((n % 4999)::text), 9), '0123456789', 'aeiounrslt'))
        end
      from generate_series(1, ${count}::integer) as n
    `;
  });
  await sql`vacuum (analyze) public.members`;
}
