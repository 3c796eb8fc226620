/**
 * Begins the works in their order, never more than `atOnce` at a time. Each has a promise of its own; whether another one
 * succeeds is nothing to it.
 */
export function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result>[] {
  let running = 0;
  const waiting: (() => void)[] = [];
  return items.map(async (item) => {
    if (running < atOnce) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work(item);
    } finally {
      const startNext = waiting.shift();
      if (startNext) startNext(); // in the place of this one
      else running -= 1;
    }
  });
}
