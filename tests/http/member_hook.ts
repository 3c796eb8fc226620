import { assertEquals } from "@std/assert";
import { Contract } from "./contract.ts";
import { eventRequest, type SentEvent, testHook } from "../support/member_events.ts";
import { type TestService, testService } from "./test_service.ts";

/** Where events of members are sent to. */
export const MEMBER_HOOK = "/v1/hooks/members";

const contracts = new WeakMap<TestService, Contract>();

/** Sends an event; what is answered, which must be as the API's description has it. */
export async function sendEvent(to: TestService, event: SentEvent) {
  const response = await to.app.request(MEMBER_HOOK, eventRequest(event));
  const contract = contracts.get(to) ?? new Contract(await (await to.app.request("/openapi.json")).json());
  contracts.set(to, contract);
  assertEquals(await contract.deviation("POST", MEMBER_HOOK, response), undefined);
  return { status: response.status, headers: response.headers, ...await response.json() };
}

/** Reads what the database has of a member. */
export async function readMember(service: TestService, id: string) {
  const [row] = await service.sql<
    { email: string | null; displayName: string | null; trainers: string[] }[]
  >`
    select
      email,
      display_name,
      array(select trainer_id from public.trainer_client_assignments where client_id = m.id and status = 'active') as trainers
    from public.members m
    where id = ${id}
  `;
  return row;
}

/** A service that takes events. */
export interface MemberHookService extends TestService {
  /** Sends it an event, as {@link sendEvent} does. */
  send(event: SentEvent): ReturnType<typeof sendEvent>;
  /** Reads what its database has of a member. */
  member(id: string): ReturnType<typeof readMember>;
  /** Removes the failures and the lines of the log that former tests left. */
  forget(): Promise<void>;
}

/** A service that takes events, with members whose e-mail addresses are unique. */
export async function memberHookService(): Promise<MemberHookService> {
  const service = await testService({ memberHook: testHook() });
  await service.sql`create unique index members_email_key on public.members (lower(email))`;
  return Object.assign(service, {
    send: (event: SentEvent) => sendEvent(service, event),
    member: (id: string) => readMember(service, id),
    async forget() {
      service.logged.length = 0;
      await service.sql`truncate assignment.member_hook_failures`;
    },
  });
}
