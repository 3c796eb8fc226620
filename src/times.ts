/**
 * Reads a time as the server prints it, in UTC with the ISO date style. A time that the API cannot represent
 * (infinity, years outside 1 to 9999) becomes an invalid Date, which is null in JSON: test with {@link isTime}
 * before use.
 */
export function parseTime(text: string): Date {
  const [, day, time, zone] = /^(\d{4}-\d\d-\d\d) ([\d:.]+)([+-]\d\d(?::\d\d)?)$/.exec(text) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return new Date(NaN);
  return new Date(`${day}T${time}${zone.length === 3 ? `${zone}:00` : zone}`);
}

/**
 * Writes a time, as the server prints it, as JSON writes its Date. Making the Date and calling its `toJSON` would cost
 * a check a tenth of its processor time. Null for a time out of range.
 */
export function toIsoTime(text: string): string | null {
  const [, day, time, fraction = ""] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text) ??
    [];
  if (day !== undefined) return `${day}T${time}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
  const date = parseTime(text);
  return isTime(date) ? date.toISOString() : null;
}

/** Tells whether a time of the database is in range. */
export function isTime(time: Date): boolean {
  return !Number.isNaN(time.getTime());
}

/** Formats a time as ISO 8601 in UTC; {@link OUT_OF_RANGE} for one out of range. */
export function formatIsoTime(time: Date): string {
  return isTime(time) ? time.toISOString() : OUT_OF_RANGE;
}

/** Is shown in place of a time out of range. */
export const OUT_OF_RANGE = "a time out of range";
