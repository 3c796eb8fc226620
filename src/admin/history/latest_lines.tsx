import type { AuditLine } from "../../history/audit_lines.ts";
import { Time } from "../frame/parts.tsx";
import { ACTION_WORDS } from "../frame/wording.ts";
import { type Known, LineDetails } from "./line_details.tsx";

/** Says beside something who changed it last, and leads to all of it. */
export function LatestLines({ lines, known, allPath }: {
  lines: AuditLine[];
  known: Known;
  /** The history of this thing alone. */
  allPath: string;
}) {
  if (lines.length === 0) return null;
  return (
    <details class="options">
      <summary>Who changed this, when</summary>
      <ol class="history">
        {lines.map((line) => (
          <li key={line.id}>
            <Time at={line.at} />
            <div>
              <bdi>{line.actor}</bdi>: {ACTION_WORDS[line.action]}
              <LineDetails line={line} known={known} />
            </div>
          </li>
        ))}
      </ol>
      <p>
        <a href={allPath}>All of its history</a>
      </p>
    </details>
  );
}
