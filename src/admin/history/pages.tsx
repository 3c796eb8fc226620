import { AUDIT_KEYS } from "../../http/routes/audit.ts";
import { type AuditLine, listAuditLines, streamAuditLines } from "../../history/audit_lines.ts";
import { spreadsheetCsv } from "../../http/formats.ts";
import { Problem } from "../../http/problems.ts";
import { readPage } from "../../http/paging.ts";
import { streamRows } from "../../http/streaming.ts";
import { answerPage, type Pages, REFUSED } from "../frame/pages.ts";
import { noticeOf } from "../frame/notices.ts";
import { ACTION_WORDS } from "../frame/wording.ts";
import { type Pick, readPick, suggest } from "../picker/read_pick.ts";
import { findTrainers, type People } from "../policy/people.ts";
import { type AskedHistory, filterOf, namesNoDay, readAsked } from "./asked.ts";
import { readKnown } from "./known.ts";
import { HistoryPage } from "./view.tsx";

const PAGE_ROWS = 50;

/** Adds the pages of what was done: a list with filters, and its download. */
export function addHistoryPages({ app, services, takeExportSlot }: Pages): void {
  const { sql, log } = services;

  app.get("/trainer-assignment/history", async (c) => {
    const { cursor, ...query } = c.req.query();
    const given = readAsked(query);
    const [member, trainer] = await Promise.all([
      readPick(services, query, "member"),
      readPick(services, query, "trainer"),
    ]);
    const asked: AskedHistory = {
      ...given,
      memberId: member.id ?? given.memberId,
      trainerId: trainer.id ?? given.trainerId,
    };
    const mustChoose = [member, trainer].some(({ id, isEmpty }) => id === undefined && !isEmpty);
    const isRefused = mustChoose || namesNoDay(query);
    const { rows, next } = isRefused ? { rows: [], next: null } : await readPage(c, {
      list: `audit/${JSON.stringify(asked)}`,
      limit: PAGE_ROWS,
      cursor,
      read: (page) => listAuditLines(sql, filterOf(asked), page),
      idOf: ({ id }) => id,
    });
    const people = await findTrainers(
      services,
      [asked.memberId, asked.trainerId].filter((id) => id !== undefined),
    );
    return await answerPage(c, {
      title: "History",
      section: "history",
      notice: mustChoose
        ? [member, trainer].find(({ id, isEmpty }) => !id && !isEmpty)?.notice
        : isRefused
        ? noticeOf("not_a_day")
        : undefined,
      children: (
        <HistoryPage
          asked={asked}
          member={stateOf(member, asked.memberId, people)}
          trainer={stateOf(trainer, asked.trainerId, people)}
          isRefused={isRefused}
          lines={rows}
          known={await readKnown(services, rows)}
          next={next}
          isFirst={cursor === undefined}
        />
      ),
    }, isRefused ? REFUSED : 200);
  });

  app.get("/trainer-assignment/history.csv", async (c) => {
    const query = c.req.query();
    if (namesNoDay(query)) throw new Problem("invalid_request", noticeOf("not_a_day").text);
    const lines = streamAuditLines(sql, filterOf(readAsked(query)));
    return await streamRows(c.env.request, {
      chunks: withWords(lines),
      format: spreadsheetCsv(["what", ...AUDIT_KEYS]),
      filename: "history",
      takeSlot: takeExportSlot,
      log,
    });
  });
}

async function* withWords(chunks: AsyncIterable<AuditLine[]>): AsyncGenerator<object[]> {
  for await (const lines of chunks) yield lines.map((line) => ({ what: ACTION_WORDS[line.action], ...line }));
}

/** Shows who was picked; or what was typed and found, if nobody was. */
function stateOf(pick: Pick, id: string | undefined, people: People): Pick["state"] {
  return id === undefined ? pick.state : suggest(people.get(id));
}
