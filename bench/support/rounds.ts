/** One of those that are compared. */
export interface Contender<Name extends string> {
  name: Name;
  /** Brings about the ground on which it runs; not measured. */
  prepare?(): Promise<unknown>;
  /** Runs once; returns what was measured, such as seconds or operations a second. */
  run(): Promise<number>;
}

/**
 * Lets the contenders run in turn, as often as there are rounds, each round beginning with another one.
 * @returns what looks up a contender's measurements, by round.
 */
export async function alternate<Name extends string>(
  rounds: number,
  contenders: readonly Contender<Name>[],
): Promise<(name: Name) => number[]> {
  const measured = new Map<Name, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length];
      if (contender === undefined) continue;
      await contender.prepare?.();
      measured.get(contender.name)?.push(await contender.run());
    }
  }
  return (name) => measured.get(name) ?? [];
}

/** Times a piece of work, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
