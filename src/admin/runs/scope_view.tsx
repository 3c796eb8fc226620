import type { Run } from "../../runs/progress.ts";
import { Message } from "../frame/parts.tsx";
import { Sentence } from "../policy/sentence_view.tsx";
import { conditionInWords } from "../policy/sentences.ts";

/** Says whom a transfer moves, if not all clients, and what becomes of the notes. */
export function Scope({ run: { kind, reassign, onlySelected, condition, notes } }: { run: Run }) {
  if (reassign) {
    return (
      <p class="meta">
        Replaces what the policy chose and would no longer choose. What a person assigned stays.
      </p>
    );
  }
  if (kind !== "transfer") return null;
  return (
    <div class="meta">
      {onlySelected && <p>Only the clients who were picked.</p>}
      {condition !== null && (
        <p>
          Only clients for whom: <Sentence parts={conditionInWords(condition)} people={new Map()} />.
        </p>
      )}
      {notes === null ? <p>Notes are kept.</p> : (
        <>
          <p>The new assignments have these notes:</p>
          <Message text={notes} />
        </>
      )}
    </div>
  );
}
