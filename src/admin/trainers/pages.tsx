import type { Context } from "hono";
import { z } from "zod";
import { streamTrainerClients } from "../../assignments/client_export.ts";
import { readPage } from "../../http/paging.ts";
import { CLIENT_KEYS } from "../../assignments/client_columns.ts";
import {
  byId,
  findMembers,
  findMembersByEmail,
  listReadableFields,
  type Member,
} from "../../assignments/member_lookup.ts";
import { Notes } from "../../http/schemas.ts";
import type { Services } from "../../http/services.ts";
import { readAssignmentState } from "../../operation/assignment_state.ts";
import { countCoverage, estimateCoverage } from "../../operation/coverage.ts";
import { readFrom } from "../../database/read_replica.ts";
import { AppError } from "../../errors.ts";
import { getPolicy, putPolicy } from "../../policy/policies.ts";
import { Fate, withFate } from "../policy/fate.tsx";
import { listPickable } from "../policy/people.ts";
import { startPolicyRun } from "../policy/policy_run.ts";
import { changeTrainer, getTrainer, listTrainers } from "../../policy/trainers.ts";
import { getTrainerClients } from "../../assignments/clients.ts";
import { logChange } from "../../http/audit.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { answerNamedCsv } from "../frame/named_csv.ts";
import { type Notice, noticeOf, withNotice } from "../frame/notices.ts";
import { answerOverview } from "../overview/page.tsx";
import type { OverviewReader } from "../overview/reader.ts";
import {
  answerPage,
  doAndSeeOther,
  ID_PATTERN,
  type Pages,
  readForm,
  readId,
  REFUSED,
  seeOther,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { ChooseDefaultTrainerPage, DefaultTrainerPage } from "./default_trainer_view.tsx";
import { TrainerPage, TrainersPage } from "./view.tsx";

const PAGE_ROWS = 50;
const LONGEST_QUERY = 320; // the longest e-mail address
const Status = z.enum(["active", "inactive"]).catch("active");
const Capacity = z.string().regex(/^\d{1,6}$/).transform(Number).pipe(z.int().max(100_000)).nullable()
  .default(null);

/** Adds the pages of trainers: their clients, and the change of the default trainer. */
export function addTrainerPages(pages: Pages, reader: OverviewReader): void {
  const { app, services, takeExportSlot } = pages;
  const { sql, log } = services;
  const refuse = (c: Context<PageEnv>, typed: Typed, notice: Notice) =>
    answerOverview(c, pages, reader, { form: "default trainer", typed, notice });

  app.get("/trainer-assignment/trainers", async (c) => {
    const query = (c.req.query("q") ?? "").replaceAll("\0", "").trim().slice(0, LONGEST_QUERY);
    const found = await findTrainer(services, query);
    if (found !== undefined) return seeOther(c, paths.trainer(found.id));
    const cursor = c.req.query("cursor");
    const [fields, { rows, next }] = await Promise.all([
      listReadableFields(services),
      readPage(c, {
        list: "trainers",
        limit: PAGE_ROWS,
        cursor,
        read: (page) => listTrainers(sql, page),
        idOf: (trainer) => trainer.trainerId,
      }),
    ]);
    return await answerPage(c, {
      title: "Trainers",
      section: "trainers",
      children: (
        <TrainersPage
          query={query}
          isId={readId(query) !== undefined}
          hasEmails={fields.includes("email")}
          trainers={rows}
          members={byId(await findMembers(services, rows.map(({ trainerId }) => trainerId)))}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    });
  });

  async function answerTrainer(
    c: Context<PageEnv>,
    trainerId: string,
    refused?: { typed: Typed; notice: Notice },
  ): Promise<Response> {
    const status = Status.parse(c.req.query("status"));
    const cursor = c.req.query("cursor");
    const [trainer, [member], { rows, next }] = await Promise.all([
      getTrainer(sql, trainerId),
      findMembers(services, [trainerId]),
      readPage(c, {
        list: `clients/${trainerId}/${status}`,
        limit: PAGE_ROWS,
        cursor,
        read: (page) => getTrainerClients(sql, trainerId, { ...page, status }),
        idOf: (client) => client.assignmentId,
      }),
    ]);
    return await answerPage(c, {
      title: "Clients",
      section: "trainers",
      notice: refused?.notice,
      address: refused && paths.trainer(trainerId),
      children: (
        <TrainerPage
          trainer={trainer}
          member={member}
          typed={refused?.typed}
          status={status}
          clients={rows}
          members={byId(await findMembers(services, rows.map(({ clientId }) => clientId)))}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    }, refused ? REFUSED : 200);
  }

  app.get(
    `/trainer-assignment/trainers/:id{${ID_PATTERN}}`,
    (c) => answerTrainer(c, c.req.param("id").toLowerCase()),
  );

  app.post(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/settings`, async (c) => {
    const trainerId = c.req.param("id").toLowerCase();
    const typed = await readForm(c);
    const refuse = (notice: Notice) => answerTrainer(c, trainerId, { typed, notice });
    const capacity = Capacity.safeParse(typed.capacity);
    if (!capacity.success) return await refuse(noticeOf("not_a_capacity"));
    const note = Notes.nullable().safeParse(typed.note ?? null);
    if (!note.success) return await refuse(noticeOf("not_notes"));
    return await doAndSeeOther(c, refuse, async () => {
      const change = { capacity: capacity.data, acceptsClients: typed.acceptsClients !== undefined };
      await changeTrainer(sql, trainerId, { ...change, note: note.data }, visitorOf(c));
      logChange(log, visitorOf(c), "trainer_changed", { trainerId });
      return withNotice(paths.trainer(trainerId), "trainer_changed");
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
    const { trainerId: asked, trainer: byName, known } = c.req.query();
    const typed = { trainerId: (asked || byName || known || "").trim().slice(0, LONGEST_QUERY) };
    if (typed.trainerId === "") {
      return await answerPage(c, {
        title: "Change the default trainer",
        section: "policy",
        children: <ChooseDefaultTrainerPage pickable={await listPickable(services)} />,
      });
    }
    const trainerId = readId(typed.trainerId) ?? (await findTrainer(services, typed.trainerId))?.id;
    if (trainerId === undefined) return await refuse(c, typed, noticeOf("not_an_id"));
    const state = await readAssignmentState(sql);
    const current = state.defaultTrainer;
    if (trainerId === current?.id) return seeOther(c, withNotice(paths.home, "trainer_kept"));
    const members = byId(
      await findMembers(services, current === null ? [trainerId] : [trainerId, current.id]),
    );
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
      const { version, policy } = await getPolicy(sql);
      if (trainerId === policy.defaultTrainerId) return withNotice(paths.home, "trainer_kept");
      const { data: fate } = Fate.safeParse(typed.fate);
      if (fate === undefined) {
        return withNotice(`${paths.defaultTrainer}?trainerId=${trainerId}`, "no_fate_chosen");
      }
      if ((await findMembers(services, [trainerId])).length === 0) {
        throw new AppError("trainer_not_found", `trainer ${trainerId} is not a member`);
      }
      const wanted = withFate({ ...policy, defaultTrainerId: trainerId }, fate);
      const put = await putPolicy(sql, wanted, visitorOf(c), { expectedVersion: version });
      reader.expire();
      logChange(log, visitorOf(c), "default_trainer_changed", { trainerId, version: put.policy.version });
      const notice = fate === "add" ? await startPolicyRun(c, sql, log) : "trainer_set";
      return withNotice(paths.home, notice, put.policy.version);
    });
  });
}

/** Finds a member by id, or by an e-mail that no other member has. */
async function findTrainer(services: Services, query: string): Promise<Member | undefined> {
  const id = readId(query);
  if (id !== undefined) return (await findMembers(services, [id]))[0];
  const found = query.includes("@") ? await findMembersByEmail(services, query) : null;
  return found?.length === 1 ? found[0] : undefined;
}
