import fc from "fast-check";
import { Buffer } from "node:buffer";

/** Texts that have broken other programs. */
export const CLASSICS = [
  "",
  " ",
  "\0",
  "null",
  "undefined",
  "NaN",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "../../../../etc/passwd",
  "..\\..\\windows",
  "' or '1'='1",
  "'; drop table members; --",
  "$(id)",
  "`id`",
  "${7*7}",
  "{{7*7}}",
  "%n%n%s",
  "<script>alert(1)</script>",
  "=cmd|' /C calc'!A0",
  "\u001b[31mred\u001b[0m\u001b]0;title\u0007",
  "line\r\nSet-Cookie: a=b\r\n\r\n<html>",
  "\u202egnirts desrever",
  "\ufeff",
  "\ud800",
  "\udfff\ud800",
  "é\u0301\u0301\u0301",
  "👩‍👩‍👧‍👦",
  "ﷺ",
  "İ",
  "-1",
  "0",
  "1e309",
  "99999999999999999999999",
  "0x10",
  "1_000",
  "٣",
] as const;

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

/** Ids as people and programs write them, right and wrong. */
export const ODD_IDS = [
  SOME_ID,
  SOME_ID.toUpperCase(),
  `{${SOME_ID}}`,
  `urn:uuid:${SOME_ID}`,
  SOME_ID.replaceAll("-", ""),
  ` ${SOME_ID}`,
  `${SOME_ID}\n`,
  `${SOME_ID}\0`,
  SOME_ID.slice(0, -1),
  `${SOME_ID}0`,
  SOME_ID.replaceAll("-", "_"),
  SOME_ID.replace("a", "g"),
  "-".repeat(36),
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "00000000-0000-7000-0000-00000000000Z",
  "0".repeat(36),
] as const;

export const ODD_LIMITS = [
  "0",
  "1",
  "1000",
  "1001",
  "-1",
  "1.5",
  "1e2",
  "0x10",
  "",
  " 5",
  "9".repeat(40),
  "٣",
  "5;6",
];

/** Any text: known to be hostile, made up, or long. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...CLASSICS) },
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom("a", "-", "%", "\0", "(", "\ud83d\ude00", "/", "=", '"'),
      fc.nat(5_000),
    )
      .map(([part, times]) => part.repeat(times)),
  },
);

/** Any JSON value, of any depth that fits. */
export const oddJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: oddText.map((text) => JSON.stringify(text)) },
  { weight: 4, arbitrary: fc.json({ maxDepth: 4 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("0", "-0", "1e400", "true", "null", "[]", "{}", '"\\ud800"', '"\\u0000"'),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(["[", "]"], ['{"a":', "}"]), fc.constantFrom(10, 1_000, 25_000))
      .map(([[open = "", close = ""], depth]) => `${open.repeat(depth)}1${close.repeat(depth)}`),
  },
);

/** Writes a text into an address: as it should be, double, half, or with what is no encoding at all. */
export const encoded = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.constantFrom("right", "right", "right", "twice", "cut", "bad", "raw")).map(
    ([value, how]) => {
      const right = percentEncode(value);
      switch (how) {
        case "twice":
          return percentEncode(right);
        case "cut":
          return right.slice(0, -1);
        case "bad":
          return `${right}%zz%`;
        case "raw":
          return latin1(value).replaceAll(/[\0-\x20\x7f]/g, "");
        default:
          return right;
      }
    },
  );

/** The bytes of a text in UTF-8, a character each; half a surrogate pair as if it were a character (which is no UTF-8). */
export function latin1(text: string): string {
  if (text.isWellFormed()) return Buffer.from(text, "utf8").toString("latin1");
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    const isHalf = character.length === 1 && code >= 0xd800 && code <= 0xdfff;
    const bytes = isHalf
      ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
      : Buffer.from(character, "utf8");
    return String.fromCharCode(...bytes);
  }).join("");
}

function percentEncode(text: string): string {
  return latin1(text).replaceAll(
    /[^A-Za-z0-9._~-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
