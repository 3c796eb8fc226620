import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { PolicyDocument } from "../../../src/policy/document.ts";
import { putPolicy } from "../../../src/policy/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { textOfPage } from "../page_text.ts";
import { type TestService, testService } from "../test_service.ts";

describe("the policy on the admin page", () => {
  let service: TestService;
  let cookie: string;
  let anna: string;
  let ben: string;
  beforeEach(async () => {
    service = await testService();
    cookie = await signIn(service);
    await service.sql`alter table public.members add column plan text, add column profile jsonb`;
    anna = await addMember("Anna");
    ben = await addMember("Ben");
  });
  afterEach(() => service.stop());

  async function addMember(name: string): Promise<string> {
    const [{ id }] = await service.sql<[{ id: string }]>`
      insert into public.members (display_name) values (${name}) returning id
    `;
    return id;
  }

  const page = async (path: string) => textOfPage(await (await get(service, path, cookie)).text());

  const rules = (): PolicyDocument["rules"] => [
    {
      name: "Test accounts",
      when: { field: "plan", op: "starts_with", value: "test" },
      assign: { choose: "nobody" },
    },
    {
      name: "German",
      when: {
        all: [
          { field: "plan", op: "eq", value: "pro" },
          { field: "profile.language", op: "in", value: ["de", "de-AT"] },
          {
            any: [{ field: "created_at", op: "gte", value: "2026-01-01" }, {
              not: { field: "email", op: "exists" },
            }],
          },
        ],
      },
      assign: {
        choose: "spread",
        trainers: [{ trainerId: anna, weight: 2 }, { trainerId: ben }],
        whenFull: "wait",
      },
    },
    { name: "Others", assign: { choose: "most_room", trainers: [{ trainerId: ben }] } },
  ];

  async function put(policy: Partial<PolicyDocument>, by = "office", comment?: string): Promise<number> {
    const document = {
      defaultTrainerId: DEFAULT_TRAINER_ID,
      respectsOtherTrainers: false,
      rules: [],
      ...policy,
    };
    return (await putPolicy(service.sql, document, by, { comment })).policy.version;
  }

  it("says each rule as a sentence, then the default trainer, and who wrote it when with which comment", async () => {
    await put({ rules: rules() }, "office", "as agreed in May");
    const text = await page(`${HOME}/policy`);
    for (
      const sentence of [
        "If plan starts with test: no trainer, by intention.",
        "If plan is pro and profile.language is one of de, de-AT and " +
        "(created_at is on or after 2026-01-01 or not (email has a value)): " +
        "spread over Anna (2), Ben (1); when full, wait for room.",
        "Everybody: Ben; when full, go on with the next rules.",
        "Everybody else: Default trainer.",
        "Whoever has another trainer keeps them, and gets the trainer of the policy as well.",
        "In force: version 2 Written by office",
        "as agreed in May",
        "3 rules added",
      ]
    ) assertStringIncludes(text, sentence);
  });

  it("shows what a version changed, and what differs from the one in force, side by side", async () => {
    const [first, second, third] = rules();
    if (!first || !second || !third) throw new Error("there are three rules");
    await put({ rules: [first, second, third] });
    await put({
      respectsOtherTrainers: true,
      rules: [third, { ...second, assign: { choose: "nobody" } }, {
        name: "New",
        assign: { choose: "nobody" },
      }],
    });
    const text = await page(`${HOME}/policy/versions/2`);
    assertStringIncludes(text, "What it changed What Version 1 Version 2");
    assertMatch(text, /Compared with the policy in force What Version 2 Version 3, in force/);
    for (
      const change of [
        "Test accounts removed 1. If plan starts with test: no trainer, by intention.",
        "Others moved 3. Everybody: Ben; when full, go on with the next rules. 1. Everybody: Ben;",
        "German changed 2. If plan is pro",
        "New added 3. Everybody: no trainer, by intention.",
        "Who has a trainer changed Whoever has another trainer keeps them",
      ]
    ) assertStringIncludes(text, change);
    assertStringIncludes(
      await page(`${HOME}/policy`),
      "1 rule added, 1 rule removed, 1 rule changed, 1 rule moved, who has a trainer changed",
    );
    assertEquals((await get(service, `${HOME}/policy/versions/9`, cookie)).status, 404);
  });

  it("lists older versions on further pages", async () => {
    for (let version = 2; version <= 22; version++) {
      await put({ respectsOtherTrainers: version % 2 === 0 }, `writer-${version}`);
    }
    const first = await (await get(service, `${HOME}/policy`, cookie)).text();
    const next = /rel="next" href="([^"]+)"/.exec(first)?.[1] ?? "";
    const second = await page(next.replaceAll("&amp;", "&"));
    assertStringIncludes(second, "Version 2 ");
    assertStringIncludes(second, "the first");
    assertEquals(second.includes("writer-3"), false);
    assertEquals((await get(service, `${HOME}/policy?cursor=x`, cookie)).status, 400);
  });

  it("says that a trainer whom a rule names is not a member any more", async () => {
    await put({ rules: rules() });
    await service.sql`delete from public.members where id = ${anna}`;
    assertStringIncludes(await page(`${HOME}/policy`), `${anna}(not a member) (2)`);
  });

  it("a member's page says which rule of which version chose the trainer", async () => {
    const version = await put({ rules: rules() });
    const insert = async (plan: string | null) => {
      const [{ id }] = await service.sql<[{ id: string }]>`
        insert into public.members (plan) values (${plan}) returning id
      `;
      return id;
    };
    const byRule = await insert("basic");
    assertStringIncludes(
      await page(`${HOME}/members?q=${byRule}`),
      `automatically, at sign-up: rule 3, Others, of version ${version} of the policy`,
    );
    await put({});
    const byDefault = await insert(null);
    assertStringIncludes(
      await page(`${HOME}/members?q=${byDefault}`),
      `automatically, at sign-up: the default trainer of version ${version + 1} of the policy`,
    );
    await service.sql`select assignment.assign_member(${byDefault}, ${anna})`;
    assertMatch(await page(`${HOME}/members?q=${byDefault}`), /To Anna .* UTC, by hand, by postgres /);
  });
});
