import type { Context } from "hono";
import { byId, findMembers } from "../../assignments/member_lookup.ts";
import { AppError } from "../../errors.ts";
import { logChange } from "../../http/audit.ts";
import { listMemberFields } from "../../policy/member_fields.ts";
import { getPolicy } from "../../policy/policies.ts";
import { findStanding } from "../../policy/standing.ts";
import { getTrainer } from "../../policy/trainers.ts";
import { moveClients } from "../../runs/move_clients.ts";
import type { Run } from "../../runs/progress.ts";
import { startTransfer } from "../../runs/runs.ts";
import { previewTransfer } from "../../runs/transfer_preview.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { noticeOf, withNotice } from "../frame/notices.ts";
import { answerPage, ID_PATTERN, idInPath, type Pages, readId, REFUSED, seeOther } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import type { OverviewReader } from "../overview/reader.ts";
import { type Pick, readPick, suggest } from "../picker/read_pick.ts";
import { readButton, readFields, readLine } from "../policy/form_fields.ts";
import { findTrainers } from "../policy/people.ts";
import { addTest, removeTest } from "../policy/rule_form.ts";
import { formOfPlan, type MoveForm, newMoveForm, planOfForm, readMoveForm } from "./move_form.ts";
import { type FromTrainer, MovePage } from "./move_view.tsx";
import { MAX_PICKED, type Plan, readPlan } from "./plan.tsx";
import { membersOf, MovePreviewPage } from "./preview_view.tsx";

