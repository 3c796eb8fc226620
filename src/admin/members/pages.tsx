import type { Context } from "hono";
import { listFailures } from "../../assignments/failures.ts";
import type { Services } from "../../http/services.ts";
import { Notes } from "../../http/schemas.ts";
import { byId, findMembers, listReadableFields, type Member } from "../../assignments/member_lookup.ts";
import { findMembersByText, type MembersByText } from "../../assignments/member_by_text.ts";
import { MAX_FOUND } from "../../assignments/member_search.ts";
import { listMemberLife } from "../../history/member_life.ts";
import { readPage } from "../../http/paging.ts";
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
  idInPath,
  type Pages,
  readForm,
  readId,
  REFUSED,
  seeOther,
  type Typed,
} from "../frame/pages.ts";
import { paths } from "../frame/paths.ts";
import { cleanSearch, type PickerState, readPick } from "../picker/read_pick.ts";
import { findTrainers } from "../policy/people.ts";
import type { RefusedForRoom } from "./assign_anyway.tsx";
import { type MemberDetails, MembersPage } from "./view.tsx";

/** A refused form, as it was filled in, and why. */
interface RefusedAssignment {
  typed: Typed;
  trainer: PickerState;
  notice: Notice;
  forRoom?: RefusedForRoom | undefined;
}

const LIFE_ROWS = 50;
/** The most active assignments that the page shows. */
const MOST_ACTIVE = 100;

/** Adds the pages that look up members and assign them by hand. */
export function addMemberPages({ app, services }: Pages, reader: OverviewReader): void {
  const { sql, log } = services;

  app.get("/trainer-assignment/members", (c) => {
    return answerMembers(c, cleanSearch(c.req.query("q") ?? ""));
  });

  async function answerMembers(
    c: Context<PageEnv>,
    query: string,
    refused?: RefusedAssignment,
  ): Promise<Response> {
    const [fields, { only, ...found }] = await Promise.all([
      listReadableFields(services),
      findByQuery(query),
    ]);
    const details = only && { ...await readDetails(c, services, only), refusedForRoom: refused?.forRoom };
    return await answerPage(c, {
      title: "Members",
      section: "members",
      notice: refused?.notice,
      address: refused && paths.member(query),
      children: (
        <MembersPage
          query={query}
          fields={fields}
          found={found}
          details={details}
          refused={refused}
        />
      ),
    }, refused ? REFUSED : 200);
  }

  /** Finds members by name, e-mail or id. The only one found is shown at once. */
  async function findByQuery(query: string): Promise<MembersByText> {
    const id = readId(query);
    if (query === "") return { members: [], partial: false, more: false, only: undefined };
    if (id !== undefined) {
      const members = await findMembers(services, [id]);
      return { members, partial: false, more: false, only: members[0] };
    }
    const found = await findMembersByText(services, query, MAX_FOUND);
    const [first, second] = found.members;
    const isOnly = second === undefined && !found.partial && !found.more;
    return { ...found, only: found.only ?? (isOnly ? first : undefined) };
  }

  app.post(`/trainer-assignment/members/:id{${ID_PATTERN}}/assign`, async (c) => {
    const memberId = idInPath(c);
    const typed = await readForm(c);
    const pick = await readPick(services, typed, "trainerId");
    const trainerId = pick.id;
    const refuse = async (notice: Notice, code?: NoticeCode) => {
      const forRoom = code === "no_room" && trainerId !== undefined
        ? await readRefused(services, trainerId, typed.notes)
        : undefined;
      return await answerMembers(c, memberId, { typed, notice, forRoom, trainer: pick.state });
    };
    const force = typed.force === "true";
    if (trainerId === undefined) return await refuse(pick.notice);
    const notes = Notes.optional().safeParse(typed.notes);
    if (!notes.success) return await refuse(noticeOf("not_notes"));
    return await doAndSeeOther(c, refuse, async () => {
      const { assigned } = await assignClientToTrainer(sql, memberId, {
        trainerId,
        notes: notes.data,
        force,
        ...visitorOf(c),
      });
      if (assigned) {
        logChange(log, visitorOf(c), "client_assigned", { memberId, trainerId, ...(force && { force }) });
      }
      return changed(memberId, assigned ? "assigned" : "already_assigned");
    });
  });

  app.post(`/trainer-assignment/members/:id{${ID_PATTERN}}/end`, async (c) => {
    const memberId = idInPath(c);
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

async function readDetails(
  c: Context<PageEnv>,
  services: Services,
  member: Member,
): Promise<MemberDetails> {
  const { sql } = services;
  const cursor = c.req.method === "GET" ? c.req.query("cursor") : undefined;
  const [active, { rows, next }, state, [failure]] = await Promise.all([
    listMemberHistory(sql, member.id, { limit: MOST_ACTIVE, status: "active" }),
    readPage(c, {
      list: `life/${member.id}`,
      limit: LIFE_ROWS,
      cursor,
      read: (page) => listMemberLife(sql, member.id, page),
      idOf: ({ key }) => key,
    }),
    readAssignmentState(sql),
    listFailures(sql, { limit: 1, after: idBefore(member.id) }),
  ]);
  const defaultTrainerId = state.defaultTrainer?.id ?? null;
  const shown = rows.flatMap((event) => "assignment" in event ? event.assignment : []);
  const trainerIds = [...active, ...shown].flatMap(({ trainerId }) => trainerId ?? []);
  const [trainers, suggestable] = await Promise.all([
    findMembers(services, [...new Set(trainerIds)]),
    findTrainers(services, defaultTrainerId === null ? [] : [defaultTrainerId]),
  ]);
  return {
    member,
    active,
    life: { events: rows, next, isFirst: cursor === undefined },
    failure: failure?.memberId === member.id ? failure : undefined,
    defaultTrainerId,
    defaultTrainer: defaultTrainerId === null ? undefined : suggestable.get(defaultTrainerId),
    trainers: byId(trainers),
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
