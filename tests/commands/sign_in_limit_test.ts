import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { type Service, startService, TOKEN } from "../faults/service.ts";
import { PROJECT_FOLDER } from "../faults/service_copy.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

const REFUSED_FOR_A_MINUTE = [401, 401, 401, 401, 401, 429];

describe("the limit on signing in to a started service", () => {
  let database: TestDatabase;
  let service: Service;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterEach(() => service.stop());
  afterAll(() => database.drop());

  async function start(trustedProxies = 0): Promise<void> {
    service = await startService({
      databaseUrl: database.url,
      folder: PROJECT_FOLDER,
      environment: { TRUSTED_PROXIES: String(trustedProxies) },
    });
  }

  /** Tries a token from an address of this machine, as a proxy there that says whom it serves. */
  async function signIn(token: string, from: string, forwardedFor?: string): Promise<number> {
    const client = Deno.createHttpClient({ localAddress: from });
    const response = await fetch(`${service.url}/admin/login`, {
      client,
      method: "POST",
      redirect: "manual",
      headers: {
        Origin: service.url,
        ...(forwardedFor === undefined ? {} : { "X-Forwarded-For": forwardedFor }),
      },
      body: new URLSearchParams({ token }),
    });
    await response.body?.cancel();
    client.close();
    return response.status;
  }

  /** Tries wrong tokens, each time as somebody else where a list is given. */
  async function guess(from: string, forwardedFor: (number: number) => string | undefined = () => undefined) {
    const statuses = [];
    for (let number = 1; number <= REFUSED_FOR_A_MINUTE.length; number++) {
      statuses.push(await signIn(`guess ${number}`, from, forwardedFor(number)));
    }
    return statuses;
  }

  it("locks out only the address that guesses", async () => {
    await start();
    assertEquals(await guess("127.0.0.2"), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.2"), 429);
    assertEquals(await signIn(TOKEN, "127.0.0.1"), 303);
    assertStringIncludes(service.output(), '"address":"127.0.0.2"');
  });

  it("ignores X-Forwarded-For without a trusted proxy", async () => {
    await start();
    assertEquals(await guess("127.0.0.2", (number) => `203.0.113.${number}`), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.1", "127.0.0.2"), 303);
    assertEquals(service.output().includes("203.0.113"), false);
  });

  it("uses what the trusted proxy adds, whatever its caller sent", async () => {
    await start(1);
    const spoofed = (number: number) => `198.51.100.${number}, 203.0.113.7`;
    assertEquals(await guess("127.0.0.2", spoofed), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.3", "203.0.113.7"), 429);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "203.0.113.8"), 303);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "203.0.113.7:50123"), 429); // with a port
  });

  it("uses the second address from the right behind two proxies", async () => {
    await start(2);
    const forwarded = (number: number) => `198.51.100.${number}, 203.0.113.7, 10.0.0.${number}`;
    assertEquals(await guess("127.0.0.2", forwarded), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "203.0.113.7, 10.0.0.9"), 429);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "203.0.113.8, 10.0.0.9"), 303);
  });

  it("uses the connection's address if the proxy adds none", async () => {
    await start(1);
    assertEquals(await guess("127.0.0.2", (number) => `unknown-${number}`), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.2"), 429);
    assertEquals(await signIn(TOKEN, "127.0.0.1"), 303);
  });

  it("counts an IPv6 /64 as one caller, however it is written", async () => {
    await start(1);
    const spellings = [
      "2001:db8:1:2::1",
      "2001:DB8:1:2:ffff:ffff:ffff:ffff",
      "2001:0db8:0001:0002:0:0:0:3",
      "[2001:db8:1:2::4]:50123",
      "2001:db8:1:2::127.0.0.1",
      "2001:db8:1:2:abcd::",
    ];
    assertEquals(await guess("127.0.0.2", (number) => spellings[number - 1]), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "2001:db8:1:3::1"), 303);
  });

  it("counts an IPv4 address written as IPv6 as the same caller, and not as its neighbours", async () => {
    await start(1);
    const spellings = ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "[::ffff:203.0.113.7]:5"];
    const spell = (number: number) => spellings[number % spellings.length];
    assertEquals(await guess("127.0.0.2", spell), REFUSED_FOR_A_MINUTE);
    assertEquals(await signIn(TOKEN, "127.0.0.2", "::ffff:203.0.113.8"), 303);
  });
});
