/** What the tests of webhooks over HTTP share. */
import { assertEquals } from "@std/assert";
import { createKey } from "../../src/webhooks/key.ts";
import { type TestService, testService } from "./test_service.ts";

export const KEYS = [Uint8Array.fromBase64(createKey())];
export const URL = "https://crm.example.com/hooks";
/** Of nothing that exists. */
export const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

/** A service that has a key for the secrets of webhooks. */
export function webhookService(): Promise<TestService> {
  return testService({ webhooks: { keys: KEYS, allowPrivate: false } });
}

/** Creates a webhook for assignments, unless the values say otherwise; what is answered. */
export async function createWebhook(service: TestService, values: object = {}) {
  const response = await service.call("POST /v1/webhooks", {
    json: { url: URL, types: ["assignments.created"], ...values },
  });
  assertEquals(response.status, 201);
  return await response.json();
}

/** How a request is refused: the status, and the first part of the input that is wrong, else the code. */
export async function refusalOf(
  service: TestService,
  request: string,
  json: unknown,
): Promise<[number, unknown]> {
  const response = await service.call(request, { json });
  const { code, errors } = await response.json();
  return [response.status, errors?.[0]?.pointer ?? code];
}
