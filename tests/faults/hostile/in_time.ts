/** Waits for the work, but no longer: then `late`, and nobody waits for it any more. */
export async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), timeoutMs));
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
