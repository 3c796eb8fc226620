import type { AuditLine } from "../../history/audit_lines.ts";
import { Table, Time } from "../frame/parts.tsx";
import { ACTION_WORDS } from "../frame/wording.ts";
import { type Known, LineDetails } from "./line_details.tsx";

/** Lists who did what, when. */
export function LineTable({ label, lines, known }: { label: string; lines: AuditLine[]; known: Known }) {
  return (
    <Table
      label={label}
      rows={lines}
      keyOf={({ id }) => id}
      columns={[
        { title: "When", cell: ({ at }) => <Time at={at} /> },
        { title: "Who", cell: ({ actor }) => <bdi>{actor}</bdi> },
        { title: "What", cell: ({ action }) => ACTION_WORDS[action] },
        { title: "Details", cell: (line) => <LineDetails line={line} known={known} /> },
      ]}
    />
  );
}
