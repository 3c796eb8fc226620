import { setImmediate } from "node:timers";
import type { Sql } from "../sql.ts";

/** The most turns of the event loop to wait, while statements are sent over other connections. */
const MOST_TURNS = 200;

/**
 * Makes a function that does work after a turn of the event loop in which the driver began no statement: then nothing of
 * it waits to be written. What is given within such a turn is done at once together, with no promise settled in between:
 * a statement that one connection's end has rejected does not go to another that has ended as well.
 * @param countBegun see {@link countStatements}
 */
export function waitForQuietTurn(countBegun: () => number): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  return (work) => {
    waiting.push(work);
    if (waiting.length === 1) wait(MOST_TURNS);
  };

  function wait(turns: number): void {
    const begun = countBegun();
    const given = waiting.length;
    setImmediate(() => {
      const isQuiet = countBegun() === begun && waiting.length === given;
      if (!isQuiet && turns > 1) return wait(turns - 1);
      for (const work of waiting.splice(0)) work();
    });
  }
}

/** Counts the statements that the driver begins to send: it reads `prepare` for each (src/connection.js, `build`). */
export function countStatements({ options }: Sql): () => number {
  const { prepare } = options;
  let begun = 0;
  Object.defineProperty(options, "prepare", {
    enumerable: true,
    get() {
      begun += 1;
      return prepare;
    },
  });
  return () => begun;
}
