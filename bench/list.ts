import { writeCursor } from "../src/http/paging.ts";
import { DEFAULT_TRAINER_ID } from "../src/trainer_assignment.ts";
import type { Child } from "./support/child.ts";
import { type Claim, inform, judge, withProcessor } from "./support/claim.ts";
import { createAssignedDatabase } from "./support/data.ts";
import { findLoadGenerator, putLoad } from "./support/load.ts";
import { measureProcessor, type ProcessorUs } from "./support/processor.ts";
import { installPeers, startPeer } from "./support/peers.ts";
import { alternate } from "./support/rounds.ts";
import type { BenchDatabase } from "./support/server.ts";
import { startService } from "./support/service.ts";
import { ratios } from "./support/statistics.ts";

const PAGE = 100;
const CONNECTIONS = 8;
const LIST = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;

/** A trainer's clients: the first page and one at nine tenths of the list, against Fastify + pg with the same keys. */
export const list: Claim = {
  name: "list",
  summary: "list, page 1 and page 9,000 of a trainer with 1,000,000 clients, against Fastify + pg",
  async run({ server, isFull, say }) {
    await installPeers();
    const members = isFull ? 1_000_000 : 100_000;
    const database = await createAssignedDatabase(server, members);
    const service = await startService(database.url);
    const fastify = await startPeer("fastify", database.url);
    const generator = await findLoadGenerator();
    const farPage = await pathOfPage(database, members * 0.9 / PAGE);
    const seconds = isFull ? 10 : 3;
    const put = (url: string, path: string, seconds: number) =>
      putLoad(generator, { url, paths: [path], connections: CONNECTIONS, seconds });
    for (const { url } of [service, fastify]) await put(url, LIST, 3);

    say(`pages of ${PAGE}, ${CONNECTIONS} connections by ${generator}, alternating, ${seconds} s each`);
    const processor = { first: [] as ProcessorUs[], far: [] as ProcessorUs[], fastify: [] as ProcessorUs[] };
    const contender = <Name extends keyof typeof processor>(
      name: Name,
      { url, pid }: Child,
      path: string,
    ) => ({
      name,
      async run() {
        const { result, us } = await measureProcessor(
          { service: pid, database: server.pid },
          () => put(url, path, seconds),
          ({ requests }) => requests,
        );
        processor[name].push(us);
        return result.requestsPerSecond;
      },
    });
    const rate = await alternate(isFull ? 5 : 3, [
      contender("first", service, LIST),
      contender("far", service, farPage),
      contender("fastify", fastify, LIST),
    ]);
    await service.stop();
    await fastify.stop();
    await database.drop();
    const far = (members * 0.9 / PAGE).toLocaleString("en");
    return [
      withProcessor(
        judge(`time of page ${far} / page 1`, "", ratios(rate("first"), rate("far")), { atMost: 1.1 }),
        processor.far,
        processor.first,
      ),
      withProcessor(
        judge("rate / Fastify + pg, page 1", " ×", ratios(rate("first"), rate("fastify")), { atLeast: 1.5 }),
        processor.first,
        processor.fastify,
      ),
      inform("page 1", " pages/s", rate("first")),
      inform(`page ${far}`, " pages/s", rate("far")),
      inform("Fastify + pg, page 1", " pages/s", rate("fastify")),
    ];
  },
};

/** The path of a page in the middle of the list, with the cursor that the page before it would have given. */
export async function pathOfPage({ sql }: BenchDatabase, page: number): Promise<string> {
  const [last] = await sql<[{ id: string }]>`
    select id
    from public.trainer_client_assignments
    where trainer_id = ${DEFAULT_TRAINER_ID} and status = 'active'
    order by id
    limit 1
    offset ${Math.floor((page - 1) * PAGE) - 1}
  `;
  return `${LIST}?cursor=${writeCursor(`clients/${DEFAULT_TRAINER_ID}/active`, last.id)}`;
}
