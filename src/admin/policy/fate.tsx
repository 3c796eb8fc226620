import { z } from "zod";
import type { PolicyDocument } from "../../policy/document.ts";

/** What becomes of members who have a trainer when the default trainer changes. */
export type Fate = z.infer<typeof Fate>;
export const Fate = z.enum(["keep", "add", "move"]);

/** Makes the policy that follows from the answer. */
export function withFate(policy: PolicyDocument, fate: Fate | undefined): PolicyDocument {
  return fate === undefined ? policy : { ...policy, respectsOtherTrainers: fate !== "add" };
}

/** Asks what becomes of members who have a trainer. */
export function FateQuestion({ chosen }: { chosen?: string | undefined }) {
  return (
    <fieldset>
      <legend>What becomes of members who have a trainer?</legend>
      <Answer value="keep" chosen={chosen}>
        They keep them, and get no other one: not now, and not by a later run.
      </Answer>
      <Answer value="add" chosen={chosen}>
        They get the trainer of the policy as well. A run starts at once.
      </Answer>
      <Answer value="move" chosen={chosen}>
        Those whom the policy chose their trainer for, and would now choose another, are moved to that one.
        All others keep theirs. A dry run comes first, and says who would be moved.
      </Answer>
    </fieldset>
  );
}

function Answer({ value, chosen, children }: { value: Fate; chosen: string | undefined; children: string }) {
  return (
    <label class="check">
      <input type="radio" name="fate" value={value} checked={chosen === value} required />
      {children}
    </label>
  );
}
