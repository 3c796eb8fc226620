import type { Context } from "hono";
import { listFailures } from "../../assignments/failures.ts";
import type { Services } from "../../http/services.ts";
import { Notes } from "../../http/schemas.ts";
import {
  findMembers,
  findMembersByEmail,
  hasMemberEmails,
  listMemberHistory,
  type Member,
} from "../../assignments/member_lookup.ts";
import { readAssignmentState } from "../../operation/assignment_state.ts";
import { assignClientToTrainer, endAssignment } from "../../trainer_assignment.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { logChange } from "../../http/audit.ts";
import { type NoticeCode, withNotice } from "../frame/notices.ts";
import { byId, type OverviewReader } from "../overview/reader.ts";
import { answerPage, doAndGoOn, goOn, ID_PATTERN, type Pages, readForm, readId } from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { type MemberDetails, MembersPage } from "./view.tsx";

const LONGEST_QUERY = 320; // the longest e-mail address

/** Looking members up, and assigning them by hand. */
export function addMemberPages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;

  app.get("/trainer-assignment/members", async (c) => {
    const query = (c.req.query("q") ?? "").replaceAll("\0", "").trim().slice(0, LONGEST_QUERY);
    const id = readId(query);
    const [hasEmails, found] = await Promise.all([
      hasMemberEmails(sql),
      id !== undefined ? findMembers(sql, [id]) : query.includes("@") ? findMembersByEmail(sql, query) : [],
    ]);
    const [member] = found ?? [];
    const details = member !== undefined && found?.length === 1
      ? await readDetails(services, member)
      : undefined;
    return await answerPage(c, {
      title: "Members",
      section: "members",
      children: <MembersPage query={query} hasEmails={hasEmails} found={found ?? []} details={details} />,
    });
  });

  app.post(
    `/trainer-assignment/members/:id{${ID_PATTERN}}/assign`,
    (c) =>
      change(c, async (memberId, { trainerId, notes }) => {
        const kept = Notes.optional().safeParse(notes);
        if (!kept.success) return "not_notes";
        const { assigned } = await assignClientToTrainer(sql, memberId, { trainerId, notes: kept.data });
        if (assigned) logChange(log, visitorOf(c), "client_assigned", { memberId, trainerId });
        return assigned ? "assigned" : "already_assigned";
      }),
  );

  app.post(
    `/trainer-assignment/members/:id{${ID_PATTERN}}/end`,
    (c) =>
      change(c, async (memberId, { trainerId }) => {
        await endAssignment(sql, trainerId, memberId);
        logChange(log, visitorOf(c), "assignment_ended", { memberId, trainerId });
        return "ended";
      }),
  );

  async function change(
    c: Context<PageEnv, `/:id{${string}}`>,
    work: (
      memberId: string,
      fields: { trainerId: string; notes: string | undefined },
    ) => Promise<NoticeCode>,
  ): Promise<Response> {
    const memberId = c.req.param("id");
    const { notes, ...form } = await readForm(c);
    const trainerId = readId(form.trainerId);
    if (trainerId === undefined) return goOn(c, withNotice(paths.member(memberId), "not_an_id"));
    return await doAndGoOn(c, paths.member(memberId), async () => {
      const notice = await work(memberId, { trainerId, notes });
      reader.expire();
      return withNotice(paths.member(memberId), notice);
    });
  }
}

async function readDetails({ sql }: Services, member: Member): Promise<MemberDetails> {
  const [history, state, [failure]] = await Promise.all([
    listMemberHistory(sql, member.id),
    readAssignmentState(sql),
    listFailures(sql, { limit: 1, after: idBefore(member.id) }),
  ]);
  const trainerIds = history.map(({ trainerId }) => trainerId);
  return {
    history,
    failure: failure?.memberId === member.id ? failure : undefined,
    defaultTrainerId: state.defaultTrainer?.id ?? null,
    trainers: byId(await findMembers(sql, [...new Set(trainerIds)])),
  };
}

/** The id just before another: the list of failures begins after it. */
function idBefore(id: string): string | undefined {
  const number = BigInt(`0x${id.replaceAll("-", "")}`);
  if (number === 0n) return undefined;
  return (number - 1n).toString(16).padStart(32, "0").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
