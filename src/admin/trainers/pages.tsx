import type { Context } from "hono";
import { z } from "zod";
import { streamTrainerClients } from "../../assignments/client_export.ts";
import { readPage } from "../../http/paging.ts";
import { CLIENT_KEYS } from "../../assignments/client_columns.ts";
import { findMembers } from "../../assignments/member_lookup.ts";
import { readAssignmentState } from "../../operation/assignment_state.ts";
import { countCoverage, estimateCoverage } from "../../operation/coverage.ts";
import { readFrom } from "../../database/read_replica.ts";
import { setDefaultTrainer } from "../../policy/policies.ts";
import { getTrainerClients } from "../../assignments/clients.ts";
import { logChange } from "../../http/audit.ts";
import { type PageEnv, sessionOf, visitorOf } from "../env.ts";
import { answerNamedCsv } from "../frame/named_csv.ts";
import { type Notice, noticeOf, withNotice } from "../frame/notices.ts";
import { answerOverview } from "../overview/page.tsx";
import { byId, type OverviewReader } from "../overview/reader.ts";
import {
  answerPage,
  doAndSeeOther,
  ID_PATTERN,
  type Pages,
  readForm,
  readId,
  seeOther,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { DefaultTrainerPage } from "./default_trainer_view.tsx";
import { TrainerPage, TrainersPage } from "./view.tsx";

const PAGE_ROWS = 50;
const Status = z.enum(["active", "inactive"]).catch("active");

/** Adds the pages of trainers: their clients, and the change of the default trainer. */
export function addTrainerPages(pages: Pages, reader: OverviewReader): void {
  const { app, services, takeExportSlot } = pages;
  const { sql, log } = services;
  const refuse = (c: Context<PageEnv>, typed: Typed, notice: Notice) =>
    answerOverview(c, pages, reader, { form: "default trainer", typed, notice });

  app.get("/trainer-assignment/trainers", async (c) => {
    const query = (c.req.query("q") ?? "").trim().slice(0, 100);
    const id = readId(query);
    const [trainer] = id === undefined ? [] : await findMembers(sql, [id]);
    if (trainer !== undefined) return seeOther(c, paths.trainer(trainer.id));
    return await answerPage(c, {
      title: "Trainers",
      section: "trainers",
      children: <TrainersPage query={query} isId={id !== undefined} />,
    });
  });

  app.get(`/trainer-assignment/trainers/:id{${ID_PATTERN}}`, async (c) => {
    const trainerId = c.req.param("id").toLowerCase();
    const status = Status.parse(c.req.query("status"));
    const cursor = c.req.query("cursor");
    const [[trainer], { rows, next }] = await Promise.all([
      findMembers(sql, [trainerId]),
      readPage(c, {
        list: `clients/${trainerId}/${status}`,
        limit: PAGE_ROWS,
        cursor,
        read: (page) => getTrainerClients(sql, trainerId, { ...page, status }),
        idOf: (client) => client.assignmentId,
      }),
    ]);
    const members = byId(await findMembers(sql, rows.map(({ clientId }) => clientId)));
    return await answerPage(c, {
      title: "Clients",
      section: "trainers",
      children: (
        <TrainerPage
          trainerId={trainerId}
          trainer={trainer}
          status={status}
          clients={rows}
          members={members}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    });
  });

  app.get(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/clients.csv`, async (c) => {
    const trainerId = c.req.param("id");
    const chunks = streamTrainerClients(readFrom(sql), trainerId, Status.parse(c.req.query("status")));
    return await answerNamedCsv(c, services, {
      chunks,
      columns: CLIENT_KEYS,
      filename: `clients-${trainerId}`,
      takeSlot: takeExportSlot,
    });
  });

  app.get("/trainer-assignment/default-trainer", async (c) => {
    const typed = { trainerId: (c.req.query("trainerId") ?? "").slice(0, 100) };
    const trainerId = readId(typed.trainerId);
    if (trainerId === undefined) return await refuse(c, typed, noticeOf("not_an_id"));
    const state = await readAssignmentState(sql);
    const current = state.defaultTrainer;
    if (trainerId === current?.id) return seeOther(c, withNotice(paths.home, "trainer_kept"));
    const members = byId(await findMembers(sql, current === null ? [trainerId] : [trainerId, current.id]));
    const trainer = members.get(trainerId);
    if (trainer === undefined) return await refuse(c, typed, noticeOf("trainer_not_found"));
    const coverage = await countCoverage(sql, trainerId).catch(() => estimateCoverage(sql, trainerId));
    return await answerPage(c, {
      title: "Change the default trainer",
      section: "overview",
      children: (
        <DefaultTrainerPage
          trainer={trainer}
          current={current === null ? null : { id: current.id, member: members.get(current.id) }}
          failures={state.failures}
          coverage={coverage}
        />
      ),
    });
  });

  app.post("/trainer-assignment/default-trainer", async (c) => {
    const typed = await readForm(c);
    const trainerId = readId(typed.trainerId);
    if (trainerId === undefined) return await refuse(c, typed, noticeOf("not_an_id"));
    return await doAndSeeOther(c, (notice) => refuse(c, typed, notice), async () => {
      const { defaultTrainer } = await readAssignmentState(sql);
      if (trainerId === defaultTrainer?.id) return withNotice(paths.home, "trainer_kept");
      await setDefaultTrainer(sql, trainerId, sessionOf(c).name);
      reader.expire();
      logChange(log, visitorOf(c), "default_trainer_changed", { trainerId });
      return withNotice(paths.home, "trainer_set");
    });
  });
}
