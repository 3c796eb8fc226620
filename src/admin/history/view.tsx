import type { AuditLine } from "../../history/audit_lines.ts";
import { Empty, NextPage } from "../frame/parts.tsx";
import { paths } from "../frame/paths.ts";
import type { PickerState } from "../picker/read_pick.ts";
import { type AskedHistory, historyPath } from "./asked.ts";
import { FilterForm } from "./filter_form.tsx";
import type { Known } from "./line_details.tsx";
import { LineTable } from "./line_table.tsx";

/** Shows who did what, when, and lets people filter it. */
export function HistoryPage({ asked, member, trainer, isRefused, lines, known, next, isFirst }: {
  asked: AskedHistory;
  member: PickerState;
  trainer: PickerState;
  /** One of the pickers has found several, or a day is none. */
  isRefused: boolean;
  lines: AuditLine[];
  known: Known;
  next: string | null;
  isFirst: boolean;
}) {
  const isFiltered = Object.values(asked).some((value) => value !== undefined);
  return (
    <>
      <h1>History</h1>
      <p>
        Who changed what, when. What sign-ups, retries and runs did to a member stands on the member's page.
      </p>
      <FilterForm asked={asked} member={member} trainer={trainer} isOpen={isFiltered || isRefused} />
      {!isRefused && (
        <>
          <div class="actions">
            <a class="button" href={historyPath(asked, paths.historyCsv)} download>Download all (CSV)</a>
          </div>
          {lines.length > 0 ? <LineTable label="History" lines={lines} known={known} /> : (
            <Empty>
              {!isFirst
                ? "There is nothing older."
                : isFiltered
                ? "Nothing of the kind was done."
                : "Nothing was done yet."}
            </Empty>
          )}
          <NextPage path={historyPath(asked)} next={next} />
        </>
      )}
    </>
  );
}
