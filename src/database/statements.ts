/** Comments, quoted texts, names and bodies, within which a semicolon ends nothing; and the semicolons that do. */
const PARTS = /--.*|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|;/g;

/** Splits SQL into its statements, without what is empty but for comments. */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let from = 0;
  for (const { 0: part, index } of text.matchAll(PARTS)) {
    if (part !== ";") continue;
    statements.push(text.slice(from, index));
    from = index + 1;
  }
  statements.push(text.slice(from));
  return statements.map((statement) => statement.trim())
    .filter((statement) => statement.replaceAll(/--.*/g, "").trim() !== "");
}
