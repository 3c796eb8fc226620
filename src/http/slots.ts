import { Problem } from "./problems.ts";

/** Takes one of a limited number of slots. Call the result, once or more, to give it back. */
export type TakeSlot = () => () => void;

/**
 * Bounds how many streams are open at once, so that slow readers leave connections for others.
 * @throws {Problem} `too_many_streams` (on taking) when all are taken.
 */
export function createSlots(limit: number): TakeSlot {
  let taken = 0;
  return () => {
    if (taken >= limit) {
      throw new Problem(
        "too_many_streams",
        `At most ${limit} such streams are served at once. Try again shortly.`,
      );
    }
    taken++;
    let held = true;
    return () => {
      if (held) taken--;
      held = false;
    };
  };
}
