/**
 * How many parts of the members a process backfills at once by default: one for each processor of its machine but one, which is
 * left to those who sign up meanwhile; 1 to 16.
 */
export function countDefaultLanes(processors = navigator.hardwareConcurrency): number {
  return Math.min(16, Math.max(1, processors - 1));
}
