import type { Context } from "hono";
import { z } from "zod";
import { streamTrainerClients } from "../../assignments/client_export.ts";
import { readPage } from "../../http/paging.ts";
import { CLIENT_KEYS } from "../../assignments/client_columns.ts";
import { byId, findMembers, listReadableFields, type Member } from "../../assignments/member_lookup.ts";
import { findMembersByText } from "../../assignments/member_by_text.ts";
import { MAX_FOUND } from "../../assignments/member_search.ts";
import { listAuditLines } from "../../history/audit_lines.ts";
import { readKnown } from "../history/known.ts";
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
import type { OverviewReader } from "../overview/reader.ts";
import {
  answerPage,
  doAndSeeOther,
  ID_PATTERN,
  idInPath,
  type Pages,
  readForm,
  readId,
  REFUSED,
  seeOther,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { cleanSearch, type Pick, readPick } from "../picker/read_pick.ts";
import { ChooseDefaultTrainerPage, DefaultTrainerPage } from "./default_trainer_view.tsx";
import { TrainerPage, TrainersPage } from "./view.tsx";

const PAGE_ROWS = 50;
const LATEST_CHANGES = 5;
const Status = z.enum(["active", "inactive"]).catch("active");
const Capacity = z.string().regex(/^\d{1,6}$/).transform(Number).pipe(z.int().max(100_000)).nullable()
  .default(null);

/** Adds the pages of trainers: their clients, and the change of the default trainer. */
export function addTrainerPages(pages: Pages, reader: OverviewReader): void {
  const { app, services, takeExportSlot } = pages;
  const { sql, log } = services;

  app.get("/trainer-assignment/trainers", async (c) => {
    const query = cleanSearch(c.req.query("q") ?? "");
    const search = query === "" ? undefined : readId(query) ?? query;
    const found = await findTrainer(services, query);
    if (found !== undefined) return seeOther(c, paths.trainer(found.id));
    const cursor = c.req.query("cursor");
    const [fields, { rows, next }] = await Promise.all([
      listReadableFields(services),
      readPage(c, {
        list: search === undefined ? "trainers" : `trainers/${search}`,
        limit: PAGE_ROWS,
        cursor,
        read: (page) => listTrainers(services, page, search),
        idOf: (trainer) => trainer.trainerId,
      }),
    ]);
    return await answerPage(c, {
      title: "Trainers",
      section: "trainers",
      children: (
        <TrainersPage
          query={query}
          fields={fields}
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
    const [trainer, changes, [member], { rows, next }] = await Promise.all([
      getTrainer(sql, trainerId),
      listAuditLines(sql, { action: "trainer.changed", trainerId }, { limit: LATEST_CHANGES }),
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
          changes={{ lines: changes, known: await readKnown(services, changes) }}
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
    (c) => answerTrainer(c, idInPath(c)),
  );

  app.post(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/settings`, async (c) => {
    const trainerId = idInPath(c);
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
    const trainerId = idInPath(c);
    const chunks = streamTrainerClients(readFrom(sql), trainerId, Status.parse(c.req.query("status")));
    return await answerNamedCsv(c, services, {
      chunks,
      columns: CLIENT_KEYS,
      filename: `clients-${trainerId}`,
      takeSlot: takeExportSlot,
    });
  });

  async function choose(
    c: Context<PageEnv>,
    { state, notice, isEmpty }: Omit<Pick, "id">,
  ): Promise<Response> {
    return await answerPage(c, {
      title: "Change the default trainer",
      section: "policy",
      notice: isEmpty ? undefined : notice,
      address: isEmpty ? undefined : paths.defaultTrainer,
      children: <ChooseDefaultTrainerPage pickable={await listPickable(services)} state={state} />,
    }, isEmpty ? 200 : REFUSED);
  }

  app.get("/trainer-assignment/default-trainer", async (c) => {
    const { trainerId: asked, known, ...typed } = c.req.query();
    const pick = await readPick(services, typed, "trainer");
    const trainerId = readId(asked) ?? pick.id ?? (pick.isEmpty ? readId(known) : undefined);
    if (trainerId === undefined) return await choose(c, pick);
    const state = await readAssignmentState(sql);
    const current = state.defaultTrainer;
    if (trainerId === current?.id) return seeOther(c, withNotice(paths.home, "trainer_kept"));
    const members = byId(
      await findMembers(services, current === null ? [trainerId] : [trainerId, current.id]),
    );
    const trainer = members.get(trainerId);
    if (trainer === undefined) {
      return await choose(c, { ...pick, isEmpty: false, notice: noticeOf("trainer_not_found") });
    }
    const coverage = await countCoverage(sql, trainerId).catch(() => estimateCoverage(sql, trainerId));
    return await answerPage(c, {
      title: "Change the default trainer",
      section: "overview",
      children: (
        <DefaultTrainerPage
          trainer={trainer}
          current={current === null ? null : { id: current.id, member: members.get(current.id) }}
          failures={state.failures.waiting}
          coverage={coverage}
        />
      ),
    });
  });

  app.post("/trainer-assignment/default-trainer", async (c) => {
    const typed = await readForm(c);
    const trainerId = readId(typed.trainerId);
    const refuse = (notice: Notice) =>
      choose(c, { notice, isEmpty: false, state: { text: typed.trainerId ?? "" } });
    if (trainerId === undefined) return await refuse(noticeOf("not_an_id"));
    return await doAndSeeOther(c, refuse, async () => {
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
      if (fate === "keep") return withNotice(paths.home, "trainer_set");
      return await startPolicyRun(c, sql, log, { fate, version: put.policy.version, home: paths.home });
    });
  });
}

/** Finds a member by id, or by a name or e-mail that no other member has. */
async function findTrainer(services: Services, query: string): Promise<Member | undefined> {
  const id = readId(query);
  if (id !== undefined) return (await findMembers(services, [id]))[0];
  return query === "" ? undefined : (await findMembersByText(services, query, MAX_FOUND)).only;
}
