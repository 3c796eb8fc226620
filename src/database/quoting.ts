/** Quotes a name for SQL. The driver's own quoting takes a dot for a separator. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
