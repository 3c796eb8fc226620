import { AUDIT_ACTIONS } from "../../history/audit_lines.ts";
import { paths } from "../frame/paths.ts";
import { ACTION_WORDS } from "../frame/wording.ts";
import { MemberPicker } from "../picker/member_picker.tsx";
import type { PickerState } from "../picker/read_pick.ts";
import { type AskedHistory, MAX_NAME_LENGTH } from "./asked.ts";

/** Asks which part of the history to show. */
export function FilterForm({ asked, member, trainer, isOpen }: {
  asked: AskedHistory;
  member: PickerState;
  trainer: PickerState;
  isOpen: boolean;
}) {
  return (
    <details class="options" open={isOpen}>
      <summary>Show a part of it…</summary>
      <form class="builder card" method="get" action={paths.history}>
        {/* The Enter key presses the first button of a form. */}
        <button type="submit" hidden>Show</button>
        {asked.subject !== undefined && <input type="hidden" name="subject" value={asked.subject} />}
        <div class="fields">
          <p>
            <label for="actor">Who did it</label>
            <input
              id="actor"
              name="actor"
              value={asked.actor}
              maxlength={MAX_NAME_LENGTH}
              autocomplete="off"
            />
          </p>
          <p>
            <label for="action">What was done</label>
            <select id="action" name="action">
              <option value="">anything</option>
              {AUDIT_ACTIONS.map((action) => (
                <option key={action} value={action} selected={action === asked.action}>
                  {ACTION_WORDS[action]}
                </option>
              ))}
            </select>
          </p>
          <MemberPicker name="member" label="To which member" state={member} isFirstButton={false} />
          <MemberPicker name="trainer" label="With which trainer" state={trainer} isFirstButton={false} />
          <p>
            <label for="from">From day</label>
            <input id="from" name="from" type="date" value={asked.from} />
          </p>
          <p>
            <label for="to">To day</label>
            <input id="to" name="to" type="date" value={asked.to} />
          </p>
        </div>
        <div class="actions">
          <button class="primary" type="submit">Show</button>
          <a class="button" href={paths.history}>Show all</a>
        </div>
      </form>
    </details>
  );
}
