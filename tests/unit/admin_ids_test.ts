import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { readId } from "../../src/admin/frame/pages.ts";

const ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";
const BARE = ID.replaceAll("-", "");

describe("an id on the admin page", () => {
  const written = {
    "as it is": ID,
    "in capitals": ID.toUpperCase(),
    "without hyphens": BARE,
    "without hyphens, in capitals": BARE.toUpperCase(),
    "in braces": `{${ID.toUpperCase()}}`,
    "in parentheses": `(${ID})`,
    "as a URN": `urn:uuid:${ID}`,
    "as a URN in capitals": `URN:UUID:${ID.toUpperCase()}`,
    "with white space around": ` \t${ID}\r\n`,
    "with white space inside": ID.replace("6c1e-", "6c1e- "),
    "with a no-break space and a zero-width space": `\u00a0${ID}\u200b`,
    "with a byte order mark": `\ufeff${ID}`,
    "with hyphens of a word processor": ID.replaceAll("-", "\u2011").replace("\u2011", "\u2013"),
    "in quotes, with a comma": `"${ID}",`,
    "in single quotes": `'${ID}'`,
    "as an array of one": `["${ID}"]`,
  };
  for (const [how, text] of Object.entries(written)) {
    it(`is read ${how}`, () => assertEquals(readId(text), ID));
  }

  it("is not read from anything else", () => {
    for (
      const text of [
        "",
        "nonsense",
        BARE.slice(1),
        `${BARE}0`,
        BARE.replace("0", "g"),
        `${ID} ${ID}`,
        "%",
        "{}",
      ]
    ) {
      assertEquals(readId(text), undefined);
    }
    assertEquals(readId(undefined), undefined);
  });
});
