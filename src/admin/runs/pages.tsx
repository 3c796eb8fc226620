import { z } from "zod";
import { hasEnded } from "../../runs/progress.ts";
import { listRunErrors } from "../../runs/run_members.ts";
import {
  cancelRun,
  getRun,
  listRuns,
  pauseRun,
  resumeRun,
  retryRun,
  startBackfill,
} from "../../runs/runs.ts";
import { readThroughput } from "../../runs/throughput.ts";
import { readPage } from "../../http/paging.ts";
import { ERROR_COLUMNS, readAllErrors } from "../../http/routes/run_errors.ts";
import { byId, findMembers } from "../../assignments/member_lookup.ts";
import { logChange } from "../../http/audit.ts";
import { visitorOf } from "../env.ts";
import { answerNamedCsv } from "../frame/named_csv.ts";
import { type Notice, noticeOf, withNotice } from "../frame/notices.ts";
import { answerOverview } from "../overview/page.tsx";
import type { OverviewReader } from "../overview/reader.ts";
import {
  answerPage,
  doAndSeeOther,
  ID_PATTERN,
  idInPath,
  type Pages,
  readForm,
  REFRESH_MS,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { readPick } from "../picker/read_pick.ts";
import { trainersOf } from "./choices_view.tsx";
import { MAX_RECORDED_ERRORS, unrecordedInWords } from "./recorded_errors.ts";
import { titleOf } from "../frame/run_wording.ts";
import { readFollowUp } from "./follow_up.ts";
import { RunPage } from "./run_page.tsx";
import { RunsPage } from "./run_table.tsx";

const PAGE_ROWS = 25;
const BACKFILL = `${paths.home}#backfill`;

const batchRows = z.string().regex(/^\d{1,5}$/).transform(Number).pipe(z.int().min(1).max(20_000)).optional();

const STATUS_CHANGES = [
  { verb: "pause", change: pauseRun, notice: "paused" },
  { verb: "resume", change: resumeRun, notice: "resumed" },
  { verb: "cancel", change: cancelRun, notice: "cancelled" },
] as const;

/** Adds the pages that start, list and show runs, and change their status. */
export function addRunPages(pages: Pages, reader: OverviewReader): void {
  const { app, services, takeExportSlot } = pages;
  const { sql, log } = services;

  app.get("/trainer-assignment/runs", async (c) => {
    const cursor = c.req.query("cursor");
    const { rows, next } = await readPage(c, {
      list: "backfills",
      limit: PAGE_ROWS,
      cursor,
      read: (page) => listRuns(sql, page),
      idOf: (run) => run.id,
    });
    const trainers = byId(await findMembers(services, [...new Set(rows.flatMap(trainersOf))]));
    return await answerPage(c, {
      title: "Runs",
      section: "runs",
      refreshMs: REFRESH_MS.idle,
      children: <RunsPage runs={rows} trainers={trainers} next={next} isFirst={cursor === undefined} />,
    });
  });

  app.post("/trainer-assignment/runs", async (c) => {
    const { dryRun, reassign, ...typed } = await readForm(c);
    const pick = await readPick(services, typed, "trainerId");
    const trainerId = pick.id;
    const rows = batchRows.safeParse(typed.batchRows);
    const refuse = (notice: Notice) =>
      answerOverview(c, pages, reader, { typed, trainer: pick.state, notice });
    if (trainerId === undefined && !pick.isEmpty) return await refuse(pick.notice);
    if (!rows.success) return await refuse(noticeOf("not_a_batch_size"));
    return await doAndSeeOther(c, refuse, async () => {
      const request = {
        trainerId,
        batchRows: rows.data,
        dryRun: dryRun === "true",
        reassign: reassign === "true",
        requestedBy: visitorOf(c),
      };
      const run = await startBackfill(sql, request).finally(() => reader.expire());
      logChange(log, visitorOf(c), "backfill_start_requested", { runId: run.id });
      if (!run.reassign) return withNotice(BACKFILL, "started");
      return withNotice(paths.run(run.id), run.dryRun ? "dry_run_started" : "started");
    });
  });

  app.get(`/trainer-assignment/runs/:id{${ID_PATTERN}}`, async (c) => {
    const id = idInPath(c);
    const cursor = c.req.query("cursor");
    const run = await getRun(sql, id);
    const [throughput, followUp, trainers, errors] = await Promise.all([
      readThroughput(sql, id),
      readFollowUp(sql, run),
      findMembers(services, trainersOf(run)),
      readPage(c, {
        list: `backfill-errors/${id}`,
        limit: PAGE_ROWS,
        cursor,
        read: (page) => listRunErrors(sql, id, page),
        idOf: (error) => error.memberId,
      }),
    ]);
    const members = byId(await findMembers(services, errors.rows.map(({ memberId }) => memberId)));
    const refreshMs = run.status === "running" ? REFRESH_MS.busy : REFRESH_MS.idle;
    return await answerPage(c, {
      title: titleOf(run),
      section: "runs",
      refreshMs: hasEnded(run) ? undefined : refreshMs,
      children: (
        <RunPage
          run={run}
          throughput={throughput}
          trainers={byId(trainers)}
          followUp={followUp}
          errors={errors.rows}
          members={members}
          next={errors.next}
          isFirst={cursor === undefined}
        />
      ),
    });
  });

  app.get(`/trainer-assignment/runs/:id{${ID_PATTERN}}/errors.csv`, async (c) => {
    const id = idInPath(c);
    const run = await getRun(sql, id);
    return await answerNamedCsv(c, services, {
      chunks: readAllErrors(sql, id),
      lastRow: run.failed > MAX_RECORDED_ERRORS
        ? { memberId: "", code: "", message: unrecordedInWords(run) }
        : undefined,
      columns: ERROR_COLUMNS,
      filename: `backfill-errors-${id}`,
      takeSlot: takeExportSlot,
    });
  });

  for (const { verb, change, notice } of STATUS_CHANGES) {
    app.post(`/trainer-assignment/runs/:id{${ID_PATTERN}}/${verb}`, async (c) => {
      const id = idInPath(c);
      return await doAndSeeOther(c, backOf(c.req.header("referer"), id), async () => {
        const { kind } = await change(sql, id, visitorOf(c)).finally(() => reader.expire());
        logChange(log, visitorOf(c), `${kind}_${verb}_requested`, { runId: id });
        return withNotice(backOf(c.req.header("referer"), id), notice);
      });
    });
  }

  app.post(`/trainer-assignment/runs/:id{${ID_PATTERN}}/retry`, async (c) => {
    const id = idInPath(c);
    return await doAndSeeOther(c, paths.run(id), async () => {
      const run = await retryRun(sql, id, visitorOf(c)).finally(() => reader.expire());
      logChange(log, visitorOf(c), `${run.kind}_retry_requested`, { runId: run.id, retryOf: id });
      return withNotice(paths.run(run.id), "retried");
    });
  });
}

/** Returns the page of the button: the overview or the run's own page. */
function backOf(referer: string | undefined, id: string): string {
  return URL.parse(referer ?? "")?.pathname === paths.home ? BACKFILL : paths.run(id);
}
