import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { Sql } from "../../src/database/sql.ts";
import { waitUntil } from "../support/wait_until.ts";

export const HOME = "/admin/trainer-assignment";

/** Finds a figure of the page by its label, as a number. */
export async function readFigure(page: Page, label: string): Promise<number> {
  const figure = page.locator(".figure").filter({ has: page.getByText(label, { exact: true }) }).first();
  return Number((await figure.locator("dd").first().innerText()).replaceAll(",", ""));
}

/** Starts a run from the overview; `batchRows` makes it take its time. */
export async function startRun(
  page: Page,
  options: { batchRows?: number; dryRun?: boolean } = {},
): Promise<void> {
  if (options.batchRows !== undefined) {
    await page.getByText("Options").click();
    await page.getByLabel("Rows per batch").fill(String(options.batchRows));
  }
  const name = options.dryRun ? "Dry run first" : "Run Trainer Assignment Backfill";
  await page.getByRole("button", { name }).click();
  await page.getByText("The run has started.").waitFor();
}

/** Waits until the newest run on the page stands so. */
export async function waitForStatus(page: Page, status: string): Promise<void> {
  await page.locator(".run .badge", { hasText: status }).first().waitFor({ timeout: 60_000 });
}

/** Waits until the bar has moved to here without anybody reloading. */
export async function waitForProgress(page: Page, processed: number): Promise<void> {
  const bar = page.getByRole("progressbar");
  await waitUntil(
    `the bar is at ${processed}`,
    async () => Number(await bar.getAttribute("value")) >= processed,
  );
}

/** Checks that what the page says of the last run is what the database holds. */
export async function assertFiguresAreTrue(page: Page, sql: Sql): Promise<void> {
  const [expected] = await sql<[Record<string, number>]>`
    with run as (select id from assignment.backfill_runs order by id desc limit 1)
    select
      (select count(*) from public.members) as "Total",
      (select count(*) from public.members) as "Members",
      (select count(*) from public.trainer_client_assignments where status = 'active') as "With the default trainer",
      (select count(*) from public.trainer_client_assignments where backfill_run_id = (select id from run)) as "Successfully assigned",
      (select count(*) from assignment.backfill_errors where run_id = (select id from run)) as "Failed"
  `;
  const read = async () => {
    const figures = Object.keys(expected).map(async (label) =>
      [label, await readFigure(page, label)] as const
    );
    return Object.fromEntries(await Promise.all(figures));
  };
  // Members are counted rarely, so as not to burden the database.
  const counted = async () => JSON.stringify(await read()) === JSON.stringify(expected);
  await waitUntil("the figures are true", counted).catch(async () => assertEquals(await read(), expected));
}

/** Adds a member whom the trigger assigns. */
export async function addMember(
  sql: Sql,
  member: { email?: string; displayName?: string } = {},
): Promise<string> {
  const [row] = await sql<[{ id: string }]>`
    insert into public.members (email, display_name)
    values (${member.email ?? null}, ${member.displayName ?? null})
    returning id
  `;
  return row.id;
}
