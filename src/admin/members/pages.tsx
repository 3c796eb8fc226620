import type { Context } from "hono";
import { listFailures } from "../../assignments/failures.ts";
import type { Services } from "../../http/services.ts";
import { Notes } from "../../http/schemas.ts";
import {
  byId,
  findMembers,
  findMembersByEmail,
  listReadableFields,
  type Member,
} from "../../assignments/member_lookup.ts";
import { listMemberHistory } from "../../assignments/member_history.ts";
import { readAssignmentState } from "../../operation/assignment_state.ts";
import { assignClientToTrainer, endAssignment } from "../../assignments/assign.ts";
import { getTrainer } from "../../policy/trainers.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { logChange } from "../../http/audit.ts";
import { type Notice, type NoticeCode, noticeOf, withNotice } from "../frame/notices.ts";
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
import type { RefusedForRoom } from "./assign_anyway.tsx";
import { type MemberDetails, MembersPage } from "./view.tsx";

const HISTORY_ROWS = 100;
const LONGEST_QUERY = 320; // the longest e-mail address

/** Adds the pages that look up members and assign them by hand. */
export function addMemberPages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;

  app.get("/trainer-assignment/members", (c) => {
    const query = (c.req.query("q") ?? "").replaceAll("\0", "").trim().slice(0, LONGEST_QUERY);
    return answerMembers(c, query);
  });

  async function answerMembers(
    c: Context<PageEnv>,
    query: string,
    refused?: { typed: Typed; notice: Notice; forRoom?: RefusedForRoom | undefined },
  ): Promise<Response> {
    const id = readId(query);
    const [fields, found] = await Promise.all([
      listReadableFields(services),
      id !== undefined
        ? findMembers(services, [id])
        : query.includes("@")
        ? findMembersByEmail(services, query)
        : [],
    ]);
    const [member] = found ?? [];
    const details = member !== undefined && found?.length === 1
      ? { ...await readDetails(services, member), refusedForRoom: refused?.forRoom }
      : undefined;
    return await answerPage(c, {
      title: "Members",
      section: "members",
      notice: refused?.notice,
      address: refused && paths.member(query),
      children: (
        <MembersPage
          query={query}
          hasEmails={fields.includes("email")}
          found={found ?? []}
          details={details}
          typed={refused?.typed}
        />
      ),
    }, refused ? REFUSED : 200);
  }

  app.post(`/trainer-assignment/members/:id{${ID_PATTERN}}/assign`, async (c) => {
    const memberId = c.req.param("id");
    const typed = await readForm(c);
    const refuse = async (notice: Notice, code?: NoticeCode) => {
      const forRoom = code === "no_room" && trainerId !== undefined
        ? await readRefused(services, trainerId, typed.notes)
        : undefined;
      return await answerMembers(c, memberId, { typed, notice, forRoom });
    };
    const trainerId = readId(typed.trainerId);
    const force = typed.force === "true";
    if (trainerId === undefined) return await refuse(noticeOf("not_an_id"));
    const notes = Notes.optional().safeParse(typed.notes);
    if (!notes.success) return await refuse(noticeOf("not_notes"));
    return await doAndSeeOther(c, refuse, async () => {
      const { assigned } = await assignClientToTrainer(sql, memberId, {
        trainerId,
        notes: notes.data,
        byForce: force,
        ...visitorOf(c),
      });
      if (assigned) {
        logChange(log, visitorOf(c), "client_assigned", { memberId, trainerId, ...(force && { force }) });
      }
      return changed(memberId, assigned ? "assigned" : "already_assigned");
    });
  });

  app.post(`/trainer-assignment/members/:id{${ID_PATTERN}}/end`, async (c) => {
    const memberId = c.req.param("id");
    const trainerId = readId((await readForm(c)).trainerId);
    if (trainerId === undefined) return seeOther(c, withNotice(paths.member(memberId), "not_an_id"));
    return await doAndSeeOther(c, paths.member(memberId), async () => {
      await endAssignment(sql, trainerId, memberId, visitorOf(c));
      logChange(log, visitorOf(c), "assignment_ended", { memberId, trainerId });
      return changed(memberId, "ended");
    });
  });

  function changed(memberId: string, notice: NoticeCode): string {
    reader.expire();
    return withNotice(paths.member(memberId), notice);
  }
}

async function readDetails(services: Services, member: Member): Promise<MemberDetails> {
  const { sql } = services;
  const [history, state, [failure]] = await Promise.all([
    listMemberHistory(sql, member.id, { limit: HISTORY_ROWS }),
    readAssignmentState(sql),
    listFailures(sql, { limit: 1, after: idBefore(member.id) }),
  ]);
  const trainerIds = history.map(({ trainerId }) => trainerId);
  return {
    history,
    failure: failure?.memberId === member.id ? failure : undefined,
    defaultTrainerId: state.defaultTrainer?.id ?? null,
    trainers: byId(await findMembers(services, [...new Set(trainerIds)])),
  };
}

async function readRefused(
  services: Services,
  trainerId: string,
  notes: string | undefined,
): Promise<RefusedForRoom> {
  const [trainer, [person]] = await Promise.all([
    getTrainer(services.sql, trainerId),
    findMembers(services, [trainerId]),
  ]);
  return { trainer, person, notes };
}

/** Returns the id just before another. The list of failures starts after it. */
function idBefore(id: string): string | undefined {
  const number = BigInt(`0x${id.replaceAll("-", "")}`);
  if (number === 0n) return undefined;
  return (number - 1n).toString(16).padStart(32, "0").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
