import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  ApiError,
  createClient,
  type FollowedMessage,
  type TrainerAssignmentClient,
} from "trainer-assignment-client";
import { createEndpoint } from "../../src/webhooks/endpoints.ts";
import { addressMessages } from "../../src/webhooks/queue.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "../http/test_service.ts";
import { newId } from "../support/assignments.ts";

type Messages = AsyncGenerator<FollowedMessage>;

/** The members of the next message. */
async function nextMembers(messages: Messages): Promise<{ members: unknown; cursor: string }> {
  const { value } = await messages.next();
  const { assignments } = value.message.data;
  return {
    members: assignments.map(({ memberId }: { memberId: string }) => memberId),
    cursor: value.cursor,
  };
}

describe("the client, following messages", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  let client: TrainerAssignmentClient;
  beforeAll(async () => {
    service = await testService();
    server = await serveOnSocket(service.app);
    client = createClient({ baseUrl: server.url, token: TOKENS.service });
    const types = ["assignments.created", "assignments.ended"] as const;
    await createEndpoint(service.sql, { id: newId(), types: [...types] }, "ops");
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  it("yields what is kept and what comes, and goes on from a stored cursor", async () => {
    const { next: after } = await client.listEvents({ limit: 1000 });
    const one = await addMembers(service.sql, 1);
    const messages = client.followEvents({ after });
    const first = await nextMembers(messages);
    const two = await addMembers(service.sql, 2);
    const second = await nextMembers(messages);
    assertEquals([first.members, second.members], [one, two]);
    await messages.return(undefined);

    const resumed = client.followEvents({ after: first.cursor });
    assertEquals(await nextMembers(resumed), second);
    await resumed.return(undefined);
    const fromTheBeginning = client.followEvents({ after: undefined });
    assertEquals(await nextMembers(fromTheBeginning), first);
    await fromTheBeginning.return(undefined);
  });

  it("yields the wanted types alone", async () => {
    const { next: after } = await client.listEvents({ limit: 1000 });
    const admin = createClient({ baseUrl: server.url, token: TOKENS.admin });
    const [memberId = "", trainerId = ""] = await addMembers(service.sql, 2);
    await admin.assignClient({ trainerId, memberId });
    await admin.endAssignment({ trainerId, memberId });
    const messages = client.followEvents({ after, types: "assignments.ended" });
    assertEquals((await nextMembers(messages)).members, [memberId]);
    await messages.return(undefined);
  });

  it("goes on past a server that goes away: each message once", async () => {
    const { next: after } = await client.listEvents({ limit: 1000 });
    const first = await serveOnSocket(service.app);
    let url = first.url;
    const redirected: typeof fetch = (input, init) => fetch(String(input).replace(first.url, url), init);
    const follower = createClient({ baseUrl: first.url, token: TOKENS.service, fetch: redirected });
    const expected = [await addMembers(service.sql, 1), await addMembers(service.sql, 1)];
    const messages = follower.followEvents({ after });
    const seen = [(await nextMembers(messages)).members];
    url = server.url;
    await first.stop();
    expected.push(await addMembers(service.sql, 1));
    for (let count = 1; count < 3; count++) seen.push((await nextMembers(messages)).members);
    assertEquals(seen, expected);
    await messages.return(undefined);
  });

  it("reconnects at the place that a heartbeat named, and gives up when nothing comes any more", async () => {
    const asked: (string | null)[] = [];
    const texts = [": heartbeat\nid: moved\n\n"];
    const quiet = createClient({
      baseUrl: server.url,
      token: TOKENS.service,
      maxTries: 2,
      fetch(_, init) {
        asked.push(new Headers(init?.headers).get("Last-Event-ID"));
        const headers = { "Content-Type": "text/event-stream" };
        return Promise.resolve(new Response(texts.shift() ?? "", { headers }));
      },
    });
    await assertRejects(() => quiet.followEvents().next(), Error, "the stream of events broke off");
    assertEquals(asked, [null, "moved", "moved"]);
  });

  it("ends with its signal while it waits", async () => {
    const { next: after } = await client.listEvents({ limit: 1000 });
    const stop = new AbortController();
    const reason = new Error("no longer needed");
    const messages = client.followEvents({ after }, { signal: stop.signal });
    await addMembers(service.sql, 1);
    await messages.next();
    const next = messages.next();
    stop.abort(reason);
    assertEquals(await assertRejects(() => next), reason);
  });

  it("throws when messages after the cursor are gone, and when the cursor is none", async () => {
    const { next: after } = await client.listEvents({ limit: 1 });
    await addMembers(service.sql, 2);
    await addressMessages(service.sql);
    await service.sql`update assignment.outbox set at = now() - interval '8 days'`;
    await service.sql`select assignment.tend_outbox()`;
    const expired = await assertRejects(() => client.followEvents({ after }).next(), ApiError);
    assertEquals([expired.status, expired.code], [410, "cursor_expired"]);
    const invalid = await assertRejects(() => client.followEvents({ after: "…" }).next(), ApiError);
    assertEquals(invalid.code, "invalid_cursor");
  });
});
