import { assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { z } from "zod";
import { TOKENS } from "./service.ts";

/** Somebody with a browser window, and what went wrong in it. */
export interface Visitor {
  page: Page;
  /** Lets console messages pass that fit: a service that is away cannot but leave some. */
  expectInConsole(pattern: RegExp): void;
  /** Does not judge the pages of another site, nor that one of ours leads there. */
  allowSite(origin: string): void;
  signIn(token?: string): Promise<void>;
  /** Looks at the page as it is now, light and dark, with axe-core, and for what is cut off on the right. */
  audit(state: string): Promise<void>;
  /** Closes the window; fails when anything was wrong in it at any time. */
  leave(): Promise<void>;
}

/** How much of the page or of a list lies beyond the right edge. A phone's `innerWidth` grows with what is too wide. */
const EXCESS = `Math.max(
  document.documentElement.scrollWidth - Math.min(innerWidth, screen.width),
  ...[...document.querySelectorAll(".table")].map((table) => table.scrollWidth - table.clientWidth),
)`;

const SCHEMES = ["light", "dark"] as const;
const axeResult = z.object({
  violations: z.array(z.object({
    id: z.string(),
    nodes: z.array(z.object({ html: z.string(), failureSummary: z.string().optional() })),
  })),
});

/** Opens a window. Whatever it asks of another host, logs as an error or is refused by the policy is a problem. */
export async function openVisitor(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ baseURL: url, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const problems: string[] = [];
  const expected: RegExp[] = [];
  const allowed: string[] = [];
  const note = (problem: string) => {
    if (allowed.some((origin) => page.url().startsWith(`${origin}/`))) return;
    if (!expected.some((pattern) => pattern.test(problem))) problems.push(problem);
  };
  const { host } = new URL(url);
  await context.addInitScript({
    content: `addEventListener("securitypolicyviolation", (event) =>
      console.error("policy:", event.violatedDirective, event.blockedURI))`,
  });
  context.on("request", (request) => {
    const asked = new URL(request.url());
    if (allowed.includes(asked.origin)) return;
    if (asked.host !== host && asked.protocol !== "data:") {
      note(`a request to another host: ${request.url()}`);
    }
  });
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) note(message.text());
  });
  page.on("pageerror", (error) => note(`script error: ${error.message}`));

  return {
    page,
    expectInConsole: (pattern) => expected.push(pattern),
    allowSite: (origin) => allowed.push(origin),
    async signIn(token = TOKENS.admin) {
      await page.goto("/admin/trainer-assignment");
      await page.getByLabel("Token", { exact: true }).fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
    },
    async audit(state) {
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        const violations = await findViolations(page);
        assertEquals({ state, colorScheme, violations }, { state, colorScheme, violations: [] });
      }
      await page.emulateMedia({ colorScheme: "light" });
      const excess = await evaluate(page, EXCESS);
      assertEquals({ state, excess }, { state, excess: 0 });
    },
    async leave() {
      await context.close();
      assertEquals(problems, []);
    },
  };
}

async function findViolations(page: Page): Promise<string[]> {
  if (await evaluate(page, "typeof axe") === "undefined") await evaluate(page, axe.source);
  const result = await evaluate(
    page,
    `axe.run(document, { preload: false, resultTypes: ["violations"] }).then(({ violations }) => ({ violations }))`,
  );
  return axeResult.parse(result).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`)
  );
}

/** Evaluates as a debugger does: not subject to the page's policy, which stays in force for the page. */
export async function evaluate(page: Page, expression: string): Promise<unknown> {
  const session = await page.context().newCDPSession(page);
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  if (exceptionDetails !== undefined) {
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  return result.value;
}
