/** A pattern that is hard on somebody (a regular expression, an escaper, a terminal, a memory), to be repeated. */
export const PATTERNS: Readonly<Record<string, string>> = {
  letters: "a",
  hexadecimal: "0195d3a1-",
  digits: "9",
  hyphens: "-",
  spaces: " ",
  tabs: "\t",
  "line breaks": "\r\n",
  nul: "\0",
  quotes: '"',
  backslashes: "\\",
  percents: "%",
  "percent-encoded": "%2e%2f",
  slashes: "/",
  dots: "../",
  equals: "=",
  commas: ", ",
  "quality values": "text/csv;q=0.5,",
  "header parameters": ';a="b\\"',
  "cookie pairs": "a=b; ",
  brackets: "([{",
  markup: "<b onclick='x'>&amp;",
  "e-mail": "a@a.",
  bearer: "Bearer ",
  emoji: "👩‍👩‍👧‍👦",
  "combining marks": "e\u0301",
  "right to left": "\u202e\u2067",
  "half a pair": "\ud83d",
  ansi: "\u001b[2J\u001b]8;;x\u0007",
  "swelling in lower case": "İ",
  "long ligature": "ﷺ",
};

/** Repeats a pattern up to a length in UTF-16 units, ended by something that a greedy pattern does not expect. */
export function longString(pattern: string, length: number): string {
  return pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length - 1) + "!";
}