/** Adds the pages that move a trainer's clients: the form, its preview, and the start. */
export function addTransferPages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;

  app.get(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/move`, async (c) => {
    const ticked = (c.req.queries("client") ?? []).map(readId).filter((id) => id !== undefined);
    return await answerForm(c, newMoveForm([...new Set(ticked)].slice(0, MAX_PICKED)));
  });

  app.post(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/move`, async (c) => {
    const fields = await readFields(c);
    const filled = readMoveForm(fields);
    const pick = await readPick(services, textsOf(fields), "trainerId");
    const { verb, places: [which = -1] } = readButton(fields);
    if (verb === "add-condition") {
      const withTest = addTest(filled, readLine(fields, "newField"), await listMemberFields(sql));
      return await answerForm(c, { ...withTest, whom: "matching" }, { pick });
    }
    if (verb === "remove-condition") return await answerForm(c, removeTest(filled, which), { pick });
    const form = filled.to === "" && !pick.isEmpty ? { ...filled, to: "trainer" as const } : filled;
    if (fields.get("find") !== null) {
      return await answerForm(c, { ...form, to: "trainer" }, { pick, isRefused: true });
    }
    const { plan, faults } = planOfForm(form, pick.id ?? null, await listMemberFields(sql));
    faults.unshift(...faultsOfTrainer(form, pick, idInPath(c)));
    if (plan === undefined || faults.length > 0) return await answerForm(c, form, { pick, faults });
    return await answerPreview(c, form.to === "policy" ? { ...plan, trainerId: null } : plan);
  });

  app.post(`/trainer-assignment/trainers/:id{${ID_PATTERN}}/transfers`, async (c) => {
    const fields = await readFields(c);
    const plan = readPlan(fields);
    switch (readButton(fields).verb) {
      case "edit":
        return await answerForm(c, formOfPlan(plan), await withSuggestion(plan));
      case "move":
        return await start(c, plan, () => moveClients(sql, requestOf(c, plan), plan));
      case "dry-run":
        return await start(c, plan, () => startTransfer(sql, { ...requestOf(c, plan), dryRun: true }));
      default:
        return await answerPreview(c, plan);
    }
  });

  async function start(c: Context<PageEnv>, plan: Plan, work: () => Promise<Run>): Promise<Response> {
    try {
      const run = await work().finally(() => reader.expire());
      logChange(log, visitorOf(c), "transfer_start_requested", { runId: run.id });
      if (run.dryRun) return seeOther(c, withNotice(paths.run(run.id), "dry_run_started"));
      if (plan.stopsNewClients) logChange(log, visitorOf(c), "trainer_changed", { trainerId: idInPath(c) });
      return seeOther(c, withNotice(paths.run(run.id), "transfer_started", plan.stopsNewClients ? 1 : 0));
    } catch (error) {
      if (error instanceof AppError && typeof error.details["runId"] === "string") {
        return seeOther(c, withNotice(paths.run(error.details["runId"]), "transfer_active"));
      }
      return await refuse(c, plan, error);
    }
  }

  async function answerPreview(c: Context<PageEnv>, plan: Plan): Promise<Response> {
    const from = await readFrom(c);
    try {
      const preview = await previewTransfer(sql, requestOf(c, plan));
      const members = byId(await findMembers(services, membersOf({ from, plan, preview })));
      return await answerPage(c, {
        title: "Move clients",
        section: "trainers",
        children: <MovePreviewPage from={from} plan={plan} preview={preview} members={members} />,
      });
    } catch (error) {
      return await refuse(c, plan, error);
    }
  }

  /** Shows the form again with what the database found wrong. */
  async function refuse(c: Context<PageEnv>, plan: Plan, error: unknown): Promise<Response> {
    const fault = error instanceof AppError ? faultOf(error) : undefined;
    if (fault === undefined) throw error;
    return await answerForm(c, formOfPlan(plan), { ...await withSuggestion(plan), faults: [fault] });
  }

  async function withSuggestion({ trainerId }: Plan): Promise<Answer> {
    if (trainerId === null) return {};
    return { state: suggest((await findTrainers(services, [trainerId])).get(trainerId)) };
  }

  async function readFrom(c: Context<PageEnv>): Promise<FromTrainer> {
    const trainerId = idInPath(c);
    const [trainer, { policy }, [member]] = await Promise.all([
      getTrainer(sql, trainerId),
      getPolicy(sql),
      findMembers(services, [trainerId]),
    ]);
    const name = member?.name || member?.email || "the trainer";
    return { trainer, name, standing: findStanding(policy, trainerId) };
  }

  async function answerForm(c: Context<PageEnv>, form: MoveForm, answer: Answer = {}): Promise<Response> {
    const { pick, faults = [], isRefused = faults.length > 0 } = answer;
    const [from, fields, members] = await Promise.all([
      readFrom(c),
      listMemberFields(sql),
      findMembers(services, form.ticked),
    ]);
    return await answerPage(c, {
      title: "Move clients",
      section: "trainers",
      notice: isRefused && faults.length === 0 ? pick?.notice : undefined,
      children: (
        <MovePage
          from={from}
          form={form}
          picker={answer.state ?? pick?.state}
          fields={fields}
          members={byId(members)}
          faults={faults}
        />
      ),
    }, isRefused ? REFUSED : 200);
  }
}

/** What is shown with the form. */
interface Answer {
  pick?: Pick;
  /** In place of what was picked. */
  state?: Pick["state"];
  faults?: string[];
  isRefused?: boolean;
}

function requestOf(c: Context<PageEnv>, { trainerId, memberIds, condition, notes }: Plan) {
  return {
    fromTrainerId: idInPath(c),
    trainerId: trainerId ?? undefined,
    memberIds: memberIds ?? undefined,
    condition: condition ?? undefined,
    notes: notes ?? undefined,
    requestedBy: visitorOf(c),
  };
}

function textsOf(fields: FormData): Record<string, string> {
  return Object.fromEntries(
    [...fields].filter(([, value]) => typeof value === "string").map(([name, value]) => [
      name,
      String(value),
    ]),
  );
}

function faultsOfTrainer({ to }: MoveForm, pick: Pick, fromTrainerId: string): string[] {
  if (to === "policy") return [];
  if (to === "") return ["Say to whom."];
  if (pick.id === undefined) return [pick.notice.text];
  return pick.id === fromTrainerId ? ["Pick somebody else: they are this trainer's clients already."] : [];
}

function faultOf({ code, message }: AppError): string | undefined {
  switch (code) {
    case "no_successor":
    case "trainer_not_found":
      return noticeOf(code).text;
    case "policy_invalid":
      return `The condition: ${message}.`;
    default:
      return undefined;
  }
}
