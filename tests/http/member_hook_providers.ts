import { assertEquals } from "@std/assert";
import { DEFAULT_TRAINER_ID, isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { eventRequest, type SentEvent, testHook } from "../support/member_events.ts";
import { MEMBER_HOOK } from "./member_hook.ts";
import { type TestService, testService } from "./test_service.ts";

/** What a provider's configuration does with an event of it: taken twice, then with another signature. */
export interface Taken {
  first: string;
  again: string;
  forged: number;
  member: { id: string; email: string | null; name: string | null };
}

/** Services, each with the configuration of a provider. */
export interface ProviderServices {
  /** Starts a service of this configuration, and sends it the event twice and the forged one. */
  take(environment: Record<string, string>, event: SentEvent, forged: SentEvent): Promise<Taken>;
  /** Sends another event to the service that was started last. */
  sendAgain(event: SentEvent): Promise<Response | undefined>;
  stop(): Promise<void>;
}

export function providerServices(): ProviderServices {
  const services: TestService[] = [];
  return {
    async take(environment, event, forged) {
      const service = await testService({ memberHook: testHook(environment) });
      services.push(service);
      const send = async (sent: SentEvent) => {
        const response = await service.app.request(MEMBER_HOOK, eventRequest(sent));
        return { status: response.status, ...await response.json() };
      };
      const { outcome: first, memberId } = await send(event);
      const { outcome: again } = await send(event);
      const { status } = await send(forged);
      assertEquals(await isUserAssignedToTrainer(service.sql, memberId, DEFAULT_TRAINER_ID), true);
      const [member] = await service.sql<[Taken["member"]]>`
        select id, email, display_name as name from public.members where id = ${memberId}
      `;
      return { first, again, forged: status, member };
    },
    async sendAgain(event) {
      return await services.at(-1)?.app.request(MEMBER_HOOK, eventRequest(event));
    },
    async stop() {
      for (const service of services) await service.stop();
    },
  };
}
