/**
 * Reads a time as the server prints it in UTC with the ISO date style. What no date-time of the API can hold (infinity,
 * and years outside 1 to 9999) becomes an invalid Date, which is null in JSON: test with {@link isTime} before use.
 */
export function parseTime(text: string): Date {
  const [, day, time, zone] = /^(\d{4}-\d\d-\d\d) ([\d:.]+)([+-]\d\d(?::\d\d)?)$/.exec(text) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return new Date(NaN);
  return new Date(`${day}T${time}${zone.length === 3 ? `${zone}:00` : zone}`);
}

/** Tells whether the database's time could be read. */
export function isTime(time: Date): boolean {
  return !Number.isNaN(time.getTime());
}

/** ISO 8601 in UTC; words for a time that could not be read. */
export function formatIsoTime(time: Date): string {
  return isTime(time) ? time.toISOString() : OUT_OF_RANGE;
}

/** What stands in a time's place. */
export const OUT_OF_RANGE = "a time out of range";
